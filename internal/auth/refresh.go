package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// lostRaces is how often Refresh reads again after another refresh was first.
// Once is enough unless the store forgets.
const lostRaces = 3

// Refresh returns the next pair of the device. The token before the newest one
// gives the newest pair again within the grace; later, and for all older ones,
// it was stolen from somebody or by somebody, and the device is signed out
// (RFC 9700 4.14.2). Every refusal is Unauthenticated/bad_token.
func (t *Tokens) Refresh(ctx context.Context, token string) (Pair, error) {
	const op = "auth.Refresh"
	c, err := t.parse(token)
	if err == nil {
		err = t.timely(c)
	}
	if err != nil {
		return Pair{}, refused(op, "not a refresh token in force", err)
	}
	if c.Kind != kindRefresh {
		return Pair{}, refused(op, "an access token", nil)
	}
	for range lostRaces {
		f, err := t.familyInForce(ctx, c)
		if err != nil {
			return Pair{}, errs.Wrap(op, err)
		}
		now := t.now()
		switch {
		case c.Serial == f.Serial:
			next := t.renewed(f, now)
			err := t.store.Rotate(ctx, f.ID, f.Serial, next.Rotated, next.Expires)
			if errs.Is(err, errs.Conflict) {
				continue
			}
			if err != nil {
				return Pair{}, errs.Wrap(op, err)
			}
			p, err := t.mint(next)
			return p, errs.Wrap(op, err)
		case c.Serial == f.Serial-1 && now.Sub(f.Rotated) <= t.grace:
			p, err := t.mint(f)
			return p, errs.Wrap(op, err)
		case c.Serial < f.Serial:
			// The sender may hang up at once; the device ends nevertheless.
			if err := t.end(context.WithoutCancel(ctx), f.ID); err != nil {
				return Pair{}, errs.Wrap(op, err)
			}
			return Pair{}, refused(op, "this refresh token was used before: the device is signed out", nil)
		default:
			return Pair{}, refused(op, "a refresh token of the future: the database is older than the token", nil)
		}
	}
	return Pair{}, errs.New(errs.Transient, errs.Overload).At(op)
}

// familyInForce reads the family of a refresh token, and its account, as they
// are now; bad_token unless both are alive and the token is theirs.
func (t *Tokens) familyInForce(ctx context.Context, c claims) (Family, error) {
	const op = "auth.familyInForce"
	f, err := t.store.Family(ctx, c.Family)
	if errs.Is(err, errs.NotFound) {
		return Family{}, refused(op, "no such device", err)
	}
	if err != nil {
		return Family{}, errs.Wrap(op, err)
	}
	acc, err := t.store.Account(ctx, f.User)
	if errs.Is(err, errs.NotFound) {
		return Family{}, refused(op, "no such account", err)
	}
	if err != nil {
		return Family{}, errs.Wrap(op, err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(c.State), []byte(t.state(f, c.Epoch))) != 1:
		return Family{}, refused(op, "the token is of another account", nil)
	case !t.now().Before(f.Expires):
		return Family{}, refused(op, "the device has expired", nil)
	}
	if why := dead(f, acc, c); why != "" {
		return Family{}, refused(op, why, nil)
	}
	return f, nil
}

// dead says why a token of c counts no more, "" if it does.
func dead(f Family, acc Account, c claims) string {
	switch {
	case f.Revoked:
		return "the device is signed out"
	case f.Epoch < c.Epoch:
		return "the token is of a newer epoch than its device"
	case acc.Epoch != f.Epoch: // f is of a newer one than c if the account kept it when it ended the others
		return "the account has ended all its other devices since"
	case acc.Banned, !acc.Active:
		return "the account is closed"
	}
	return ""
}

// refused keeps why for the log: clients are told no more than bad_token.
func refused(op, why string, cause error) error {
	err := errors.New(why)
	if cause != nil {
		err = fmt.Errorf("%s: %w", why, cause)
	}
	return errs.New(errs.Unauthenticated, errs.BadToken).At(op).Because(err)
}

