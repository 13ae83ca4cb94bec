package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Who moves what, so that the ledger never drifts:
//
//	Reserve      free → reserved      the session is created
//	Release      reserved → free      the session ends without a version
//	Settle       reserved → used      the session ends with one (AddVersion moves nothing)
//	DropVersion  used → free          a version goes
//	RemoveTree   used → free          many go

func (t *tx) Capacity(ctx context.Context, u core.UserID) (catalog.Capacity, error) {
	const op = "store.Capacity"
	r, err := t.q.Capacity(ctx, int64(u))
	return catalog.Capacity(r), t.found(op, err, errs.UserUnknown)
}

func (t *tx) Recount(ctx context.Context, u core.UserID) (catalog.Capacity, error) {
	const op = "store.Recount"
	r, err := t.q.Recount(ctx, int64(u))
	return catalog.Capacity(r), t.found(op, err, errs.UserUnknown)
}

func (t *tx) Reserve(ctx context.Context, u core.UserID, n int64) error {
	const op = "store.Reserve"
	if n < 0 {
		return errs.New(errs.Invalid, errs.BadParam).At(op)
	}
	rows, err := t.q.Reserve(ctx, query.ReserveParams{ID: int64(u), N: n})
	if err != nil {
		return t.fail(op, err)
	}
	if rows == 1 {
		return nil
	}
	has, err := t.Capacity(ctx, u)
	if err != nil {
		return t.fail(op, err)
	}
	return errs.Newf(errs.NoSpace, errs.QuotaFull, "%d bytes do not fit: %d of %d are used and %d are reserved by uploads.",
		n, has.Used, has.Total, has.Reserved).At(op)
}

func (t *tx) Release(ctx context.Context, u core.UserID, n int64) error {
	const op = "store.Release"
	if n < 0 {
		return errs.New(errs.Invalid, errs.BadParam).At(op)
	}
	rows, err := t.q.Release(ctx, query.ReleaseParams{ID: int64(u), N: n})
	return t.booked(ctx, op, u, rows, err)
}

func (t *tx) Settle(ctx context.Context, u core.UserID, n int64) error {
	const op = "store.Settle"
	if n < 0 {
		return errs.New(errs.Invalid, errs.BadParam).At(op)
	}
	rows, err := t.q.Settle(ctx, query.SettleParams{ID: int64(u), N: n})
	return t.booked(ctx, op, u, rows, err)
}

// unuse takes n bytes from what the owner of dropped versions has used.
func (t *tx) unuse(ctx context.Context, owner, n int64) error {
	const op = "store.unuse"
	rows, err := t.q.Unuse(ctx, query.UnuseParams{ID: owner, N: n})
	return t.booked(ctx, op, core.UserID(owner), rows, err)
}

// booked is the end of an update that only a defect can keep from finding its
// row: more is given back than was taken.
func (t *tx) booked(ctx context.Context, op string, u core.UserID, rows int64, err error) error {
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	if _, err := t.Capacity(ctx, u); err != nil {
		return t.fail(op, err)
	}
	return errs.Newf(errs.Internal, errs.StoreFailed, "The account of bytes of user %d has drifted.", u).At(op)
}
