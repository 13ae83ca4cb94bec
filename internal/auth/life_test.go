package auth_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestASignedInDeviceIsItsAccount(t *testing.T) {
	s := setup(t)
	p, acc, err := s.SignIn(t.Context(), "  Ann@Example.ORG ", annPass, auth.SignIn{Agent: "a\x00b\n\xff", Addr: home})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.Verify(t.Context(), p.Access.Reveal())
	if want := (core.Actor{User: ann, Group: 2, Admin: true, Via: core.ViaToken, Device: s.db.family(t).ID}); err != nil || who != want {
		t.Errorf("Verify: %+v, %v; want %+v", who, err, want)
	}
	if acc.User != ann {
		t.Errorf("account %v", acc.User)
	}
	if !auth.NeedsRehash(acc.Password) {
		t.Error("a hash of weaker parameters is not reported")
	}
	if got := p.AccessExpires.Sub(s.clock().Truncate(time.Second)); got != time.Hour {
		t.Errorf("access token lives %v", got)
	}
	if got := p.RefreshExpires.Sub(s.clock().Truncate(time.Second)); got != 14*24*time.Hour {
		t.Errorf("refresh token lives %v", got)
	}
	if f := s.db.family(t); f.Agent != "a b " || f.Serial != 1 || f.Epoch != 3 {
		t.Errorf("family %+v", f)
	}
}

// P15: what ends a credential ends it here at once, and in another process that
// had it in memory within a second.
func TestAnEndedCredentialDies(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *site, auth.Pair){
		"sign out": func(t *testing.T, s *site, p auth.Pair) {
			if err := s.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
				t.Fatal(err)
			}
		},
		"sign out with a token used before": func(t *testing.T, s *site, p auth.Pair) {
			s.refreshed(p)
			if err := s.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
				t.Fatal(err)
			}
		},
		"password changed": func(_ *testing.T, s *site, _ auth.Pair) {
			s.db.change(ann, func(a *auth.Account) { a.Epoch++ })
			s.AccountChanged(ann)
		},
		"banned": func(_ *testing.T, s *site, _ auth.Pair) {
			s.db.change(ann, func(a *auth.Account) { a.Banned = true })
			s.AccountChanged(ann)
		},
		"deactivated": func(_ *testing.T, s *site, _ auth.Pair) {
			s.db.change(ann, func(a *auth.Account) { a.Active = false })
			s.AccountChanged(ann)
		},
		"account removed": func(_ *testing.T, s *site, _ auth.Pair) {
			s.db.mu.Lock()
			delete(s.db.accounts, ann)
			s.db.mu.Unlock()
			s.AccountChanged(ann)
		},
		"refresh token used twice": func(t *testing.T, s *site, p auth.Pair) {
			s.refreshed(p)
			s.pass(time.Minute + time.Microsecond)
			wantBadToken(t, s.refresh(p))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t)
			p := s.signedIn()
			other, _ := s.process()
			elsewhere := func() error {
				_, err := other.Verify(t.Context(), p.Access.Reveal())
				return err
			}
			if err := errors.Join(s.verify(p), elsewhere()); err != nil {
				t.Fatal("before:", err)
			}
			end(t, s, p)
			wantBadToken(t, s.verify(p))
			s.pass(time.Second)
			wantBadToken(t, elsewhere())
			wantBadToken(t, s.refresh(p))
			s.restart()
			wantBadToken(t, s.verify(p))
			wantBadToken(t, s.refresh(p))
		})
	}
}

func TestWhatVerifyRemembersIsNeverOlderThanASecond(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	other, _ := s.process()
	if err := s.verify(p); err != nil {
		t.Fatal(err)
	}
	if err := other.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
		t.Fatal(err)
	}
	s.pass(time.Second - time.Microsecond)
	if err := s.verify(p); err != nil {
		t.Errorf("read again within the second: %v", err)
	}
	s.pass(time.Microsecond)
	wantBadToken(t, s.verify(p))
}

func TestAReadThatWasUnderWayAtSignOutIsNotShared(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	reading, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.db.inFamily = func() {
		first := false
		once.Do(func() { first = true })
		if first {
			close(reading)
			<-goOn
		}
	}
	early := make(chan error)
	go func() { early <- s.verify(p) }()
	<-reading
	if err := s.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
		t.Fatal(err)
	}
	wantBadToken(t, s.verify(p)) // while the old row is still on its way
	close(goOn)
	if err := <-early; err != nil {
		t.Errorf("who asked before the sign-out: %v", err)
	}
	wantBadToken(t, s.verify(p))
}