// SignOut ends the device of a refresh token, used, newest or expired alike. What is
// no refresh token of ours ends nothing, and is no error.
func (t *Tokens) SignOut(ctx context.Context, token string) error {
	const op = "auth.SignOut"
	c, err := t.parse(token)
	if err != nil || c.Kind != kindRefresh {
		return nil //nolint:nilerr // who is not signed in is signed out
	}
	return errs.Wrap(op, t.end(ctx, c.Family))
}

// end revokes first and forgets then, so that nobody can read the old row in between.
func (t *Tokens) end(ctx context.Context, family string) error {
	defer t.families.drop(family)
	return t.store.Revoke(ctx, family)
}

// End signs a device of the user out, at once in this process;
// NotFound/session_mismatch if the user has no such device.
func (t *Tokens) End(ctx context.Context, user core.UserID, device string) error {
	const op = "auth.End"
	f, err := t.store.Family(ctx, device)
	if err == nil && f.User != user || errs.Is(err, errs.NotFound) {
		return errs.Newf(errs.NotFound, errs.SessionMismatch, "There is no such device").At(op)
	}
	if err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, t.end(ctx, device))
}

// Kept must be called after an account was given a new epoch that one of its
// devices was taken over into: all others die at once, that one lives on.
func (t *Tokens) Kept(id core.UserID, device string) {
	t.AccountChanged(id)
	t.families.drop(device)
}

// AccountChanged must be called after an account was banned, deactivated or given a
// new epoch in this process: its tokens die at once. Other processes see it
// within a second.
func (t *Tokens) AccountChanged(id core.UserID) { t.accounts.drop(id) }

// Verify returns whose access token it is. Signed-out devices, banned accounts
// and raised epochs count within a second, at once if they happened here.
//
//   - Unauthenticated/token_expired: refresh and try again;
//   - Unauthenticated/wrong_token_kind: a refresh token;
//   - Unauthenticated/bad_token: everything else that is no token in force.
func (t *Tokens) Verify(ctx context.Context, token string) (core.Actor, error) {
	const op = "auth.Verify"
	c, err := t.known.claimsOf(token, t.parse)
	if err != nil {
		return core.Actor{}, errs.Wrap(op, err)
	}
	switch c.Kind {
	case kindAccess:
	case kindRefresh:
		return core.Actor{}, errs.New(errs.Unauthenticated, errs.WrongToken).At(op)
	default:
		return core.Actor{}, refused(op, "a token of no kind", nil)
	}
	if err := t.timely(c); err != nil {
		return core.Actor{}, errs.Wrap(op, err)
	}
	f, err := t.families.get(ctx, c.Family)
	if errs.Is(err, errs.NotFound) {
		return core.Actor{}, refused(op, "no such device", err)
	}
	if err != nil {
		return core.Actor{}, errs.Wrap(op, err)
	}
	acc, err := t.account(ctx, f.User, max(c.Epoch, f.Epoch))
	if errs.Is(err, errs.NotFound) {
		return core.Actor{}, refused(op, "no such account", err)
	}
	if err != nil {
		return core.Actor{}, errs.Wrap(op, err)
	}
	if f.Epoch < acc.Epoch && !f.Revoked {
		// What we remember of the device may be from before it was kept.
		t.families.drop(f.ID)
		if f, err = t.families.get(ctx, c.Family); err != nil {
			return core.Actor{}, errs.Wrap(op, err)
		}
	}
	if why := dead(f, acc, c); why != "" {
		return core.Actor{}, refused(op, why, nil)
	}
	if c.Subject != t.ids.Encode(core.TagUser, int64(f.User)) {
		return core.Actor{}, refused(op, "the token is of another account than its device", nil)
	}
	return core.Actor{User: acc.User, Group: acc.Group, Admin: acc.Admin, Via: core.ViaToken, Device: f.ID}, nil
}

// account is read again if a token knows of a newer epoch than what we remember:
// another process has raised it within this second.
func (t *Tokens) account(ctx context.Context, id core.UserID, epoch int64) (Account, error) {
	acc, err := t.accounts.get(ctx, id)
	if err == nil && acc.Epoch < epoch {
		t.accounts.drop(id)
		acc, err = t.accounts.get(ctx, id)
	}
	return acc, err
}
