package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// TestARememberedTokenEndsAsAnyOther: by its time, its device, and its account.
func TestARememberedTokenEndsAsAnyOther(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(*site, auth.Pair){
		"time":   func(s *site, _ auth.Pair) { s.pass(time.Hour + time.Second) },
		"device": func(s *site, p auth.Pair) { _ = s.SignOut(s.t.Context(), p.Refresh.Reveal()) },
		"epoch": func(s *site, _ auth.Pair) {
			s.db.change(ann, func(a *auth.Account) { a.Epoch++ })
			s.pass(2 * time.Second)
		},
		"ban": func(s *site, _ auth.Pair) {
			s.db.change(ann, func(a *auth.Account) { a.Banned = true })
			s.pass(2 * time.Second)
		},
	} {
		s := newSite(t)
		p := s.signedIn()
		for range 3 {
			if err := s.verify(p); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		if end(s, p); s.verify(p) == nil {
			t.Errorf("%s: a token is taken after its end", what)
		}
	}
}

func TestVerifyRemembersFewTokensAndNoWrongOnes(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	for i := range 50 {
		wantErr(t, func() error { _, err := s.Verify(t.Context(), p.Access.Reveal()+fmt.Sprint(i)); return err }(), errs.Unauthenticated, errs.BadToken)
	}
	if n := s.KnownTokens(); n != 0 {
		t.Errorf("%d wrong tokens are remembered", n)
	}
	s.BoundKnown(8)
	for range 40 {
		if err := s.verify(s.signedIn()); err != nil {
			t.Fatal(err)
		}
		if n := s.KnownTokens(); n < 1 || n > 8 {
			t.Fatalf("%d tokens are remembered, at most 8", n)
		}
	}
	if err := s.verify(p); err != nil {
		t.Errorf("a token that was forgotten: %v", err)
	}
}
