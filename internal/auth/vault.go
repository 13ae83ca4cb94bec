package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"
	"io"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Vault seals small secrets for their rows, and tickets for clients to keep
// (AES-256-GCM, 96 random bits of nonce: good for 2^32 of them).
type Vault struct{ aead cipher.AEAD }

// NewVault returns the vault of the site whose keys they are.
func NewVault(k Keys) *Vault {
	block, err := aes.NewCipher(k.Vault[:])
	if err != nil {
		panic(err) // only for a wrong key length, which the type rules out
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for a block that is not AES'
	}
	return &Vault{aead: aead}
}

// Format hides the key from every verb of fmt.
func (*Vault) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// Seal enciphers plain. about is what it is and whose: Open wants the same, so
// that what is sealed for one place is nothing in another.
func (v *Vault) Seal(about string, plain []byte) []byte {
	nonce := make([]byte, v.aead.NonceSize(), v.aead.NonceSize()+len(plain)+v.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return v.aead.Seal(nonce, nonce, plain, []byte(about))
}

// Open undoes Seal; Internal/cipher_failed for what was not sealed here for that.
func (v *Vault) Open(about string, sealed []byte) ([]byte, error) {
	const op = "auth.Vault.Open"
	if len(sealed) < v.aead.NonceSize() {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "sealed text is cut short").At(op)
	}
	n := v.aead.NonceSize()
	plain, err := v.aead.Open(nil, sealed[:n], sealed[n:], []byte(about))
	return plain, errs.As(op, errs.Internal, errs.CipherFailed, err)
}
