package store

import (
	"context"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Finish asks each row for what it should be in the statement that changes it,
// so that nothing is read before.
func (t *tx) Finish(ctx context.Context, s upload.Session, v catalog.Version, updated time.Time) (bool, error) {
	const op = "store.Finish"
	steps := []func() (int64, error){
		func() (int64, error) {
			return t.q.FinishSession(ctx, query.FinishSessionParams{
				ID: string(s.ID), AtUs: micros(v.Created), EndCRC64: int64(v.CRC64), EndSHA256: v.SHA256,
			})
		},
		func() (int64, error) {
			return t.q.ShowNode(ctx, query.ShowNodeParams{
				ID: int64(s.Node), Session: string(s.ID), Version: int64(v.ID), Size: v.Size, UpdatedUs: micros(updated),
			})
		},
		func() (int64, error) {
			return t.q.Settle(ctx, query.SettleParams{ID: int64(s.Owner), N: s.Size})
		},
	}
	for _, step := range steps {
		if rows, err := step(); err != nil || rows != 1 {
			return false, t.fail(op, err)
		}
	}
	return true, t.AddVersion(ctx, v)
}

func (t *tx) Admit(ctx context.Context, u core.UserID, n, most int64) (bool, error) {
	const op = "store.Admit"
	if n < 0 {
		return false, nil
	}
	rows, err := t.q.Admit(ctx, query.AdmitParams{ID: int64(u), N: n, Most: most})
	return rows == 1, t.fail(op, err)
}

func (o outside) Admit(ctx context.Context, u core.UserID, n, most int64) (ok bool, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		ok, err = t.Admit(ctx, u, n, most)
		return err
	})
	return ok, err
}

func (o outside) Finish(ctx context.Context, s upload.Session, v catalog.Version, updated time.Time) (ok bool, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		if ok, err = t.Finish(ctx, s, v, updated); err == nil && !ok {
			err = errUndo
		}
		return err
	})
	if errors.Is(err, errUndo) {
		err = nil
	}
	return ok, err
}

var errUndo = errors.New("rolled back")
