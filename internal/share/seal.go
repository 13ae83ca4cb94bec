package share

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Passwords of shares are letters and digits, so that they need no escaping in
// the link that holds them.
const (
	maxPassword = 32
	madeLength  = 10 // of one that we make: 59 bits
	letters     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newPassword makes a password. 248 is the last multiple of 62 in a byte: what
// lies above would make some letters likelier.
func newPassword() core.Secret {
	const fair = 256 / len(letters) * len(letters)
	out := make([]byte, 0, madeLength)
	for len(out) < madeLength {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		if int(b[0]) < fair {
			out = append(out, letters[int(b[0])%len(letters)])
		}
	}
	return core.Secret(out)
}

func checkPassword(pw core.Secret) error {
	text := pw.Reveal()
	if len(text) > maxPassword {
		return errs.Newf(errs.Invalid, errs.BadParam, "The password of a share has at most %d letters and digits", maxPassword)
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return errs.Newf(errs.Invalid, errs.BadParam, "The password of a share is made of letters and digits")
		}
	}
	return nil
}

// safe seals passwords for their rows: their owner wants to see them again, so
// they cannot be hashed (AES-256-GCM).
type safe struct{ aead cipher.AEAD }

func newSafe(key [32]byte) safe {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for a wrong key length, which the type rules out
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for a block that is not AES'
	}
	return safe{aead}
}

// about ties a sealed password to its share.
func about(id core.ShareID) []byte { return []byte("share " + strconv.FormatInt(int64(id), 10)) }

// seal returns what is kept of pw; nil for no password.
func (f safe) seal(id core.ShareID, pw core.Secret) []byte {
	if pw == "" {
		return nil
	}
	nonce := make([]byte, f.aead.NonceSize(), f.aead.NonceSize()+len(pw)+f.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return f.aead.Seal(nonce, nonce, []byte(pw.Reveal()), about(id))
}

// open undoes seal.
func (f safe) open(s Share) (core.Secret, error) {
	const op = "share.open"
	n := f.aead.NonceSize()
	switch {
	case !s.Private():
		return "", nil
	case len(s.Sealed) < n:
		return "", errs.Newf(errs.Internal, errs.CipherFailed, "the password of share %d is cut short", s.ID).At(op)
	}
	plain, err := f.aead.Open(nil, s.Sealed[:n], s.Sealed[n:], about(s.ID))
	return core.Secret(plain), errs.As(op, errs.Internal, errs.CipherFailed, err)
}

// same compares in a time that tells nothing of either, nor of their lengths.
func same(a, b core.Secret) bool {
	x, y := sha256.Sum256([]byte(a.Reveal())), sha256.Sum256([]byte(b.Reveal()))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
