package auth_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestARefreshTokenUsedAgainEndsItsFamily(t *testing.T) {
	s := setup(t)
	first := s.signedIn()
	second := s.refreshed(first)
	s.pass(time.Minute + time.Microsecond)
	wantBadToken(t, s.refresh(first))
	wantBadToken(t, s.refresh(second))
	wantBadToken(t, s.verify(second))
	if !s.db.family(t).Revoked {
		t.Error("the family lives")
	}
}

func TestATokenTwoStepsOldEndsItsFamilyEvenWithinTheGrace(t *testing.T) {
	s := setup(t)
	first := s.signedIn()
	third := s.refreshed(s.refreshed(first))
	wantBadToken(t, s.refresh(first))
	wantBadToken(t, s.refresh(third))
}

func TestReuseEndsTheFamilyThoughTheThiefHangsUp(t *testing.T) {
	s := setup(t)
	first := s.signedIn()
	s.refreshed(first)
	s.pass(2 * time.Minute)
	// The store answers canceled contexts with an error, except that this one
	// ends only after the rows were read.
	ctx, hangUp := context.WithCancel(t.Context())
	reads := 0
	s.db.inFamily = func() { reads++ }
	s.db.afterAccount = hangUp
	_, err := s.Refresh(ctx, first.Refresh.Reveal())
	wantBadToken(t, err)
	if reads == 0 || ctx.Err() == nil || !s.db.family(t).Revoked {
		t.Error("the family lives")
	}
}

func TestALostAnswerGivesTheSamePairWithinTheGrace(t *testing.T) {
	s := setup(t)
	first := s.signedIn()
	second := s.refreshed(first)
	if second == first {
		t.Fatal("not rotated")
	}
	for _, wait := range []time.Duration{0, time.Second, 59 * time.Second} {
		s.pass(wait)
		if again := s.refreshed(first); again != second {
			t.Errorf("another pair after %v", wait)
		}
		s.restart()
	}
	if err := s.verify(second); err != nil {
		t.Error(err)
	}
	s.refreshed(second)
}

func TestWindowsThatRefreshAtOnceGetOnePair(t *testing.T) {
	s := setup(t)
	first := s.signedIn()
	const windows = 32
	var together sync.WaitGroup // all have read the row before any rotates it
	together.Add(windows)
	s.db.beforeRotate = func() {
		together.Done()
		together.Wait()
	}
	var wg sync.WaitGroup
	pairs := make([]auth.Pair, windows)
	for i := range windows {
		other, _ := s.process()
		wg.Go(func() {
			s.pass(time.Millisecond) // no two see the same time
			p, err := other.Refresh(t.Context(), first.Refresh.Reveal())
			if err != nil {
				t.Error(err)
			}
			pairs[i] = p
		})
	}
	wg.Wait()
	s.db.beforeRotate = nil
	for i, p := range pairs {
		if p != pairs[0] {
			t.Fatalf("window %d has another pair", i)
		}
	}
	if n := s.db.family(t).Serial; n != 2 {
		t.Errorf("rotated %d times", n-1)
	}
	if err := s.verify(pairs[0]); err != nil {
		t.Error(err)
	}
	s.refreshed(pairs[0])
}

func TestARefreshThatLosesToASignOutIsRefused(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	s.db.beforeRotate = func() {
		if err := s.SignOut(t.Context(), p.Refresh.Reveal()); err != nil {
			t.Error(err)
		}
	}
	wantBadToken(t, s.refresh(p))
}

func TestAStoreThatAlwaysLosesIsNoEndlessLoop(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	lost := error(errs.New(errs.Conflict, errs.Changed))
	n := 0
	s.db.rotateFails = func() error { n++; return lost }
	wantErr(t, s.refresh(p), errs.Transient, errs.Overload)
	if n > 3 {
		t.Errorf("tried %d times", n)
	}
	down := errs.New(errs.Transient, errs.StoreFailed)
	s.db.rotateFails = func() error { return down }
	wantErr(t, s.refresh(p), errs.Transient, errs.StoreFailed)
	s.db.rotateFails = nil
	s.refreshed(p)
}

func TestARowThatTheTokenDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*auth.Family){
		"another user":  func(f *auth.Family) { f.User = 43 },
		"another epoch": func(f *auth.Family) { f.Epoch = 4 },
		"older serial":  func(f *auth.Family) { f.Serial = 0 }, // a database brought back from a backup
		"expired row":   func(f *auth.Family) { f.Expires = f.Created },
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t)
			s.db.accounts[43] = auth.Account{User: 43, Active: true, Epoch: 3}
			p := s.signedIn()
			f := s.db.family(t)
			change(&f)
			s.db.families[f.ID] = f
			wantBadToken(t, s.refresh(p))
			if name == "another user" || name == "another epoch" {
				wantBadToken(t, s.verify(p))
			}
		})
	}
	t.Run("no row", func(t *testing.T) {
		s := setup(t)
		p := s.signedIn()
		clear(s.db.families)
		wantBadToken(t, s.refresh(p))
		wantBadToken(t, s.verify(p))
	})
}

// Whatever a client does with the tokens it has, at any time: the newest and,
// within the grace, the one before give a pair of the newest serial; every
// other one ends the device for good.
func TestRefreshFollowsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newSite(t)
		had := []auth.Pair{s.signedIn()}
		var rotated time.Time
		dead := false
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			s.pass(time.Duration(rapid.Int64Range(0, 90).Draw(rt, "wait")) * time.Second)
			if rapid.Bool().Draw(rt, "restart") {
				s.restart()
			}
			i := max(len(had)-1-rapid.IntRange(0, 2).Draw(rt, "back"), 0)
			p, err := s.Refresh(context.Background(), had[i].Refresh.Reveal())
			newest := len(had) - 1
			switch {
			case dead:
			case i == newest:
				if err != nil {
					rt.Fatalf("newest: %v", err)
				}
				had, rotated = append(had, p), s.clock()
				continue
			case i == newest-1 && s.clock().Sub(rotated) <= time.Minute:
				if err != nil || p != had[newest] {
					rt.Fatalf("grace: %v", err)
				}
				continue
			default:
				dead = true
			}
			if !errs.Has(err, errs.BadToken) {
				rt.Fatalf("got %v, want bad_token", err)
			}
			if s.verify(had[newest]) == nil {
				rt.Fatal("access token of a dead device")
			}
		}
	})
}
