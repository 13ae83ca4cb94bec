package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var b64 = base64.RawURLEncoding

// payload is the middle of a token.
func payload(t testing.TB, token core.Secret) string {
	t.Helper()
	b, err := b64.DecodeString(strings.Split(token.Reveal(), ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sealed signs any header and payload with the key of the site: what a thief of
// the key, or a defect of ours, could make.
func (s *site) sealed(header, payload string) string {
	text := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(payload))
	h := hmac.New(sha256.New, s.keys.Token[:])
	h.Write([]byte(text))
	return text + "." + b64.EncodeToString(h.Sum(nil))
}

const ours = `{"alg":"HS256","typ":"JWT"}`

func TestClaimsAreThoseOfTheContract(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	sub := core.NewIDs(s.keys.IDs).Encode(core.TagUser, int64(ann))
	for kind, token := range map[string]core.Secret{"access": p.Access, "refresh": p.Refresh} {
		var c map[string]any
		if err := json.Unmarshal([]byte(payload(t, token)), &c); err != nil {
			t.Fatal(err)
		}
		if c["token_type"] != kind || c["sub"] != sub || c["root_token_id"] != s.db.family(t).ID {
			t.Errorf("%s: %v", kind, c)
		}
		for _, name := range []string{"exp", "nbf", "iat", "jti", "iss", "epoch", "serial"} {
			if c[name] == nil {
				t.Errorf("%s has no %s", kind, name)
			}
		}
		if (c["state_hash"] != nil) != (kind == "refresh") {
			t.Errorf("%s: state_hash %v", kind, c["state_hash"])
		}
		if head := strings.Split(token.Reveal(), ".")[0]; head != b64.EncodeToString([]byte(ours)) {
			t.Errorf("%s: header %s", kind, head)
		}
	}
}

// H59: nothing but a token that we minted, in the bytes in which we minted it.
func TestHostileTokensAreRefused(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	good := p.Access.Reveal()
	body := payload(t, p.Access)
	if s.sealed(ours, body) != good {
		t.Fatal("the test does not sign as we do")
	}
	edit := func(f func(jwt.MapClaims)) jwt.MapClaims {
		var c jwt.MapClaims
		if err := json.Unmarshal([]byte(body), &c); err != nil {
			t.Fatal(err)
		}
		for _, k := range []string{"exp", "nbf", "iat", "epoch", "serial"} {
			c[k] = int64(c[k].(float64))
		}
		f(c)
		return c
	}
	with := func(m jwt.SigningMethod, key any) string {
		token, err := jwt.NewWithClaims(m, edit(func(jwt.MapClaims) {})).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	replaced := func(old, text string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("%s has no %s", body, old)
		}
		return s.sealed(ours, strings.Replace(body, old, text, 1))
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := s.clock()
	at := func(name string, to time.Time) string {
		c := edit(func(jwt.MapClaims) {})
		return replaced(fmt.Sprintf(`"%s":%d`, name, c[name]), fmt.Sprintf(`"%s":%d`, name, to.Unix()))
	}
	exp := fmt.Sprintf(`"exp":%d,`, edit(func(jwt.MapClaims) {})["exp"])
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"empty": "", "dots": "..", "four parts": good + ".x", "no signature": parts[0] + "." + parts[1] + ".",
		"alg none":           with(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"alg none, our seal": s.sealed(`{"alg":"none","typ":"JWT"}`, body),
		"RS256":              with(jwt.SigningMethodRS256, rsaKey),
		"RS256, our seal":    s.sealed(`{"alg":"RS256","typ":"JWT"}`, body),
		"HS384, our key":     with(jwt.SigningMethodHS384, s.keys.Token[:]),
		"HS512, our key":     with(jwt.SigningMethodHS512, s.keys.Token[:]),
		"HS256, other key":   with(jwt.SigningMethodHS256, make([]byte, 32)),
		"HS256, empty key":   with(jwt.SigningMethodHS256, []byte{}),
		"kid":                s.sealed(`{"alg":"HS256","kid":"../../dev/null","typ":"JWT"}`, body),
		"jku":                s.sealed(`{"alg":"HS256","jku":"https://example.org/k","typ":"JWT"}`, body),
		"x5u":                s.sealed(`{"alg":"HS256","typ":"JWT","x5u":"https://example.org/k"}`, body),
		"crit":               s.sealed(`{"alg":"HS256","crit":["b64"],"b64":false,"typ":"JWT"}`, body),
		"header twice":       s.sealed(`{"alg":"none","alg":"HS256","typ":"JWT"}`, body),
		"other typ":          s.sealed(`{"alg":"HS256","typ":"at+jwt"}`, body),
		"no exp":             replaced(exp, ""),
		"exp null":           replaced(exp, `"exp":null,`),
		"exp 0":              replaced(exp, `"exp":0,`),
		"exp as text":        replaced(exp, `"exp":"9999999999",`),
		"exp beyond int64":   replaced(exp, `"exp":1e30,`),
		"exp in 2100":        at("exp", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)),
		"nbf in the future":  at("nbf", now.Add(time.Minute)),
		"no nbf":             replaced(`"nbf"`, `"nbx"`),
		"iat in the future":  at("iat", now.Add(2*time.Hour)),
		"other issuer":       replaced(`"iss":"wharfinger"`, `"iss":"elsewhere"`),
		"audience":           replaced(`"iss":`, `"aud":"others","iss":`),
		"other subject":      replaced(`"sub":"`+edit(func(jwt.MapClaims) {})["sub"].(string), `"sub":"`+core.NewIDs(s.keys.IDs).Encode(core.TagUser, 43)),
		"other family":       s.sealed(ours, strings.ReplaceAll(body, s.db.family(t).ID, core.NewUUID())),
		"other jti":          replaced(`"jti":"`, `"jti":"x`),
		"newer epoch":        replaced(`"epoch":3`, `"epoch":4`),
		"no kind":            replaced(`"token_type":"access"`, `"token_type":""`),
		"claim twice":        replaced(`"epoch":3`, `"epoch":2,"epoch":3`),
		"claim in capitals":  replaced(`"sub"`, `"SUB"`),
		"unknown claim":      replaced(`"epoch":3`, `"epoch":3,"admin":true`),
		"spaces":             replaced(`"epoch":3`, `"epoch": 3`),
		"payload is a list":  s.sealed(ours, `[]`),
		"payload is null":    s.sealed(ours, `null`),
		"one megabyte":       replaced(`"epoch":3`, `"epoch":3,"x":"`+strings.Repeat("x", 1<<20)+`"`),
		"dots by the MB":     strings.Repeat(".", 1<<20),
		"padded":             good + "=",
		"trailing bits":      good[:len(good)-1] + string(nextLetter(good[len(good)-1])),
		"line break":         good[:50] + "\n" + good[50:],
		"Bearer":             "Bearer " + good,
	} {
		if token == good {
			t.Errorf("%s is the good token", name)
		}
		if _, err := s.Verify(t.Context(), token); !errs.Is(err, errs.Unauthenticated) || !errs.Has(err, errs.BadToken) {
			t.Errorf("%s: %v, want bad_token", name, err)
		}
		if _, err := s.Refresh(t.Context(), token); !errs.Has(err, errs.BadToken) {
			t.Errorf("%s as refresh token: %v, want bad_token", name, err)
		}
	}
	if err := s.verify(p); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// nextLetter differs from c in base64 by bits that the last letter of 32 bytes
// does not use.
func nextLetter(c byte) byte {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return letters[strings.IndexByte(letters, c)+1]
}

func TestATokenIsOfOneKind(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	_, err := s.Verify(t.Context(), p.Refresh.Reveal())
	wantErr(t, err, errs.Unauthenticated, errs.WrongToken)
	_, err = s.Refresh(t.Context(), p.Access.Reveal())
	wantBadToken(t, err)
}

func TestAnotherSitesTokenIsRefused(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	s.keys = auth.DeriveKeys([32]byte{9})
	s.restart()
	wantBadToken(t, s.verify(p))
	wantBadToken(t, s.refresh(p))
}

func TestATokenIsShort(t *testing.T) {
	s := setup(t)
	p := s.signedIn()
	if n := len(p.Refresh.Reveal()); n > 1<<10 {
		t.Errorf("%d bytes", n)
	}
}

func FuzzParse(f *testing.F) {
	s := newSite(nil)
	p, _, err := s.SignIn(context.Background(), annEmail, annPass, auth.SignIn{})
	if err != nil {
		f.Fatal(err)
	}
	valid := map[string]bool{p.Access.Reveal(): true, p.Refresh.Reveal(): true}
	for token := range maps.Keys(valid) {
		f.Add(token)
		f.Add(token[:len(token)-1])
	}
	f.Add(s.sealed(ours, `{}`))
	f.Fuzz(func(t *testing.T, text string) {
		for _, token := range []string{text, s.sealed(ours, text), s.sealed(text, payload(t, p.Access))} {
			if valid[token] {
				continue
			}
			if _, err := s.Verify(context.Background(), token); !errs.Is(err, errs.Unauthenticated) {
				t.Errorf("%q: %v", token, err)
			}
		}
	})
}
