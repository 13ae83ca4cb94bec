package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) AddLock(ctx context.Context, l catalog.Lock) error {
	const op = "store.AddLock"
	rows, err := t.q.AddLock(ctx, query.AddLockParams{
		Node: int64(l.Node), Token: l.Token, Owner: int64(l.Owner), Application: l.Application,
		Session: string(l.Session), CreatedUs: micros(l.Created),
	})
	if err != nil {
		return t.fail(op, err)
	}
	if rows == 0 {
		return errs.New(errs.Conflict, errs.Locked).At(op)
	}
	return nil
}

func (t *tx) LocksUnder(ctx context.Context, owner core.UserID, id core.NodeID) ([]catalog.Lock, error) {
	const op = "store.LocksUnder"
	n, err := t.q.Node(ctx, int64(id))
	if dialect.IsNoRows(err) {
		return nil, nil
	}
	var rows []query.Lock
	if err == nil && catalog.Kind(n.Kind) == catalog.Folder {
		rows, err = t.q.LocksUnder(ctx, query.LocksUnderParams{Owner: int64(owner), Node: int64(id)})
	} else if err == nil {
		rows = make([]query.Lock, 1)
		if rows[0], err = t.q.LockOf(ctx, int64(id)); dialect.IsNoRows(err) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toLock))
}

func (t *tx) Lock(ctx context.Context, token string) (catalog.Lock, error) {
	const op = "store.Lock"
	r, err := t.q.Lock(ctx, token)
	if err != nil {
		return catalog.Lock{}, t.found(op, err, errs.LockUnknown)
	}
	return toLock(r), nil
}

func (t *tx) Unlock(ctx context.Context, id core.NodeID, token string) error {
	const op = "store.Unlock"
	_, err := t.q.Unlock(ctx, query.UnlockParams{Node: int64(id), Token: token})
	return t.fail(op, err)
}
