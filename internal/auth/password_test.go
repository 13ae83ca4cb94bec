package auth_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestAPasswordIsKeptAsArgon2idOfOWASPsStrength(t *testing.T) {
	t.Parallel()
	const pw core.Secret = "пароль от порта"
	h, err := auth.Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(h.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("%s", h.Reveal())
	}
	if auth.NeedsRehash(h) {
		t.Error("a new hash is stale")
	}
	if again, _ := auth.Hash(t.Context(), pw); again == h {
		t.Error("no salt")
	}
	for tried, want := range map[core.Secret]bool{pw: true, pw + "x": false, "пароль": false} {
		if ok, err := auth.Verify(t.Context(), tried, h); ok != want || err != nil {
			t.Errorf("%s: %v, %v", tried.Reveal(), ok, err)
		}
	}
}

func TestLengthsOfPasswords(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]bool{7: false, 8: true, 128: true, 129: false} {
		if _, err := auth.Hash(t.Context(), core.Secret(strings.Repeat("é", n))); (err == nil) != want {
			t.Errorf("%d characters: %v", n, err)
		} else if err != nil {
			wantErr(t, err, errs.Invalid, errs.BadParam)
		}
	}
	_, err := auth.Verify(t.Context(), "abc", "")
	wantErr(t, err, errs.Invalid, errs.BadParam)
}

// argon2 panics on some of these, needs the memory of the machine for others,
// and the one without a key would match with every password.
func TestAHashThatIsNoneIsAnErrorAndNeverAMatch(t *testing.T) {
	t.Parallel()
	const salt, key = "c29tZXNhbHRzb21lc2FsdA", "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5"
	for _, h := range []core.Secret{
		"", "$", "plain", "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + key, "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=4294967295,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$m=64,t=1,p=1$$" + key, "$argon2id$v=19$m=64,t=1,p=1$*$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$*", "$argon2id$v=19$x$" + salt + "$" + key, "$argon2id$x$m=64,t=1,p=1$" + salt + "$" + key,
	} {
		ok, err := auth.Verify(t.Context(), "whatever", h)
		if ok || err == nil {
			t.Errorf("%s: %v, %v", h.Reveal(), ok, err)
		}
		if !auth.NeedsRehash(h) {
			t.Errorf("%s needs no replacement", h.Reveal())
		}
	}
}

func TestMemoryIsGivenBackWhenNobodyHashesAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var rests atomic.Int64
		hash, wait := auth.CheapRest(func() { rests.Add(1) })
		for burst := range int64(3) {
			for range 5 {
				if err := hash(annPass); err != nil {
					t.Fatal(err)
				}
				time.Sleep(wait / 2)
				synctest.Wait()
				if n := rests.Load(); n != burst {
					t.Fatalf("in burst %d memory was given back %d times", burst, n)
				}
			}
			time.Sleep(10 * wait)
			synctest.Wait()
			if n := rests.Load(); n != burst+1 {
				t.Fatalf("after %d bursts memory was given back %d times", burst+1, n)
			}
		}
	})
}
