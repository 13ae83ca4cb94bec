package auth_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var download = auth.Message{Method: "GET", Path: "content/abc/inline/a%20b.txt"}

func TestASignedAddressHoldsUntilItsTime(t *testing.T) {
	t.Parallel()
	s := auth.NewSigner(auth.DeriveKeys([32]byte{1}))
	until := time.Unix(1_800_000_000, 999)
	sig := s.Sign(download, until)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}:1800000000$`).MatchString(sig) {
		t.Errorf("%q", sig)
	}
	if err := s.Check(download, sig, until.Add(-time.Second)); err != nil {
		t.Error(err)
	}
	wantErr(t, s.Check(download, sig, until), errs.Forbidden, errs.SignExpired)
	wantErr(t, auth.NewSigner(auth.DeriveKeys([32]byte{2})).Check(download, sig, until), errs.Forbidden, errs.SignBad)
	for _, m := range []auth.Message{
		{},
		{Method: "PUT", Path: download.Path},
		{Method: "GET", Path: download.Path + "x"},
		{Method: "GETc", Path: download.Path[1:]},
		{Method: "", Path: "GET" + download.Path},
		{Method: download.Path, Path: "GET"},
	} {
		wantErr(t, s.Check(m, sig, time.Unix(0, 0)), errs.Forbidden, errs.SignBad)
	}
}

func TestHostileSignaturesAreRefused(t *testing.T) {
	t.Parallel()
	s := auth.NewSigner(auth.DeriveKeys([32]byte{1}))
	now := time.Unix(1_700_000_000, 0)
	sig := s.Sign(download, time.Unix(1_800_000_000, 0))
	mac, _, _ := strings.Cut(sig, ":")
	for _, bad := range []string{
		"", ":", mac, mac + ":", ":1800000000", mac + ":1800000001", mac + ":18000000000", mac + ":01800000000",
		mac + ":+1800000000", mac + ":-1800000000", mac + ":0x6b49d200", mac + ":1800000000 ", mac + ":0", " " + sig, sig + ":1",
		mac + ":99999999999999999999", mac + "=:1800000000", mac[:42] + ":1800000000", mac[:42] + string(nextLetter(mac[42])) + ":1800000000",
		strings.Repeat("A", 43) + ":1800000000", mac[:10] + "\n" + mac[10:] + ":1800000000", strings.Repeat("A", 1<<20),
		s.Sign(download, time.Unix(0, 0)), s.Sign(download, time.Unix(-1, 0)), // signed, and never in force
	} {
		wantErr(t, s.Check(download, bad, now), errs.Forbidden, errs.SignBad)
	}
	if err := s.Check(download, sig, now); err != nil {
		t.Error(err)
	}
}

func FuzzSignature(f *testing.F) {
	s := auth.NewSigner(auth.DeriveKeys([32]byte{1}))
	good := s.Sign(download, time.Unix(1_800_000_000, 0))
	f.Add(good)
	f.Add(good[:43] + ":1")
	f.Fuzz(func(t *testing.T, sig string) {
		mac, until, ok := auth.ParseSignature(sig)
		if ok && fmt.Sprintf("%s:%d", b64.EncodeToString(mac), until) != sig {
			t.Errorf("%q has another spelling", sig)
		}
		if err := s.Check(download, sig, time.Unix(0, 0)); (err == nil) != (sig == good) {
			t.Errorf("%q: %v", sig, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("GET", "a", int64(1), "GETa", "", int64(1))
	f.Add("", "", int64(1), "\x00", "", int64(0))
	f.Fuzz(func(t *testing.T, m1, p1 string, u1 int64, m2, p2 string, u2 int64) {
		a, b := auth.Message{Method: m1, Path: p1}, auth.Message{Method: m2, Path: p2}
		if same := string(a.Bytes(u1)) == string(b.Bytes(u2)); same != (a == b && u1 == u2) {
			t.Errorf("%+v %d and %+v %d: one string: %v", a, u1, b, u2, same)
		}
	})
}

func TestTheSetupTokenIsOneOfItsStart(t *testing.T) {
	t.Parallel()
	a, text := auth.NewSetupToken()
	_, later := auth.NewSetupToken()
	if len(text.Reveal()) != 43 || text == later {
		t.Errorf("%q, %q", text.Reveal(), later.Reveal())
	}
	for wrong, want := range map[core.Secret]bool{text: true, later: false, "": false, text + "A": false, text[:42]: false} {
		if a.Holds(wrong) != want {
			t.Errorf("%q: %v", wrong.Reveal(), !want)
		}
	}
	if !a.Holds(text) {
		t.Error("looking at it spent it")
	}
	a.Spend()
	if a.Holds(text) {
		t.Error("spent, and still holds")
	}
}

func TestKeysDifferByUseAndSiteAndStayTheSame(t *testing.T) {
	t.Parallel()
	k, other := auth.DeriveKeys([32]byte{1}), auth.DeriveKeys([32]byte{2})
	if k != auth.DeriveKeys([32]byte{1}) {
		t.Error("not the same again")
	}
	seen := map[auth.Key]bool{{}: true, {1}: true}
	for _, key := range []auth.Key{k.Token, k.State, k.URL, k.IDs, k.Link, other.Token, other.State, other.URL, other.IDs, other.Link} {
		if seen[key] {
			t.Error("one key for two uses")
		}
		seen[key] = true
	}
	// Computed apart with another implementation of RFC 5869: changed derivation
	// would end all tokens, addresses and public ids of every site.
	if got := fmt.Sprintf("%x", [32]byte(k.IDs)); got != idKeyOfSiteOne {
		t.Errorf("public ids change: %s", got)
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	t.Parallel()
	k := auth.DeriveKeys([32]byte{1})
	o := auth.Options{Keys: k, Store: &memory{}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%b"} {
		for _, v := range []any{k, &k, k.URL, &k.URL, auth.NewSigner(k), auth.New(o), o} {
			text := fmt.Sprintf(verb, v)
			for _, form := range []string{"%x", "%d", "%X", "%#v"} {
				secret := strings.Trim(fmt.Sprintf(form, k.URL[:4]), "[]")
				if strings.Contains(text, secret) {
					t.Errorf("%s of %T: %s", verb, v, text)
				}
			}
		}
	}
	text, err := json.Marshal(k)
	if err != nil || strings.Count(string(text), "•••") != 6 {
		t.Errorf("%s %v", text, err)
	}
}

const idKeyOfSiteOne = "cb3c3507d8f6f4122361aca02dc58eced80c5fe04778cecc14fe546ee6c5dbd3"
