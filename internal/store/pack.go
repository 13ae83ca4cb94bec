package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// The keys of a pack's objects are those between these two.
func packFrom(pack string) string { return pack + "/" }
func packUpto(pack string) string { return pack + "0" } // the byte behind the slash

func (t *tx) PackUse(ctx context.Context, p core.PolicyID, pack string) (use catalog.PackUse, err error) {
	const op = "store.PackUse"
	in := query.UsedOfPackParams{Policy: int64(p), Pack: packFrom(pack), Upto: packUpto(pack)}
	r, err := t.q.UsedOfPack(ctx, in)
	if err == nil {
		use = catalog.PackUse{Objects: r.Objects, Bytes: r.Bytes}
		use.Doomed, err = t.q.DoomedInPack(ctx, query.DoomedInPackParams(in))
	}
	return use, t.fail(op, err)
}

func (t *tx) VersionsIn(ctx context.Context, p core.PolicyID, pack, after string, limit int) ([]catalog.Version, error) {
	const op = "store.VersionsIn"
	rows, err := t.q.VersionsInPack(ctx, query.VersionsInPackParams{
		Policy: int64(p), After: max(after, packFrom(pack)), Upto: packUpto(pack), Lim: int64(max(limit, 0)),
	})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toVersion))
}

func (t *tx) MoveBlob(ctx context.Context, m catalog.Move) (bool, error) {
	const op = "store.MoveBlob"
	policies, err := t.q.MoveBlob(ctx, query.MoveBlobParams{ID: int64(m.Version), Was: m.From, Now: m.To})
	if err != nil || len(policies) == 0 {
		return false, t.fail(op, err)
	}
	err = t.doom(ctx, []query.Doomed{{Policy: policies[0], Blob: m.From, AtUs: micros(m.At)}})
	return err == nil, t.fail(op, err)
}

func (o outside) MoveBlob(ctx context.Context, m catalog.Move) (moved bool, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		moved, err = t.MoveBlob(ctx, m)
		return err
	})
	return moved, err
}
