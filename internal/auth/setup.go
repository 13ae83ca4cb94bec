package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/internal/core"
)

// SetupToken lets whoever can read the server's terminal make the first
// administrator. It lives in memory as a hash; a restart mints another.
type SetupToken struct {
	hash  [sha256.Size]byte
	spent atomic.Bool
}

// NewSetupToken returns a token and its text, which is not kept: 32 random
// bytes in base64url.
func NewSetupToken() (*SetupToken, core.Secret) {
	var b [32]byte
	_, _ = rand.Read(b[:])
	text := base64.RawURLEncoding.EncodeToString(b[:])
	return &SetupToken{hash: sha256.Sum256([]byte(text))}, core.Secret(text)
}

// Holds reports whether text is the token and nobody has spent it.
func (t *SetupToken) Holds(text core.Secret) bool {
	got := sha256.Sum256([]byte(text.Reveal()))
	same := subtle.ConstantTimeCompare(got[:], t.hash[:]) == 1
	return same && !t.spent.Load()
}

// Spend ends the token. Call it when the administrator has been made: a
// set-up that failed may be tried again.
func (t *SetupToken) Spend() { t.spent.Store(true) }
