package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestTheDeviceThatAnAccountKeepsLivesOnAndAllOthersDie(t *testing.T) {
	s := setup(t)
	here := s.signedIn()
	kept := s.db.family(t)
	gone := s.signedIn()
	other, _ := s.process()
	elsewhere := func(p auth.Pair) error {
		_, err := other.Verify(t.Context(), p.Access.Reveal())
		return err
	}
	for _, p := range []auth.Pair{here, gone} {
		if err := errors.Join(s.verify(p), elsewhere(p)); err != nil {
			t.Fatal(err)
		}
	}
	// What internal/store/accounts does in one transaction.
	s.db.change(ann, func(a *auth.Account) { a.Epoch++ })
	s.db.mu.Lock()
	kept.Epoch++
	s.db.families[kept.ID] = kept
	s.db.mu.Unlock()
	s.Kept(ann, kept.ID)

	if err := s.verify(here); err != nil {
		t.Errorf("the device that is kept: %v", err)
	}
	wantBadToken(t, s.verify(gone))
	s.pass(time.Second)
	if err := elsewhere(here); err != nil {
		t.Errorf("the device that is kept, in another process: %v", err)
	}
	wantBadToken(t, elsewhere(gone))
	wantBadToken(t, s.refresh(gone))
	next := s.refreshed(here)
	if err := errors.Join(s.verify(next), s.verify(here)); err != nil {
		t.Errorf("after a refresh: %v", err)
	}
	s.restart()
	if err := s.verify(next); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestAnotherProcessThatRemembersTheDeviceAsItWasAsksAgain(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	kept := s.db.family(t)
	if err := s.verify(p); err != nil { // remembers the device, of epoch 3
		t.Fatal(err)
	}
	s.db.change(ann, func(a *auth.Account) { a.Epoch++ })
	s.db.mu.Lock()
	kept.Epoch++
	s.db.families[kept.ID] = kept
	s.db.mu.Unlock()
	s.AccountChanged(ann) // but not the device
	if err := s.verify(p); err != nil {
		t.Error(err)
	}
}

func TestASignInThatRacesWithAChangeOfPasswordIsOfTheOldEpoch(t *testing.T) {
	s := setup(t)
	acc, err := s.Prove(t.Context(), annEmail, annPass, home)
	if err != nil {
		t.Fatal(err)
	}
	s.db.change(ann, func(a *auth.Account) { a.Epoch++ })
	p, err := s.Issue(t.Context(), acc, auth.SignIn{})
	if err != nil {
		t.Fatal(err)
	}
	wantBadToken(t, s.verify(p))
	wantBadToken(t, s.refresh(p))
}

func TestOnlyTheUserEndsADevice(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	id := s.db.family(t).ID
	wantErr(t, s.End(t.Context(), ann+1, id), errs.NotFound, errs.SessionMismatch)
	wantErr(t, s.End(t.Context(), ann, "nothing"), errs.NotFound, errs.SessionMismatch)
	if err := errors.Join(s.verify(p), s.End(t.Context(), ann, id)); err != nil {
		t.Fatal(err)
	}
	wantBadToken(t, s.verify(p))
	wantBadToken(t, s.refresh(p))
}

func TestAPasswordIsProvedAgainWithinTheBoundOfSignIns(t *testing.T) {
	s := setup(t)
	if acc, err := s.ProveAgain(t.Context(), ann, annPass, home); err != nil || acc.User != ann {
		t.Fatal(acc, err)
	}
	for range 10 {
		_, err := s.ProveAgain(t.Context(), ann, "wrong horse", home)
		wantErr(t, err, errs.Unauthenticated, errs.BadLogin)
	}
	_, err := s.ProveAgain(t.Context(), ann, annPass, home)
	wantErr(t, err, errs.Transient, errs.TooManyGuesses)
	_, _, err = s.SignIn(t.Context(), annEmail, annPass, s.from(home))
	wantErr(t, err, errs.Transient, errs.TooManyGuesses)
}

func TestCodesAreBoundedWhereverTheyComeFrom(t *testing.T) {
	s := setup(t)
	tries := 0
	guess := func(addr string, right bool) error {
		_, err := s.Guess(t.Context(), auth.Guess{What: "factor", User: ann, Addr: addr}, func(context.Context) (bool, error) {
			tries++
			return right, nil
		})
		return err
	}
	for i := range 10 {
		if err := guess(fmt.Sprintf("192.0.2.%d", i), false); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, guess("198.51.100.1", true), errs.Transient, errs.TooManyGuesses)
	s.restart()
	wantErr(t, guess("198.51.100.1", true), errs.Transient, errs.TooManyGuesses)
	if tries != 10 {
		t.Errorf("%d tries ran", tries)
	}
	s.pass(15*time.Minute + time.Microsecond)
	if err := guess("198.51.100.1", true); err != nil {
		t.Error(err)
	}
	if s.OpenTurns() != 0 {
		t.Error("turns are left")
	}
}

func TestAVaultOpensWhatWasSealedForThisAndNothingElse(t *testing.T) {
	t.Parallel()
	v := auth.NewVault(auth.DeriveKeys([32]byte{1}))
	sealed := v.Seal("factor:1", []byte("secret"))
	if plain, err := v.Open("factor:1", sealed); err != nil || string(plain) != "secret" {
		t.Fatalf("%q, %v", plain, err)
	}
	if strings.Contains(string(sealed), "secret") || string(sealed) == string(v.Seal("factor:1", []byte("secret"))) {
		t.Error("the text shows")
	}
	other := auth.NewVault(auth.DeriveKeys([32]byte{2}))
	for name, open := range map[string]func() ([]byte, error){
		"of another":      func() ([]byte, error) { return v.Open("factor:2", sealed) },
		"of another site": func() ([]byte, error) { return other.Open("factor:1", sealed) },
		"cut":             func() ([]byte, error) { return v.Open("factor:1", sealed[:len(sealed)-1]) },
		"empty":           func() ([]byte, error) { return v.Open("factor:1", nil) },
	} {
		if _, err := open(); !errs.Has(err, errs.CipherFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", v, v, v); text != "••• ••• •••" {
		t.Error(text)
	}
}
