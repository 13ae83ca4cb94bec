package account_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/rig/passkey"
)

const origin = "https://files.example.test:8443"

func (s *site) offered(who core.Actor) json.RawMessage {
	s.t.Helper()
	o, err := s.OfferPasskey(s.t.Context(), who, account.Shown{Origin: origin, Email: s.user.Email, Nick: "Ann"})
	s.must(err)
	return o
}

func (s *site) asked() account.Ask {
	s.t.Helper()
	a, err := s.AskPasskey(origin)
	s.must(err)
	return a
}

func (s *site) add(who core.Actor, response []byte) (account.Passkey, error) {
	return s.AddPasskey(s.t.Context(), who, account.Answer{Origin: origin, Response: response}, "phone")
}

func (s *site) enter(a account.Ask, response []byte) (account.Entry, error) {
	return s.PasskeySignIn(s.t.Context(), account.Answer{Origin: origin, ID: a.ID, Response: response}, meta("192.0.2.1"))
}

// withPasskey registers a passkey.
func (s *site) withPasskey(who core.Actor) (*passkey.Authenticator, account.Passkey) {
	s.t.Helper()
	key := passkey.New(origin)
	p, err := s.add(who, key.Create(s.offered(who)))
	s.must(err)
	return key, p
}

func TestAPasskeySignsInInsteadOfPasswordAndCode(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	s.withFactor(who)
	key, p := s.withPasskey(who)
	if has, err := s.HasPasskey(t.Context(), strings.ToUpper(s.user.Email)); !has || err != nil {
		t.Error(has, err)
	}
	s.restart()
	a := s.asked()
	response := key.Get(a.Options)
	e, err := s.enter(a, response)
	s.must(err)
	if !s.alive(e.Pair) || e.Account.User != who.User || e.Ticket != "" {
		t.Errorf("%+v", e)
	}
	_, err = s.enter(a, response)
	want(t, err, errs.PasskeyRefused) // once
	list, err := s.PasskeysOf(t.Context(), who.User)
	s.must(err)
	if len(list) != 1 || list[0].ID != p.ID || list[0].Name != "phone" || list[0].Used.IsZero() || strings.Contains(string(list[0].Sealed), "publicKey") {
		t.Errorf("%+v", list)
	}
	s.must(s.DropPasskey(t.Context(), who, p.ID))
	a = s.asked()
	_, err = s.enter(a, key.Get(a.Options))
	want(t, err, errs.PasskeyRefused)
}

func TestAPasskeyThatDoesNotHoldIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*site, *passkey.Authenticator, *account.Ask){
		"another origin":  func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.Origin = "https://evil.example.test" },
		"another port":    func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.Origin = "https://files.example.test" },
		"another party":   func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.RPID = "evil.example.test" },
		"nobody holds it": func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.Unverified = true },
		"a copy":          func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.Counter = 0 },
		"another user": func(s *site, k *passkey.Authenticator, _ *account.Ask) {
			k.Handle = []byte(s.IDs.Encode(core.TagUser, 1))
		},
		"no user":                 func(_ *site, k *passkey.Authenticator, _ *account.Ask) { k.Handle = []byte("x") },
		"too late":                func(s *site, _ *passkey.Authenticator, _ *account.Ask) { s.pass(5 * time.Minute) },
		"the id of another asked": func(s *site, _ *passkey.Authenticator, a *account.Ask) { a.ID = s.asked().ID },
		"an asked of ours for another thing": func(s *site, _ *passkey.Authenticator, a *account.Ask) {
			who, _ := s.signedIn()
			a.Options = s.offered(who)
			var o struct{ PublicKey struct{ Challenge string } }
			s.must(json.Unmarshal(a.Options, &o))
			a.ID = o.PublicKey.Challenge
		},
		"a challenge that nobody made": func(_ *site, _ *passkey.Authenticator, a *account.Ask) {
			a.ID = strings.Repeat("A", 48)
			a.Options = json.RawMessage(`{"publicKey":{"challenge":"` + a.ID + `"}}`)
		},
		"another key of the site": func(s *site, _ *passkey.Authenticator, _ *account.Ask) {
			s.keys = auth.DeriveKeys([32]byte{9})
			s.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t)
			who, _ := s.signedIn()
			key, _ := s.withPasskey(who)
			a := s.asked()
			_, err := s.enter(a, key.Get(a.Options)) // its counter moves on
			s.must(err)
			a = s.asked()
			change(s, key, &a)
			_, err = s.enter(a, key.Get(a.Options))
			want(t, err, errs.PasskeyRefused)
		})
	}
}

func TestAPasskeyIsRegisteredOnceByWhoAskedForIt(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	key := passkey.New(origin)
	response := key.Create(s.offered(who))
	_, err := s.add(core.Actor{User: who.User + 1}, response)
	want(t, err, errs.PasskeyRefused)
	_, err = s.add(who, response)
	s.must(err)
	_, err = s.add(who, response)
	want(t, err, errs.PasskeyRefused)
	var o struct {
		PublicKey struct{ ExcludeCredentials []any }
	}
	s.must(json.Unmarshal(s.offered(who), &o))
	if len(o.PublicKey.ExcludeCredentials) != 1 {
		t.Error("the passkey would be made again")
	}
	for name, change := range map[string]func(*passkey.Authenticator){
		"another origin": func(k *passkey.Authenticator) { k.Origin = "https://evil.example.test" },
		"another party":  func(k *passkey.Authenticator) { k.RPID = "evil.example.test" },
		"nobody":         func(k *passkey.Authenticator) { k.Unverified = true },
	} {
		key := passkey.New(origin)
		change(key)
		if _, err := s.add(who, key.Create(s.offered(who))); !errs.Has(err, errs.PasskeyRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late := passkey.New(origin).Create(s.offered(who))
	s.pass(5 * time.Minute)
	_, err = s.add(who, late)
	want(t, err, errs.PasskeyRefused)
	for _, text := range []string{"", "{}", "null", `{"id":1}`, strings.Repeat("[", 1000)} {
		_, err = s.add(who, []byte(text))
		want(t, err, errs.PasskeyRefused)
		_, err = s.enter(s.asked(), []byte(text))
		want(t, err, errs.PasskeyRefused)
	}
}

func TestAPasskeyOfABannedUserIsRefused(t *testing.T) {
	s := setup(t)
	who, _ := s.signedIn()
	key, _ := s.withPasskey(who)
	u, err := s.store.Catalog().User(t.Context(), who.User)
	s.must(err)
	u.Status = catalog.Banned
	s.must(s.store.Catalog().UpdateUser(t.Context(), u))
	a := s.asked()
	_, err = s.enter(a, key.Get(a.Options))
	want(t, err, errs.UserBanned)
}

func TestPasskeysWorkWhereBrowsersKnowThem(t *testing.T) {
	s := setup(t)
	for at, works := range map[string]bool{
		"https://files.example.test": true, "https://files.example.test:8443": true, "http://localhost:5212": true, "http://a.localhost": true,
		"http://files.example.test": false, "https://192.0.2.1": false, "https://[::1]:1": false, "http://127.0.0.1:5212": false, "": false, "%": false,
	} {
		_, err := s.AskPasskey(at)
		if account.PasskeysAt(at) != works || works != (err == nil) || err != nil && !errs.Has(err, errs.PasskeyOff) {
			t.Errorf("%q: %v, %v", at, account.PasskeysAt(at), err)
		}
	}
}
