package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) LocksUnder(ctx context.Context, owner core.UserID, id core.NodeID) ([]catalog.Lock, error) {
	const op = "store.LocksUnder"
	n, err := t.q.Node(ctx, int64(id))
	if dialect.IsNoRows(err) {
		return nil, nil
	}
	if err == nil && catalog.Kind(n.Kind) == catalog.File {
		held, err := t.q.LockOf(ctx, int64(id))
		switch {
		case dialect.IsNoRows(err):
			return nil, nil
		case err != nil:
			return nil, t.fail(op, err)
		}
		return []catalog.Lock{toLock(held)}, nil
	}
	var rows []query.LocksUnderRow
	if err == nil {
		rows, err = t.q.LocksUnder(ctx, query.LocksUnderParams{Owner: int64(owner), Node: int64(id)})
	}
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(func(r query.LocksUnderRow) catalog.Lock { return toLock(query.LockOfRow(r)) }))
}

func (t *tx) Lock(ctx context.Context, token string) (catalog.Lock, error) {
	const op = "store.Lock"
	r, err := t.q.Lock(ctx, token)
	if err != nil {
		return catalog.Lock{}, t.found(op, err, errs.LockUnknown)
	}
	return toLock(query.LockOfRow(r)), nil
}

func (t *tx) Unlock(ctx context.Context, id core.NodeID, token string) error {
	const op = "store.Unlock"
	return t.fail(op, t.q.Unlock(ctx, query.UnlockParams{Node: int64(id), Token: token}))
}
