package accounts

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Factor implements account.Factors.
func (a *Accounts) Factor(ctx context.Context, user core.UserID) (account.Factor, error) {
	const op = "accounts.Factor"
	t := a.base.Read()
	r, err := t.SecondFactor(ctx, int64(user))
	if err != nil {
		return account.Factor{}, t.Found(op, err, errs.FactorMissing)
	}
	return account.Factor{
		User: user, Sealed: r.Sealed, Made: core.FromMicros(r.MadeUs), Since: core.FromMicros(r.SinceUs),
	}, nil
}

// OfferFactor implements account.Factors.
func (a *Accounts) OfferFactor(ctx context.Context, f account.Factor) error {
	const op = "accounts.OfferFactor"
	return a.base.Write(ctx, func(t part.Turn) error {
		rows, err := t.OfferFactor(ctx, query.OfferFactorParams{UserID: int64(f.User), Sealed: f.Sealed, MadeUs: micros(f.Made)})
		if err == nil && rows == 0 {
			return errs.New(errs.Exists, errs.FactorOn).At(op)
		}
		return t.Fail(op, err)
	})
}

// ConfirmFactor implements account.Factors.
func (a *Accounts) ConfirmFactor(ctx context.Context, f account.Factor, recovery [][]byte) error {
	const op = "accounts.ConfirmFactor"
	return a.base.Write(ctx, func(t part.Turn) error {
		rows, err := t.ConfirmFactor(ctx, query.ConfirmFactorParams{
			UserID: int64(f.User), SinceUs: micros(f.Since), MadeUs: micros(f.Made),
		})
		if err == nil && rows == 0 {
			return errs.New(errs.Conflict, errs.Changed).At(op)
		}
		if err == nil {
			err = replace(ctx, t, f.User, recovery)
		}
		return t.Fail(op, err)
	})
}

// ReplaceRecovery implements account.Recovery.
func (a *Accounts) ReplaceRecovery(ctx context.Context, f account.Factor, hashes [][]byte) error {
	const op = "accounts.ReplaceRecovery"
	return a.base.Write(ctx, func(t part.Turn) error {
		// Two at once take turns here: the codes of one of them are left.
		rows, err := t.HoldFactor(ctx, query.HoldFactorParams{UserID: int64(f.User), MadeUs: micros(f.Made)})
		if err == nil && rows == 0 {
			return errs.New(errs.Conflict, errs.Changed).At(op)
		}
		if err == nil {
			err = replace(ctx, t, f.User, hashes)
		}
		return t.Fail(op, err)
	})
}

func replace(ctx context.Context, t part.Turn, user core.UserID, hashes [][]byte) error {
	if err := t.DropRecovery(ctx, int64(user)); err != nil {
		return err
	}
	for _, h := range hashes {
		if err := t.AddRecovery(ctx, query.AddRecoveryParams{UserID: int64(user), Hash: h}); err != nil {
			return err
		}
	}
	return nil
}

// UseRecovery implements account.Recovery.
func (a *Accounts) UseRecovery(ctx context.Context, user core.UserID, hash []byte) (was bool, err error) {
	const op = "accounts.UseRecovery"
	err = a.base.Write(ctx, func(t part.Turn) error {
		rows, err := t.UseRecovery(ctx, query.UseRecoveryParams{UserID: int64(user), Hash: hash})
		was = rows == 1
		return t.Fail(op, err)
	})
	return was && err == nil, err
}

// RecoveryLeft implements account.Recovery.
func (a *Accounts) RecoveryLeft(ctx context.Context, user core.UserID) (int, error) {
	t := a.base.Read()
	n, err := t.RecoveryLeft(ctx, int64(user))
	return int(n), t.Fail("accounts.RecoveryLeft", err)
}

// DropFactor implements account.Factors.
func (a *Accounts) DropFactor(ctx context.Context, user core.UserID) error {
	const op = "accounts.DropFactor"
	return a.base.Write(ctx, func(t part.Turn) error { return t.Fail(op, t.DropFactor(ctx, int64(user))) })
}

// Spend implements account.Factors.
func (a *Accounts) Spend(ctx context.Context, id string, now, until time.Time) (fresh bool, err error) {
	const op = "accounts.Spend"
	err = a.base.Write(ctx, func(t part.Turn) error {
		if err := t.ForgetSpent(ctx, micros(now)); err != nil {
			return t.Fail(op, err)
		}
		rows, err := t.Spend(ctx, query.SpendParams{ID: id, UntilUs: micros(until)})
		fresh = rows == 1
		return t.Fail(op, err)
	})
	return fresh, err
}

// AddPasskey implements account.Passkeys.
func (a *Accounts) AddPasskey(ctx context.Context, p account.Passkey) error {
	const op = "accounts.AddPasskey"
	return a.base.Write(ctx, func(t part.Turn) error {
		rows, err := t.AddPasskey(ctx, query.AddPasskeyParams{
			ID: p.ID, UserID: int64(p.User), Name: p.Name, Sealed: p.Sealed, CreatedUs: micros(p.Created),
		})
		if err == nil && rows == 0 {
			return errs.New(errs.Exists, errs.PasskeyKnown).At(op)
		}
		return t.Fail(op, err)
	})
}

// Passkeys implements account.Passkeys.
func (a *Accounts) Passkeys(ctx context.Context, user core.UserID) ([]account.Passkey, error) {
	const op = "accounts.Passkeys"
	t := a.base.Read()
	rows, err := t.Passkeys(ctx, int64(user))
	if err != nil {
		return nil, t.Fail(op, err)
	}
	out := make([]account.Passkey, len(rows))
	for i, r := range rows {
		out[i] = account.Passkey{
			ID: r.ID, User: user, Name: r.Name, Sealed: r.Sealed, Created: core.FromMicros(r.CreatedUs), Used: core.FromMicros(r.UsedUs),
		}
	}
	return out, nil
}

// UsePasskey implements account.Passkeys.
func (a *Accounts) UsePasskey(ctx context.Context, p account.Passkey) error {
	const op = "accounts.UsePasskey"
	return a.base.Write(ctx, func(t part.Turn) error {
		return one(t, op, errs.PasskeyMissing)(t.UsePasskey(ctx, query.UsePasskeyParams{
			Sealed: p.Sealed, UsedUs: micros(p.Used), ID: p.ID, UserID: int64(p.User),
		}))
	})
}

// DropPasskey implements account.Passkeys.
func (a *Accounts) DropPasskey(ctx context.Context, user core.UserID, id string) error {
	const op = "accounts.DropPasskey"
	return a.base.Write(ctx, func(t part.Turn) error {
		return one(t, op, errs.PasskeyMissing)(t.DropPasskey(ctx, query.DropPasskeyParams{ID: id, UserID: int64(user)}))
	})
}
