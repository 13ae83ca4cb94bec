package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// A recovery code stands in for one of the app, once: for who has lost the phone.
// It has 80 random bits, so that a plain hash of it tells nothing to who reads the
// database.
const (
	recoveryCodes = 10
	recoveryLen   = 10 // bytes, which are 16 characters without any bit to spare
	recoveryGroup = 4  // characters between hyphens
)

const aboutRecovery = "recovery"

// asWritten takes out what people put in, and makes characters that are in no
// code those that they look like.
var asWritten = strings.NewReplacer("-", "", " ", "", "0", "O", "1", "I", "8", "B")

// RecoveryCodes makes new recovery codes, in place of those there were, and
// returns them: nobody can read them later. `code` is of the app or a recovery
// code. With `on` the factor that was offered is switched on, together with its
// codes or not at all; failures are then those of SwitchFactorOn, and else:
//
//   - NotFound or Invalid/factor_missing: there is no second factor;
//   - Unauthenticated/factor_wrong, Transient/too_many_guesses;
//   - Conflict/changed: somebody switched it off just now.
func (k *Keeper) RecoveryCodes(ctx context.Context, who core.Actor, on bool, code, addr string) ([]core.Secret, error) {
	const op = "account.RecoveryCodes"
	shown, hashes := newRecovery(who.User)
	if on {
		if err := k.switchOn(ctx, who, code, addr, hashes); err != nil {
			return nil, errs.Wrap(op, err)
		}
		return shown, nil
	}
	f, err := k.proveFactor(ctx, who.User, code, addr)
	if err == nil {
		err = k.Store.ReplaceRecovery(ctx, f, hashes)
	}
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	return shown, nil
}

// RecoveryLeft is how many recovery codes the user has not used.
func (k *Keeper) RecoveryLeft(ctx context.Context, user core.UserID) (int, error) {
	n, err := k.Store.RecoveryLeft(ctx, user)
	return n, errs.Wrap("account.RecoveryLeft", err)
}

func newRecovery(user core.UserID) (shown []core.Secret, hashes [][]byte) {
	for range recoveryCodes {
		code := make([]byte, recoveryLen)
		_, _ = rand.Read(code) // never fails since Go 1.24
		text := base32text.EncodeToString(code)
		groups := make([]string, 0, len(text)/recoveryGroup)
		for ; text != ""; text = text[recoveryGroup:] {
			groups = append(groups, text[:recoveryGroup])
		}
		shown = append(shown, core.Secret(strings.Join(groups, "-")))
		hashes = append(hashes, hashOf(user, code))
	}
	return shown, hashes
}

// recoveryHash returns under what a recovery code is kept; false for a text that
// cannot be one, as the codes of apps.
func recoveryHash(user core.UserID, text string) ([]byte, bool) {
	text = strings.ToUpper(asWritten.Replace(text))
	if len(text) != base32text.EncodedLen(recoveryLen) {
		return nil, false
	}
	code, err := base32text.DecodeString(text)
	if err != nil || len(code) != recoveryLen {
		return nil, false
	}
	return hashOf(user, code), true
}

// hashOf is of no use for another user.
func hashOf(user core.UserID, code []byte) []byte {
	sum := sha256.Sum256(append([]byte(about(aboutRecovery, user)+"\x00"), code...))
	return sum[:]
}
