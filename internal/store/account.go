package store

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func toAccount(r query.AccountRow) auth.Account {
	return auth.Account{
		User: core.UserID(r.ID), Group: core.GroupID(r.GroupID),
		Admin: catalog.Group{Permissions: r.Permissions}.Admin(), Email: r.Email, Password: core.Secret(r.Password),
		Active: catalog.Status(r.Status) == catalog.Active, Banned: catalog.Status(r.Status) == catalog.Banned,
		Epoch: r.Epoch,
	}
}

func (t *tx) Account(ctx context.Context, id core.UserID) (auth.Account, error) {
	const op = "store.Account"
	r, err := t.q.Account(ctx, int64(id))
	if err != nil {
		return auth.Account{}, t.found(op, err, errs.UserUnknown)
	}
	return toAccount(r), nil
}

func (t *tx) AccountByEmail(ctx context.Context, email string) (auth.Account, error) {
	const op = "store.AccountByEmail"
	r, err := t.q.AccountByEmail(ctx, catalog.EmailKey(email))
	if err != nil {
		return auth.Account{}, t.found(op, err, errs.UserUnknown)
	}
	return toAccount(query.AccountRow(r)), nil
}

func (t *tx) AddFamily(ctx context.Context, f auth.Family) error {
	const op = "store.AddFamily"
	if err := t.q.PruneFamilies(ctx, query.PruneFamiliesParams{UserID: int64(f.User), BeforeUs: micros(f.Created)}); err != nil {
		return t.fail(op, err)
	}
	return t.fail(op, t.q.AddFamily(ctx, query.AddFamilyParams{
		ID: f.ID, UserID: int64(f.User), Epoch: f.Epoch, Serial: f.Serial, RotatedUs: micros(f.Rotated),
		CreatedUs: micros(f.Created), ExpiresUs: micros(f.Expires), Agent: f.Agent, Revoked: f.Revoked, Addr: f.Addr,
	}))
}

func (t *tx) Family(ctx context.Context, id string) (auth.Family, error) {
	const op = "store.Family"
	r, err := t.q.Family(ctx, id)
	if err != nil {
		return auth.Family{}, t.found(op, err, errs.BadToken)
	}
	return auth.Family{
		ID: r.ID, User: core.UserID(r.UserID), Epoch: r.Epoch, Serial: r.Serial, Rotated: core.FromMicros(r.RotatedUs),
		Created: core.FromMicros(r.CreatedUs), Expires: core.FromMicros(r.ExpiresUs), Agent: r.Agent, Addr: r.Addr,
		Revoked: r.Revoked,
	}, nil
}

func (t *tx) Rotate(ctx context.Context, id string, from int64, at, expires time.Time) error {
	const op = "store.Rotate"
	rows, err := t.q.Rotate(ctx, query.RotateParams{
		RotatedUs: micros(at), ExpiresUs: micros(expires), ID: id, Serial: from,
	})
	if err == nil && rows == 0 {
		return errs.New(errs.Conflict, errs.Changed).At(op)
	}
	return t.fail(op, err)
}

func (t *tx) Revoke(ctx context.Context, id string) error {
	const op = "store.Revoke"
	return t.fail(op, t.q.Revoke(ctx, id))
}

// failuresKept is how long a failure counts at most: older ones of every key go
// with the next failure of any.
const failuresKept = 24 * time.Hour

func (t *tx) Failed(ctx context.Context, key string, at, since time.Time) (int64, error) {
	const op = "store.Failed"
	if err := t.q.ForgetFailures(ctx, min(micros(since), micros(at.Add(-failuresKept)))); err != nil {
		return 0, t.fail(op, err)
	}
	if err := t.q.CountFailure(ctx, query.CountFailureParams{GuessKey: key, AtUs: micros(at)}); err != nil {
		return 0, t.fail(op, err)
	}
	n, err := t.q.Failures(ctx, query.FailuresParams{GuessKey: key, SinceUs: micros(since)})
	return n, t.fail(op, err)
}

func (t *tx) Failures(ctx context.Context, key string, since time.Time) (int64, error) {
	const op = "store.Failures"
	n, err := t.q.Failures(ctx, query.FailuresParams{GuessKey: key, SinceUs: micros(since)})
	return n, t.fail(op, err)
}

func (t *tx) Cleared(ctx context.Context, key string) error {
	const op = "store.Cleared"
	return t.fail(op, t.q.Cleared(ctx, key))
}
