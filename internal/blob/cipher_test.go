package blob_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// vector is the one that clients are held to: its counter carries after two
// blocks.
func vector(t testing.TB) (c *blob.Cipher, plain, sealed []byte) {
	c = new(blob.Cipher)
	for i := range c.Key {
		c.Key[i] = byte(i)
	}
	iv, err1 := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9fafbfffffffe")
	sealed, err2 := hex.DecodeString("262692674aa1ae124e5c6919ff84c0ba00dcf928a3df2d44b90e2b9856f38574" +
		"cf13cd7149f4765b07eb51792b3e040d0194522895437d733bac321f1d")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c.IV = [16]byte(iv)
	return c, []byte("The quick brown fox jumps over 13 lazy dogs near a riverbank."), sealed
}

func TestCipherMeetsTheVectorFromEveryOffset(t *testing.T) {
	c, plain, sealed := vector(t)
	for from := range plain {
		got := bytes.Clone(plain[from:])
		c.Stream(int64(from)).XORKeyStream(got, got)
		if !bytes.Equal(got, sealed[from:]) {
			t.Errorf("from %d: %x", from, got)
		}
	}
}

func TestCipherCounterWrapsAt128Bits(t *testing.T) {
	c := blob.NewCipher()
	for i := range c.IV {
		c.IV[i] = 0xff
	}
	next := *c
	next.IV = [16]byte{}
	a, b := make([]byte, 40), make([]byte, 40)
	c.Stream(16).XORKeyStream(a, a)
	next.Stream(0).XORKeyStream(b, b)
	if !bytes.Equal(a, b) {
		t.Error("the block after the last is not the first")
	}
}

func TestCipherStreamsAreOneStream(t *testing.T) {
	c := blob.NewCipher()
	whole := make([]byte, 5000)
	c.Stream(0).XORKeyStream(whole, whole)
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(whole)).Draw(t, "from")
		part := make([]byte, len(whole)-from)
		c.Stream(int64(from)).XORKeyStream(part, part)
		if !bytes.Equal(part, whole[from:]) {
			t.Fatal("differs")
		}
	})
}

func TestKeysNeverPrint(t *testing.T) {
	c, _, _ := vector(t)
	dir := root(t)
	ring, err := blob.OpenKeyring(dir, "key")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(struct{ A, B any }{c, *c})
	out := fmt.Sprintf("%v %+v %#v %s %x %d %v %v %+v %#v %s %s", c, c, c, c, c, c, *c, ring, ring, ring, ring, text)
	for _, secret := range []string{"000102", "AAEC", "0x1, 0x2", "1 2 3", "master"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q in %s", secret, out)
		}
	}
}

func TestSealedKeysOpenUnderTheirMasterOnly(t *testing.T) {
	var master, other, key [32]byte
	master[0], other[0], key[5] = 1, 2, 3
	sealed := blob.SealKey(master, key)
	if got, err := blob.OpenKey(master, sealed); err != nil || got != key {
		t.Fatalf("%v", err)
	}
	if bytes.Equal(sealed, blob.SealKey(master, key)) {
		t.Error("one key was sealed twice to the same bytes")
	}
	if _, err := blob.OpenKey(other, sealed); !errs.Has(err, errs.CipherFailed) {
		t.Errorf("another master: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if got, err := blob.OpenKey(master, bad); !errs.Has(err, errs.CipherFailed) || got != ([32]byte{}) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for _, bad := range [][]byte{nil, sealed[:len(sealed)-1], append(bytes.Clone(sealed), 0)} {
		if _, err := blob.OpenKey(master, bad); !errs.Has(err, errs.CipherFailed) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func root(t *testing.T) *os.Root {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return dir
}

func TestKeyringIsMadeOnceAndReadAgain(t *testing.T) {
	dir := root(t)
	rings := make([]*blob.Keyring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() {
			k, err := blob.OpenKeyring(dir, "master.key")
			if err != nil {
				t.Errorf("OpenKeyring: %v", err)
			}
			rings[i] = k
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	key := [32]byte{1, 2, 3}
	sealed := rings[0].Seal(key)
	for i, k := range rings {
		if got, err := k.Open(sealed); err != nil || got != key {
			t.Errorf("ring %d has another master: %v", i, err)
		}
	}
	st, err := dir.Stat("master.key")
	if err != nil || st.Mode() != 0o600 || st.Size() != 45 {
		t.Errorf("%v %v", st, err)
	}
	list, err := os.ReadDir(dir.Name())
	if err != nil || len(list) != 1 {
		t.Errorf("left behind: %v %v", list, err)
	}
}

func TestKeyringRefusesWhatIsNotOurKey(t *testing.T) {
	const good = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	for what, c := range map[string]struct {
		text string
		mode os.FileMode
		ok   bool
	}{
		"good":           {good, 0o600, true},
		"read only":      {good + "\n", 0o400, true},
		"read by group":  {good, 0o640, false},
		"read by others": {good, 0o604, false},
		"empty":          {"", 0o600, false},
		"short":          {"AAEC", 0o600, false},
		"not base64":     {strings.Repeat("*", 44), 0o600, false},
		"two keys":       {good + "\n" + good, 0o600, false},
		"a key and more": {good + strings.Repeat(" ", 1000) + "x", 0o600, false},
	} {
		dir := root(t)
		if err := dir.WriteFile("key", []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := dir.Chmod("key", c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := blob.OpenKeyring(dir, "key"); (err == nil) != c.ok || err != nil && !errs.Has(err, errs.CipherFailed) {
			t.Errorf("%s: %v", what, err)
		}
		if text, err := dir.ReadFile("key"); err != nil || string(text) != c.text {
			t.Errorf("%s: the file was changed", what)
		}
	}
	dir := root(t)
	if err := dir.Mkdir("key", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"key", "none/key", "../key"} {
		if _, err := blob.OpenKeyring(dir, name); !errs.Has(err, errs.CipherFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
