package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/store/serial"
)

// tx answers all contracts on one connection, transaction or pool.
type tx struct {
	q       *query.Queries
	db      query.DBTX
	dialect dialect.Dialect
	floor   *serial.Floor // told of every error of the driver; nil outside of a turn
	failure *failure      // why there are errors at all; may be nil
	known   *known        // nil where rows may change unseen
}

func newTx(d dialect.Dialect, db query.DBTX) *tx {
	return &tx{q: query.New(db), db: db, dialect: d}
}

// fail names op as the place of err.
func (t *tx) fail(op string, err error) error {
	if err != nil && t.floor != nil {
		t.floor.Note(err)
	}
	return t.dialect.Fail(op, t.failure.over(err))
}

// found is fail for a query of one row: none is NotFound with that reason.
func (t *tx) found(op string, err error, missing errs.Reason) error {
	if dialect.IsNoRows(err) {
		return errs.New(errs.NotFound, missing).At(op)
	}
	return t.fail(op, err)
}

// write runs fn in a transaction and returns when it is durable.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	if s.writer != nil {
		return s.writer.Do(ctx, func(f *serial.Floor) error {
			t := newTx(s.dialect, f)
			t.floor, t.failure, t.known = f, s.failure, &s.known
			return fn(t)
		})
	}
	const tries = 8
	for try := 1; ; try++ {
		err := s.once(ctx, fn)
		if err == nil || try == tries || !dialect.Rerun(err) {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return errs.Wrap("store.InTx", err)
		}
	}
}

// pause waits for up to 2, 4, 8… milliseconds, so that two that met do not meet
// again.
func pause(ctx context.Context, try int) error {
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	limit := time.Millisecond << try
	timer := time.NewTimer(limit/4 + limit*time.Duration(b[0])/256)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once is one try on PostgreSQL.
func (s *Store) once(ctx context.Context, fn func(*tx) error) error {
	const op = "store.InTx"
	inner, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return s.fail(op, err)
	}
	defer inner.Rollback()
	s.jobs.Add(1)
	if err := fn(newTx(s.dialect, inner)); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return s.dialect.FailCommit(op, err)
	}
	s.commits.Add(1)
	return nil
}
