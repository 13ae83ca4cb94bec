package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func (s *site) guess(email, addr string) error {
	_, _, err := s.SignIn(s.t.Context(), email, "wrong horse", s.from(addr))
	return err
}

func (s *site) guessUntilRefused(email, addr string) (looked int) {
	for range 200 {
		if err := s.guess(email, addr); errs.Has(err, errs.TooManyGuesses) {
			return looked
		} else if !errs.Has(err, errs.BadLogin) {
			s.t.Fatal(err)
		}
		looked++
	}
	return looked
}

// P16, with its window and across a restart.
func TestGuessesOfAnAccountAreBounded(t *testing.T) {
	s := setup(t)
	for range 4 {
		wantErr(t, s.guess(annEmail, home), errs.Unauthenticated, errs.BadLogin)
	}
	s.restart()
	if n := s.guessUntilRefused(annEmail, home); n != 6 {
		t.Errorf("%d more after four and a restart", n)
	}
	s.restart()
	wantErr(t, s.guess(annEmail, home), errs.Transient, errs.TooManyGuesses)
	_, _, err := s.SignIn(t.Context(), annEmail, annPass, s.from(home))
	wantErr(t, err, errs.Transient, errs.TooManyGuesses)
	if s.runs() != 0 {
		t.Error("a refused password was looked at")
	}
	s.pass(15 * time.Minute)
	wantErr(t, s.guess(annEmail, home), errs.Transient, errs.TooManyGuesses)
	s.pass(time.Microsecond)
	s.signedIn()
}

func TestTheOwnerSignsInFromElsewhereMeanwhile(t *testing.T) {
	s := setup(t)
	s.guessUntilRefused(annEmail, "198.51.100.9:999")
	s.signedIn()
	wantErr(t, s.guess(annEmail, "198.51.100.9:1000"), errs.Transient, errs.TooManyGuesses)
}

func TestGuessesOfAnAddressAreBounded(t *testing.T) {
	s := setup(t)
	looked := 0
	for i := range 100 {
		if err := s.guess(fmt.Sprintf("user%d@example.org", i), home); errs.Has(err, errs.BadLogin) {
			looked++
		}
	}
	if looked != 50 || s.runs() != 50 {
		t.Errorf("%d answers, %d runs, want 50", looked, s.runs())
	}
	if _, _, err := s.SignIn(t.Context(), annEmail, annPass, s.from("203.0.113.5")); err != nil {
		t.Errorf("from another address: %v", err)
	}
}

func TestARightPasswordForgetsTheWrongOnesOfTheAccountNotOfTheAddress(t *testing.T) {
	s := setup(t)
	looked := 0
	for range 60 {
		for range 4 {
			if errs.Has(s.guess("bob@example.org", home), errs.BadLogin) {
				looked++
			}
		}
		_, _, _ = s.SignIn(t.Context(), annEmail, annPass, s.from(home)) // an own account, to buy guesses
		_ = s.guess(annEmail, home)
	}
	if looked > 10 {
		t.Errorf("%d guesses at another's account", looked)
	}
	s = newSite(t)
	for range 5 {
		for range 9 {
			wantErr(t, s.guess(annEmail, home), errs.Unauthenticated, errs.BadLogin)
		}
		s.signedIn() // the tenth was right
	}
}

