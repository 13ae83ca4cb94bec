package account

import (
	"time"

	"github.com/pquerna/otp/hotp"

	"github.com/wharfinger/wharfinger/internal/core"
)

// Base32 is a secret as apps take it.
func Base32(secret []byte) core.Secret { return core.Secret(base32text.EncodeToString(secret)) }

// CodeOf is the code that an app shows.
func CodeOf(secret core.Secret, now time.Time) string {
	code, err := hotp.GenerateCode(secret.Reveal(), uint64(now.Unix()/30))
	if err != nil {
		panic(err)
	}
	return code
}
