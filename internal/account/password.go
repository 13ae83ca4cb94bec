package account

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// ChangePassword gives the caller another password. All other devices of the
// account are signed out at once, also one that signs in at this moment with
// the old password; the caller's stays.
//
//   - Forbidden/password_wrong: `was` is not the password;
//   - Transient/too_many_guesses, Invalid/bad_param, as with sign-ins;
//   - Conflict/changed: somebody else changed it just now.
func (k *Keeper) ChangePassword(ctx context.Context, who core.Actor, was, now core.Secret, addr string) error {
	const op = "account.ChangePassword"
	acc, err := k.Tokens.ProveAgain(ctx, who.User, was, addr)
	if errs.Has(err, errs.BadLogin) {
		return errs.New(errs.Forbidden, errs.PasswordWrong).At(op).Because(err)
	}
	if err != nil {
		return errs.Wrap(op, err)
	}
	hash, err := auth.Hash(ctx, now)
	if err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, k.renew(ctx, who, acc.Password, hash))
}

// EndOthers signs all devices of the caller out but this one.
func (k *Keeper) EndOthers(ctx context.Context, who core.Actor) error {
	const op = "account.EndOthers"
	acc, err := k.Accounts.Account(ctx, who.User)
	if err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, k.renew(ctx, who, acc.Password, acc.Password))
}

func (k *Keeper) renew(ctx context.Context, who core.Actor, was, now core.Secret) error {
	err := k.Store.Renew(ctx, Renewal{User: who.User, Was: was, Now: now, Keep: who.Device})
	// Also after a failure: nobody knows then what was written.
	k.Tokens.Kept(who.User, who.Device)
	return err
}

// maxDevices bounds a list of devices.
const maxDevices = 200

// Devices returns where the caller is signed in, the newest activity first.
func (k *Keeper) Devices(ctx context.Context, who core.Actor) ([]Device, error) {
	ds, err := k.Store.Devices(ctx, who.User, k.now(), maxDevices)
	return ds, errs.Wrap("account.Devices", err)
}

// End signs a device of the caller out, at once; NotFound/session_mismatch.
func (k *Keeper) End(ctx context.Context, who core.Actor, device string) error {
	return errs.Wrap("account.End", k.Tokens.End(ctx, who.User, device))
}

// Save writes what the caller says about the account.
func (k *Keeper) Save(ctx context.Context, who core.Actor, p Patch) error {
	return errs.Wrap("account.Save", k.Store.SaveProfile(ctx, who.User, p))
}

// Retention is the bound on contents kept of a file when a user switches keeping
// on or off, or says how many: now is the bound as it is. nil leaves it.
func Retention(now int64, keep *bool, most *int64) *int64 {
	bound := now
	switch {
	case keep != nil && !*keep:
		bound = 1
	case most != nil:
		bound = max(0, *most)
	case keep != nil && now == 1:
		bound = 0
	}
	if bound == now {
		return nil
	}
	return &bound
}

// Bounds of a list of extensions.
const (
	maxExtensions = 100
	maxExtension  = 32 // characters
)

// Extensions returns a list of file extensions as Patch.KeepExt wants it, in lower
// case, without dots and each once; Invalid/bad_param.
func Extensions(said []string) ([]string, error) {
	const op = "account.Extensions"
	out := make([]string, 0, min(len(said), maxExtensions))
	for _, s := range said {
		ext := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(s), "."))
		switch {
		case ext == "" || strings.ContainsFunc(ext, notOfExtension):
			return nil, errs.Newf(errs.Invalid, errs.BadParam, "An extension is letters, digits and the like, as in txt").At(op)
		case utf8.RuneCountInString(ext) > maxExtension:
			return nil, errs.Newf(errs.Invalid, errs.BadParam, "An extension has at most %d characters", maxExtension).At(op)
		case slices.Contains(out, ext):
			continue
		case len(out) == maxExtensions:
			return nil, errs.Newf(errs.Invalid, errs.BadParam, "At most %d extensions can be named", maxExtensions).At(op)
		}
		out = append(out, ext)
	}
	return out, nil
}

// notOfExtension finds what the last extension of a name cannot hold, or should not.
func notOfExtension(r rune) bool {
	return strings.ContainsRune(`./\:*?"<>|,;`, r) || r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// Search returns up to ten users that the words fit; none for fewer than two
// characters.
func (k *Keeper) Search(ctx context.Context, words string) ([]Person, error) {
	const most = 10
	if len([]rune(words)) < 2 {
		return nil, nil
	}
	ps, err := k.Store.SearchPeople(ctx, words, most)
	return ps, errs.Wrap("account.Search", err)
}
