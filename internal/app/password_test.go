package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
)

// TestAnOldHashStillSignsInAndIsRenewed: parameters are in the hash, so what was
// made with others counts, once. Nobody is signed out by it.
func TestAnOldHashStillSignsInAndIsRenewed(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, Config{AdminEmail: testEmail, AdminPassword: testPassword})
	old, err := argon2id.CreateHash(testPassword, &argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	account := func() catalog.User {
		u, err := a.store.Catalog().UserByEmail(t.Context(), testEmail)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := account()
	u.Password = core.Secret(old)
	if err := a.store.Catalog().UpdateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	first, code := signIn(t, a, testEmail)
	if first == "" {
		t.Fatalf("the old hash does not sign in: code %v", code)
	}
	renewed := account()
	if !strings.HasPrefix(renewed.Password.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") || renewed.Epoch != u.Epoch {
		t.Errorf("epoch %d, was %d; %.40s", renewed.Epoch, u.Epoch, renewed.Password.Reveal())
	}
	if token, code := signIn(t, a, testEmail); token == "" {
		t.Errorf("the new hash does not sign in: code %v", code)
	}
	if account().Password != renewed.Password {
		t.Error("a hash of today was renewed")
	}
	if _, r, _ := ask(t, "GET", a.URL()+"/api/v4/user/me", first, ""); r["code"] != 0.0 {
		t.Errorf("the first sign-in ended: %v", r)
	}
	// Another password came in between: the renewal of the old one is nothing.
	if err := a.catalog.RenewPassword(t.Context(), u.ID, core.Secret(old), "other"); err != nil || account().Password != renewed.Password {
		t.Errorf("a hash was renewed that is not there any more (%v)", err)
	}
}

// TestWhoLostThePhoneIsLetInByTheOperator: a new password keeps the second factor,
// unless the operator says otherwise.
func TestWhoLostThePhoneIsLetInByTheOperator(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, Config{AdminEmail: testEmail, AdminPassword: testPassword})
	u, err := a.store.Catalog().UserByEmail(t.Context(), testEmail)
	if err != nil {
		t.Fatal(err)
	}
	f := account.Factor{User: u.ID, Sealed: []byte("sealed"), Made: time.Unix(1, 0), Since: time.Unix(2, 0)}
	kept := accounts.New(a.store)
	if err := errors.Join(kept.OfferFactor(t.Context(), f), kept.ConfirmFactor(t.Context(), f, nil)); err != nil {
		t.Fatal(err)
	}
	if err := a.SetPassword(t.Context(), testEmail, testPassword, false); err != nil {
		t.Fatal(err)
	}
	if _, code := signIn(t, a, testEmail); code != 203.0 {
		t.Errorf("code %v, want 203", code)
	}
	if err := a.SetPassword(t.Context(), testEmail, testPassword, true); err != nil {
		t.Fatal(err)
	}
	if token, code := signIn(t, a, testEmail); token == "" {
		t.Errorf("code %v", code)
	}
}
