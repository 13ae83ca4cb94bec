package share

import (
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

// about ties a sealed password to its share.
func about(id core.ShareID) string { return "share " + strconv.FormatInt(int64(id), 10) }

// seal returns what is kept of pw; nil for no password. Its owner wants to see it
// again, so it cannot be hashed.
func (l *Links) seal(id core.ShareID, pw core.Secret) []byte {
	if pw == "" {
		return nil
	}
	return l.vault.Seal(about(id), []byte(pw.Reveal()))
}

// open undoes seal.
func (l *Links) open(s Share) (core.Secret, error) {
	if !s.Private() {
		return "", nil
	}
	plain, err := l.vault.Open(about(s.ID), s.Sealed)
	return core.Secret(plain), errs.Wrap("share.open", err)
}

// same compares in a time that tells nothing of either, nor of their lengths.
func same(a, b core.Secret) bool {
	x, y := sha256.Sum256([]byte(a.Reveal())), sha256.Sum256([]byte(b.Reveal()))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