func TestManyCallsAtOnceReadOnce(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	s.db.familyReads.Store(0)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := s.verify(p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.db.familyReads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestWhatVerifyRemembersIsBounded(t *testing.T) {
	s := setup(t)
	s.BoundReadings(8)
	for range 40 {
		if err := s.verify(s.signedIn()); err != nil {
			t.Fatal(err)
		}
		if n := s.Remembered(); n > 8 {
			t.Fatalf("%d readings kept", n)
		}
	}
}

func TestANewerEpochOfAnotherProcessIsSeenAtOnce(t *testing.T) {
	s := setup(t)
	if err := s.verify(s.signedIn()); err != nil { // remembers epoch 3
		t.Fatal(err)
	}
	s.db.change(ann, func(a *auth.Account) { a.Epoch++ }) // elsewhere
	other, _ := s.process()
	p, _, err := other.SignIn(t.Context(), annEmail, annPass, s.from(home))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.verify(p); err != nil {
		t.Errorf("a token of the new epoch: %v", err)
	}
}

func TestAFailedReadIsNeitherATokensFaultNorRemembered(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	down := error(errs.New(errs.Transient, errs.StoreFailed))
	s.db.broken.Store(&down)
	wantErr(t, s.verify(p), errs.Transient, errs.StoreFailed)
	wantErr(t, s.refresh(p), errs.Transient, errs.StoreFailed)
	wantErr(t, s.SignOut(t.Context(), p.Refresh.Reveal()), errs.Transient, errs.StoreFailed)
	_, _, err := s.SignIn(t.Context(), annEmail, annPass, s.from(home))
	wantErr(t, err, errs.Transient, errs.StoreFailed)
	_, err = s.Exists(t.Context(), annEmail)
	wantErr(t, err, errs.Transient, errs.StoreFailed)
	s.db.broken.Store(nil)
	if err := s.verify(p); err != nil {
		t.Errorf("after the store came back: %v", err)
	}
	if err := s.refresh(p); err != nil {
		t.Errorf("after the store came back: %v", err)
	}
}

func TestTokensExpire(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	s.now.Store(p.AccessExpires.UnixMicro() - 1)
	if err := s.verify(p); err != nil {
		t.Errorf("at its last moment: %v", err)
	}
	s.now.Store(p.AccessExpires.UnixMicro())
	wantErr(t, s.verify(p), errs.Unauthenticated, errs.TokenExpired)
	s.now.Store(p.RefreshExpires.UnixMicro())
	wantBadToken(t, s.refresh(p))
	if err := s.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
		t.Errorf("signing out with an expired token: %v", err)
	}
}

func TestADeviceSlidesFourteenDaysAndEndsAfterNinety(t *testing.T) {
	s := setup(t)
	start, p := s.clock(), s.signedIn()
	for s.clock().Sub(start) < 80*24*time.Hour {
		s.pass(10 * 24 * time.Hour)
		p = s.refreshed(p)
	}
	end := start.Add(90 * 24 * time.Hour).Truncate(time.Second)
	if !p.RefreshExpires.Equal(end) {
		t.Errorf("expires %v, want %v", p.RefreshExpires, end)
	}
	s.now.Store(end.Add(-time.Minute).UnixMicro())
	p = s.refreshed(p)
	if !p.RefreshExpires.Equal(end) || p.AccessExpires.After(end) {
		t.Errorf("a token outlives its device: %v, %v", p.AccessExpires, p.RefreshExpires)
	}
	s.now.Store(end.UnixMicro())
	wantBadToken(t, s.refresh(p))
	wantErr(t, s.verify(p), errs.Unauthenticated, errs.TokenExpired)
}

func TestSignOutTakesAnything(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	for _, token := range []string{"", "x", "a.b.c", p.Access.Reveal(), p.Refresh.Reveal() + "A"} {
		if err := s.SignOut(t.Context(), token); err != nil {
			t.Errorf("%q: %v", token, err)
		}
	}
	if err := s.verify(p); err != nil {
		t.Errorf("none of these was the refresh token: %v", err)
	}
}

func TestIssueRefusesClosedAccounts(t *testing.T) {
	s := setup(t)
	_, err := s.Issue(t.Context(), auth.Account{User: 1, Active: true, Banned: true}, auth.SignIn{})
	wantErr(t, err, errs.Forbidden, errs.UserBanned)
	_, err = s.Issue(t.Context(), auth.Account{User: 1}, auth.SignIn{})
	wantErr(t, err, errs.Forbidden, errs.UserInactive)
	p, err := s.Issue(t.Context(), auth.Account{User: ann, Active: true, Epoch: 3}, auth.SignIn{})
	if err != nil || s.verify(p) != nil {
		t.Errorf("an open one: %v", err)
	}
}
