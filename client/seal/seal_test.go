package seal_test

import (
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/seal"
)

func TestSealIsThatOfThePublishedVector(t *testing.T) {
	t.Parallel()
	key, _ := hex.DecodeString("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
	iv, _ := hex.DecodeString("f0f1f2f3f4f5f6f7f8f9fafbfffffffe")
	plain := []byte("The quick brown fox jumps over 13 lazy dogs near a riverbank.")
	want := "262692674aa1ae124e5c6919ff84c0ba00dcf928a3df2d44b90e2b9856f38574cf13cd7149f4765b07eb51792b3e040d0194522895437d733bac321f1d"
	s, err := seal.New(&wire.EncryptMetadata{
		Algorithm: seal.Cipher, KeyPlainText: base64.StdEncoding.EncodeToString(key), Iv: base64.StdEncoding.EncodeToString(iv),
	})
	if err != nil {
		t.Fatal(err)
	}
	for at := range plain {
		got := make([]byte, len(plain)-at)
		s.At(int64(at)).XORKeyStream(got, plain[at:])
		if hex.EncodeToString(got) != want[2*at:] {
			t.Fatalf("from byte %d on: %x, want %s", at, got, want[2*at:])
		}
	}
}

func TestSealCarriesIntoTheUpperHalfOfTheCounter(t *testing.T) {
	t.Parallel()
	m := wire.EncryptMetadata{
		Algorithm: seal.Cipher, KeyPlainText: base64.StdEncoding.EncodeToString(make([]byte, 32)),
		Iv: base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff")),
	}
	s, err := seal.New(&m)
	if err != nil {
		t.Fatal(err)
	}
	var whole, part [48]byte
	s.At(0).XORKeyStream(whole[:], whole[:])
	s.At(32).XORKeyStream(part[:16], part[:16])
	if string(whole[32:]) != string(part[:16]) {
		t.Fatal("the key stream from block 2 on differs from block 2 of the key stream")
	}
}

func TestUnknownCiphersAndBadKeysAreRefused(t *testing.T) {
	t.Parallel()
	good := wire.EncryptMetadata{
		Algorithm: seal.Cipher, KeyPlainText: base64.StdEncoding.EncodeToString(make([]byte, 32)),
		Iv: base64.StdEncoding.EncodeToString(make([]byte, 16)),
	}
	for name, spoil := range map[string]func(*wire.EncryptMetadata){
		"algorithm": func(m *wire.EncryptMetadata) { m.Algorithm = "rot13" },
		"key":       func(m *wire.EncryptMetadata) { m.KeyPlainText = "AAAA" },
		"iv":        func(m *wire.EncryptMetadata) { m.Iv = "!" },
	} {
		m := good
		spoil(&m)
		if _, err := seal.New(&m); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
