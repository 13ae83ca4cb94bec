package account

import (
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// Base32 is a secret as apps take it.
func Base32(secret []byte) core.Secret { return core.Secret(base32text.EncodeToString(secret)) }

// CodeOf is the code that an app shows.
func CodeOf(secret core.Secret, now time.Time) string {
	raw, err := base32text.DecodeString(secret.Reveal())
	if err != nil {
		panic(err)
	}
	return codeAt(raw, now.Unix()/30)
}
