package store

import (
	"context"
	"errors"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func (t *tx) VersionsAfter(ctx context.Context, after core.VersionID, limit int) ([]catalog.Version, error) {
	const op = "store.VersionsAfter"
	rows, err := t.q.VersionsAfter(ctx, query.VersionsAfterParams{After: int64(after), Lim: int64(max(limit, 0))})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toVersion))
}

func (t *tx) BytesAfter(ctx context.Context, after core.VersionID) (int64, error) {
	const op = "store.BytesAfter"
	n, err := t.q.BytesAfter(ctx, int64(after))
	return n, t.fail(op, err)
}

func (t *tx) VersionOfBlob(ctx context.Context, p core.PolicyID, blob string) (catalog.Version, error) {
	const op = "store.VersionOfBlob"
	r, err := t.q.VersionOfBlob(ctx, query.VersionOfBlobParams{Policy: int64(p), Blob: blob})
	if err != nil {
		return catalog.Version{}, t.found(op, err, errs.VersionMissing)
	}
	return toVersion(r), nil
}

func (t *tx) IsDoomed(ctx context.Context, p core.PolicyID, blob string) (bool, error) {
	const op = "store.IsDoomed"
	yes, err := t.q.IsDoomed(ctx, query.IsDoomedParams{Policy: int64(p), Blob: blob})
	return yes, t.fail(op, err)
}

func (t *tx) SetDamage(ctx context.Context, id core.VersionID, what string) error {
	const op = "store.SetDamage"
	_, err := t.q.SetDamage(ctx, query.SetDamageParams{ID: int64(id), Damage: what})
	return t.fail(op, err)
}

func (t *tx) Drifted(ctx context.Context, limit int) ([]catalog.Drift, error) {
	const op = "store.Drifted"
	rows, err := t.q.DriftedLedgers(ctx, int64(max(limit, 0)))
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(func(r query.DriftedLedgersRow) catalog.Drift {
		return catalog.Drift{
			User: core.UserID(r.ID), Has: catalog.Capacity{Used: r.Used, Reserved: r.Reserved},
			Counted: catalog.Capacity{Used: r.RealUsed, Reserved: r.RealReserved},
		}
	}))
}

// Rebook counts only once it holds the row of the user: on PostgreSQL a
// statement sees what was committed when it began, so it must not wait.
func (t *tx) Rebook(ctx context.Context, u core.UserID) error {
	const op = "store.Rebook"
	rows, err := t.q.HoldLedger(ctx, int64(u))
	if err == nil && rows == 0 {
		return errs.New(errs.NotFound, errs.UserUnknown).At(op)
	}
	if err == nil {
		_, err = t.q.Rebook(ctx, int64(u))
	}
	return t.fail(op, err)
}

func (t *tx) AddEvent(ctx context.Context, id core.SessionID, e upload.Event, most int64) error {
	const op = "store.AddEvent"
	n, err := t.q.CountUploadEvents(ctx, string(id))
	if err != nil || n >= most {
		return t.fail(op, err)
	}
	rows, err := t.q.AddUploadEvent(ctx, query.AddUploadEventParams{
		Session: string(id), Seq: n, AtUs: micros(e.At), Kind: string(e.Kind), Start: e.Range.From, Stop: e.Range.To,
		Reason: string(e.Reason), Note: e.Note,
	})
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	if _, err := t.q.SessionState(ctx, string(id)); dialect.IsNoRows(err) {
		return nil
	}
	return t.fail(op, &dialect.LostRace{Err: errors.New("another event took the number")})
}

func (t *tx) Events(ctx context.Context, id core.SessionID) ([]upload.Event, error) {
	const op = "store.Events"
	rows, err := t.q.UploadEvents(ctx, string(id))
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(func(r query.UploadEvent) upload.Event {
		return upload.Event{
			At: core.FromMicros(r.AtUs), Kind: upload.EventKind(r.Kind), Range: core.Range{From: r.Start, To: r.Stop},
			Reason: errs.Reason(r.Reason), Note: r.Note,
		}
	}))
}

func (o outside) SetDamage(ctx context.Context, id core.VersionID, what string) error {
	return o.s.write(ctx, func(t *tx) error { return t.SetDamage(ctx, id, what) })
}

func (o outside) Rebook(ctx context.Context, u core.UserID) error {
	return o.s.write(ctx, func(t *tx) error { return t.Rebook(ctx, u) })
}

// AddEvent asks the readers first, so that a full trail costs no transaction.
func (o outside) AddEvent(ctx context.Context, id core.SessionID, e upload.Event, most int64) error {
	const op = "store.AddEvent"
	n, err := o.q.CountUploadEvents(ctx, string(id))
	if err != nil || n >= most {
		return o.fail(op, err)
	}
	return o.s.write(ctx, func(t *tx) error { return t.AddEvent(ctx, id, e, most) })
}