func TestGuessesAtOnceAreBounded(t *testing.T) {
	s := setup(t)
	var wg sync.WaitGroup
	var looked atomic.Int64
	for range 60 {
		wg.Go(func() {
			err := s.guess(annEmail, home)
			switch {
			case errs.Has(err, errs.BadLogin):
				looked.Add(1)
			case errs.Has(err, errs.TooManyGuesses):
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if looked.Load() != 10 || s.runs() != 10 {
		t.Errorf("%d answers, %d runs, want 10", looked.Load(), s.runs())
	}
	if n := s.OpenTurns(); n != 0 {
		t.Errorf("%d queues left", n)
	}
}

func TestAGuessCountsThoughItsSenderHangsUp(t *testing.T) {
	s := setup(t)
	ctx, hangUp := context.WithCancel(t.Context())
	s.db.beforeFailed = hangUp
	_, _, err := s.SignIn(ctx, annEmail, "wrong horse", s.from(home))
	wantErr(t, err, errs.Unauthenticated, errs.BadLogin)
	if ctx.Err() == nil {
		t.Fatal("did not hang up")
	}
	if n := s.guessUntilRefused(annEmail, home); n != 9 {
		t.Errorf("%d more after one", n)
	}
}

func TestWaitingEndsWithTheRequest(t *testing.T) {
	s := setup(t)
	s.Occupy() // no seat to hash on
	first, cancelFirst := context.WithCancel(t.Context())
	second, cancelSecond := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for _, ctx := range []context.Context{first, second} {
		go func() {
			_, _, err := s.SignIn(ctx, annEmail, annPass, s.from(home))
			done <- err
		}()
	}
	cancelFirst()
	cancelSecond()
	for range 2 {
		if err := <-done; !errs.Is(err, errs.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	s.Vacate()
	s.signedIn()
}

func TestAQueueOfOneAddressIsBounded(t *testing.T) {
	s := setup(t)
	s.Occupy()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 200)
	for range 200 {
		go func() {
			_, _, err := s.SignIn(ctx, annEmail, annPass, s.from(home))
			done <- err
		}()
	}
	for range 200 - 65 {
		wantErr(t, <-done, errs.Transient, errs.Overload)
	}
	cancel()
	for range 65 {
		if err := <-done; !errs.Is(err, errs.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestOneNetworkIsOneAddress(t *testing.T) {
	s := setup(t)
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1:1", "192.0.2.1:2", true},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8:1:2::1", "[2001:db8:1:2:ffff::9]:443", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"nonsense", "nonsense", true},
		{"nonsense", "", false},
	} {
		s.db.failures = map[string][]time.Time{}
		s.guessUntilRefused(annEmail, c.a)
		if got := errs.Has(s.guess(annEmail, c.b), errs.TooManyGuesses); got != c.same {
			t.Errorf("%q and %q are one: %v", c.a, c.b, got)
		}
	}
}

func TestAllSpellingsOfAnAddressAreOneAccount(t *testing.T) {
	s := setup(t)
	for i := range 10 {
		_ = s.guess([]string{"ann@example.org", "ANN@example.org", " Ann@EXAMPLE.org"}[i%3], home)
	}
	wantErr(t, s.guess(annEmail, home), errs.Transient, errs.TooManyGuesses)
}

// H63: who is here shows neither in the answer nor in the work.
func TestAnUnknownAccountCostsTheSameWorkAndAnswer(t *testing.T) {
	s := setup(t)
	s.db.accounts[50] = auth.Account{User: 50, Email: "nopass@example.org", Active: true}
	s.db.accounts[51] = auth.Account{User: 51, Email: "broken@example.org", Active: true, Password: "$argon2id$v=19$m=64,t=0,p=0$$"}
	s.db.accounts[52] = auth.Account{User: 52, Email: "banned@example.org", Active: true, Banned: true, Password: annHash()}
	s.db.accounts[53] = auth.Account{User: 53, Email: "new@example.org", Password: annHash()}
	for i, email := range []string{annEmail, "nobody@example.org", "nopass@example.org", "broken@example.org", "banned@example.org", "new@example.org"} {
		addr := fmt.Sprintf("192.0.2.%d", i+100)
		before := s.runs()
		err := s.guess(email, addr)
		wantErr(t, err, errs.Unauthenticated, errs.BadLogin)
		var e *errs.Error
		if errors.As(err, &e) && (e.Note != "" || e.Detail != nil) {
			t.Errorf("%s: the answer says %q", email, e.Note)
		}
		if n := s.runs() - before; n != 1 {
			t.Errorf("%s: argon2 ran %d times", email, n)
		}
		if n := s.guessUntilRefused(email, addr); n != 9 {
			t.Errorf("%s: %d more guesses", email, n)
		}
	}
}

func TestAClosedAccountShowsOnlyToItsOwner(t *testing.T) {
	s := setup(t)
	s.db.change(ann, func(a *auth.Account) { a.Banned = true })
	wantErr(t, s.guess(annEmail, home), errs.Unauthenticated, errs.BadLogin)
	_, _, err := s.SignIn(t.Context(), annEmail, annPass, s.from(home))
	wantErr(t, err, errs.Forbidden, errs.UserBanned)
	s.db.change(ann, func(a *auth.Account) { a.Banned, a.Active = false, false })
	_, _, err = s.SignIn(t.Context(), annEmail, annPass, s.from(home))
	wantErr(t, err, errs.Forbidden, errs.UserInactive)
}

// H62: what cannot be a password is not hashed.
func TestWhatCannotBeAPasswordIsNotHashed(t *testing.T) {
	s := setup(t)
	long := make([]byte, 10<<20)
	for _, pw := range []core.Secret{"", "abc", core.Secret(long), core.Secret(long[:129])} {
		_, _, err := s.SignIn(t.Context(), annEmail, pw, s.from(home))
		wantErr(t, err, errs.Invalid, errs.BadParam)
	}
	_, _, err := s.SignIn(t.Context(), string(long), annPass, s.from(home))
	wantErr(t, err, errs.Invalid, errs.BadParam)
	if s.runs() != 0 {
		t.Errorf("argon2 ran %d times", s.runs())
	}
}

func TestExists(t *testing.T) {
	s := setup(t)
	for email, want := range map[string]bool{annEmail: true, " ANN@example.org": true, "bob@example.org": false, string(make([]byte, 1000)): false} { //nolint:gocritic // the space is the point
		if got, err := s.Exists(t.Context(), email); got != want || err != nil {
			t.Errorf("%.20q: %v, %v", email, got, err)
		}
	}
}
