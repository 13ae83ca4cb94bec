package store

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) AddVersion(ctx context.Context, v catalog.Version) error {
	const op = "store.AddVersion"
	return t.fail(op, t.q.AddVersion(ctx, query.AddVersionParams(fromVersion(v))))
}

func (t *tx) Version(ctx context.Context, id core.VersionID) (catalog.Version, error) {
	const op = "store.Version"
	r, err := t.q.Version(ctx, int64(id))
	if err != nil {
		return catalog.Version{}, t.found(op, err, errs.VersionMissing)
	}
	return toVersion(r), nil
}

func (t *tx) VersionsOf(ctx context.Context, id core.NodeID) ([]catalog.Version, error) {
	const op = "store.VersionsOf"
	rows, err := t.q.VersionsOf(ctx, int64(id))
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toVersion))
}

func (t *tx) DamagedIn(ctx context.Context, owner core.UserID, folder core.NodeID) ([]core.NodeID, error) {
	const op = "store.DamagedIn"
	rows, err := t.q.DamagedIn(ctx, query.DamagedInParams{Owner: int64(owner), Folder: int64(folder)})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(func(id int64) core.NodeID { return core.NodeID(id) }))
}

func (t *tx) DropVersion(ctx context.Context, id core.VersionID, at time.Time) error {
	const op = "store.DropVersion"
	r, err := t.q.DropVersion(ctx, int64(id))
	if dialect.IsNoRows(err) {
		return nil
	}
	if err == nil && r.Blob != "" {
		err = t.doom(ctx, []query.Doomed{{Policy: r.Policy, Blob: r.Blob, AtUs: micros(at)}})
	}
	if err == nil {
		err = t.unuse(ctx, r.Owner, r.Size)
	}
	return t.fail(op, err)
}

func (t *tx) Doom(ctx context.Context, b catalog.DoomedBlob) error {
	const op = "store.Doom"
	return t.fail(op, t.doom(ctx, []query.Doomed{{Policy: int64(b.Policy), Blob: b.Blob, AtUs: micros(b.At)}}))
}

func (t *tx) DoomedBefore(ctx context.Context, before time.Time, limit int) ([]catalog.DoomedBlob, error) {
	const op = "store.DoomedBefore"
	rows, err := t.q.DoomedBefore(ctx, query.DoomedBeforeParams{BeforeUs: micros(before), Lim: int64(max(limit, 0))})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toDoomed))
}

func (t *tx) DoomedOf(ctx context.Context, p core.PolicyID, before time.Time, limit int) ([]catalog.DoomedBlob, error) {
	const op = "store.DoomedOf"
	rows, err := t.q.DoomedOf(ctx, query.DoomedOfParams{Policy: int64(p), BeforeUs: micros(before), Lim: int64(max(limit, 0))})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toDoomed))
}

func toDoomed(r query.Doomed) catalog.DoomedBlob {
	return catalog.DoomedBlob{Policy: core.PolicyID(r.Policy), Blob: r.Blob, At: core.FromMicros(r.AtUs)}
}

func (t *tx) Forget(ctx context.Context, b []catalog.DoomedBlob) error {
	const op = "store.Forget"
	for _, d := range b {
		if err := t.q.Forget(ctx, query.ForgetParams{Policy: int64(d.Policy), Blob: d.Blob}); err != nil {
			return t.fail(op, err)
		}
	}
	return nil
}
