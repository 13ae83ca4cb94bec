package account

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	factorStep = 30 * time.Second // RFC 6238 §5.2
	// factorSkew is how many steps the clock of a phone may be off, each way.
	factorSkew = 1
	// offerLife is how long a secret that was shown can be switched on.
	offerLife = 15 * time.Minute
	// secretLen is what RFC 4226 §4 recommends, in bytes.
	secretLen = 20
)

const aboutFactor = "factor"

// base32text is how apps want a secret.
var base32text = base32.StdEncoding.WithPadding(base32.NoPadding)

// HasFactor reports whether sign-ins of the user need a code.
func (k *Keeper) HasFactor(ctx context.Context, user core.UserID) (bool, error) {
	f, err := k.Store.Factor(ctx, user)
	if errs.Has(err, errs.FactorMissing) {
		return false, nil
	}
	return !f.Since.IsZero(), errs.Wrap("account.HasFactor", err)
}

// OfferFactor returns a secret for the caller's app, as text. It counts once
// SwitchFactorOn has seen a code of it; until then the same one is shown again
// for a quarter of an hour. Exists/factor_on.
func (k *Keeper) OfferFactor(ctx context.Context, who core.Actor) (core.Secret, error) {
	const op = "account.OfferFactor"
	f, err := k.Store.Factor(ctx, who.User)
	switch {
	case err != nil && !errs.Has(err, errs.FactorMissing):
		return "", errs.Wrap(op, err)
	case err == nil && !f.Since.IsZero():
		return "", errs.New(errs.Exists, errs.FactorOn).At(op)
	case err == nil && k.now().Before(f.Made.Add(offerLife)):
		secret, err := k.Vault.Open(about(aboutFactor, f.User), f.Sealed)
		return core.Secret(base32text.EncodeToString(secret)), errs.Wrap(op, err)
	}
	secret := make([]byte, secretLen)
	_, _ = rand.Read(secret) // never fails since Go 1.24
	err = k.Store.OfferFactor(ctx, Factor{
		User: who.User, Sealed: k.Vault.Seal(about(aboutFactor, who.User), secret), Made: k.now(),
	})
	return core.Secret(base32text.EncodeToString(secret)), errs.Wrap(op, err)
}

// SwitchFactorOn makes the offered secret count if the code is of it.
//
//   - Invalid/factor_missing: nothing was offered in the last quarter of an hour;
//   - Unauthenticated/factor_wrong, Transient/too_many_guesses;
//   - Exists/factor_on.
func (k *Keeper) SwitchFactorOn(ctx context.Context, who core.Actor, code, addr string) error {
	return k.switchOn(ctx, who, code, addr, nil)
}

// switchOn also keeps the hashes of recovery codes.
func (k *Keeper) switchOn(ctx context.Context, who core.Actor, code, addr string, recovery [][]byte) error {
	const op = "account.SwitchFactorOn"
	f, err := k.Store.Factor(ctx, who.User)
	switch {
	case errs.Has(err, errs.FactorMissing) || err == nil && f.Since.IsZero() && !k.now().Before(f.Made.Add(offerLife)):
		return errs.Newf(errs.Invalid, errs.FactorMissing, "Ask for a secret first").At(op)
	case err != nil:
		return errs.Wrap(op, err)
	case !f.Since.IsZero():
		return errs.New(errs.Exists, errs.FactorOn).At(op)
	}
	if err := k.guessFactor(ctx, f, code, addr); err != nil {
		return errs.Wrap(op, err)
	}
	f.Since = k.now()
	return errs.Wrap(op, k.Store.ConfirmFactor(ctx, f, recovery))
}

// SwitchFactorOff takes the second factor away if the code is of it; failures as
// in SwitchFactorOn.
func (k *Keeper) SwitchFactorOff(ctx context.Context, who core.Actor, code, addr string) error {
	const op = "account.SwitchFactorOff"
	if _, err := k.proveFactor(ctx, who.User, code, addr); err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, k.Store.DropFactor(ctx, who.User))
}

// proveFactor returns a factor that counts if the code is of it, or is a recovery
// code.
func (k *Keeper) proveFactor(ctx context.Context, user core.UserID, code, addr string) (Factor, error) {
	f, err := k.Store.Factor(ctx, user)
	if err != nil {
		return f, err
	}
	if f.Since.IsZero() {
		return f, errs.Newf(errs.Invalid, errs.FactorMissing, "There is no second factor")
	}
	return f, k.guessFactor(ctx, f, code, addr)
}

// guessFactor looks at one code, of the app or for recovery. A code counts once.
func (k *Keeper) guessFactor(ctx context.Context, f Factor, code, addr string) error {
	secret, err := k.Vault.Open(about(aboutFactor, f.User), f.Sealed)
	if err != nil {
		return err
	}
	right, err := k.Tokens.Guess(ctx, auth.Guess{What: aboutFactor, User: f.User, Addr: addr}, func(ctx context.Context) (bool, error) {
		if hash, ok := recoveryHash(f.User, code); ok {
			return k.Store.UseRecovery(ctx, f.User, hash)
		}
		now := k.now()
		at, ok := stepOf(secret, code, now)
		if !ok {
			return false, nil
		}
		return k.Store.Spend(ctx, fmt.Sprintf("%s:%d", about(aboutFactor, f.User), at), now, now.Add((2*factorSkew+2)*factorStep))
	})
	if err == nil && !right {
		err = errs.New(errs.Unauthenticated, errs.FactorWrong)
	}
	return err
}

// stepOf returns the step whose code it is, if it is near enough.
func stepOf(secret []byte, code string, now time.Time) (at int64, ok bool) {
	text := base32text.EncodeToString(secret)
	here := now.Unix() / int64(factorStep/time.Second)
	for s := here - factorSkew; s <= here+factorSkew; s++ {
		// The only error of a secret of ours is that the code has not six digits.
		right, _ := hotp.ValidateCustom(code, uint64(s), text, hotp.ValidateOpts{Digits: otp.DigitsSix})
		if right {
			at, ok = s, true
		}
	}
	return at, ok
}
