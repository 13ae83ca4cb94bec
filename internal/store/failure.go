package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// failure is set once, when a flush has failed and nobody can say what of it is
// on the disk. From then on nothing is written or read: whatever was answered
// would be built on rows that the next start may not find.
//
// PostgreSQL needs none: its server ends itself for the same reason, and the
// recovery of the server decides.
type failure struct {
	err  atomic.Pointer[errs.Error]
	done chan struct{}
}

func newFailure() *failure { return &failure{done: make(chan struct{})} }

// set reports whether it was the first.
func (f *failure) set(err *errs.Error) bool {
	if !f.err.CompareAndSwap(nil, err) {
		return false
	}
	close(f.done)
	return true
}

// over returns the failure in place of err, which then is a consequence of it.
func (f *failure) over(err error) error {
	if f == nil || err == nil {
		return err
	}
	if e := f.err.Load(); e != nil {
		return e
	}
	return err
}

// down returns the failure; nil before.
func (f *failure) down() error {
	if e := f.err.Load(); e != nil {
		return e
	}
	return nil
}

// Failed is closed when a flush of the database has failed. The process must
// end then, and start anew: only a start reads what the disk has kept.
func (s *Store) Failed() <-chan struct{} { return s.failure.done }

// Failure says why Failed was closed; nil before.
func (s *Store) Failure() error {
	return s.failure.down()
}

// stop ends all work on the database because of err, a flush that failed.
func (s *Store) stop(ctx context.Context, err error) {
	e := errs.Newf(errs.Internal, errs.StoreStopped,
		"The disk refused to flush the database. Check the disk, then restart the server; the start finds out which of the last changes count.").Because(err)
	if !s.failure.set(e) {
		return
	}
	s.log.LogAttrs(ctx, slog.LevelError, "database stopped until the next restart: flush failed", slog.Any("err", err))
	if s.db != nil {
		_ = s.db.Close() // the readers: what they say next is the failure
	}
}

// fold brings the log of a process that has ended into the database and begins a
// new one. A flush that failed may have left pages of the log in memory that are
// not on the disk and count as clean. The log is readable by them now; what
// would be appended to it could not be read after a power cut.
func fold(ctx context.Context, db *sql.DB) error {
	var busy, frames, folded int64
	err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &folded)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err // busy: another process has the database open, and folded it when it began
}
