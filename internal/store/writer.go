package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxBatch bounds how many transactions share one flush, and so how long the
// first of them waits for the last.
const maxBatch = 256

// slowFlush is how long a flush may take before the log says so.
const slowFlush = time.Second

// writer owns SQLite's only writing connection. Its goroutine calls the
// transactions up one after another; each runs on its caller's own goroutine, so
// that a panic is the caller's and not the store's, and all of a batch are
// answered after one COMMIT.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	sql   *prepared
	queue chan *turn // unbuffered: who is not called up yet still waits here
	stop  chan struct{}
	ended chan struct{}
	clock core.Clock
	log   *slog.Logger

	jobs, commits *atomic.Int64
	poison        error // only the goroutine; once set no write is tried again
}

// turn is one caller's transaction on its way through a batch.
type turn struct {
	state  atomic.Int32 // waiting, then called or left
	called chan *tx     // 1: the transaction to run with
	over   chan error   // 1: what the function said
	done   chan error   // 1: what became of it
}

const (
	waiting int32 = iota
	called
	left
)

var errUnfinished = errors.New("the function of the transaction did not return")

func newWriter(s *Store, db *sql.DB, conn *sql.Conn) *writer {
	return &writer{
		db: db, conn: conn, sql: newPrepared(conn),
		queue: make(chan *turn), stop: make(chan struct{}), ended: make(chan struct{}),
		clock: s.clock, log: s.log, jobs: &s.jobs, commits: &s.commits,
	}
}

// do runs fn in a transaction. A caller whose context ends before its turn is
// skipped; one that was called up is waited for, for its rows may be durable.
func (w *writer) do(ctx context.Context, fn func(*tx) error) error {
	const op = "store.InTx"
	j := &turn{called: make(chan *tx, 1), over: make(chan error, 1), done: make(chan error, 1)}
	if err := ctx.Err(); err != nil {
		return errs.Wrap(op, err)
	}
	select {
	case w.queue <- j:
	case <-w.stop:
		return errs.Newf(errs.Transient, errs.StoreFailed, "The database is being closed.").At(op)
	case <-ctx.Done():
		return errs.Wrap(op, ctx.Err())
	}
	gaveUp := ctx.Done()
	for {
		select {
		case t := <-j.called:
			j.run(t, fn)
			return <-j.done
		case err := <-j.done:
			return err
		case <-gaveUp:
			if j.state.CompareAndSwap(waiting, left) {
				return errs.Wrap(op, ctx.Err())
			}
			gaveUp = nil
		}
	}
}

// run says how fn ended, also when it panics or ends its goroutine.
func (j *turn) run(t *tx, fn func(*tx) error) {
	result := errUnfinished
	defer func() { j.over <- result }()
	result = fn(t)
}

// loop is the goroutine. ctx must never end while it runs: an interrupted
// statement takes the whole batch with it.
func (w *writer) loop(ctx context.Context) {
	defer close(w.ended)
	for {
		select {
		case first := <-w.queue:
			w.batch(ctx, w.collect(first))
		case <-w.stop:
			return
		}
	}
}

// collect takes all who wait now; it does not wait for more.
func (w *writer) collect(first *turn) []*turn {
	batch := []*turn{first}
	for len(batch) < maxBatch {
		select {
		case j := <-w.queue:
			batch = append(batch, j)
		default:
			return batch
		}
	}
	return batch
}

func (w *writer) batch(ctx context.Context, batch []*turn) {
	const op = "store.InTx"
	if err := w.begin(ctx); err != nil {
		answer(batch, sqliteDialect.fail(op, err))
		return
	}
	var kept []*turn
	for i, j := range batch {
		if !j.state.CompareAndSwap(waiting, called) {
			continue
		}
		w.jobs.Add(1)
		said, err := w.play(ctx, j, len(batch) > 1)
		if err != nil { // the transaction is gone, with all who were in it
			w.rollback(ctx)
			err = sqliteDialect.fail(op, err)
			answer(kept, err)
			answer(batch[i:], err)
			return
		}
		if said != nil {
			j.done <- said
			continue
		}
		kept = append(kept, j)
	}
	if len(kept) == 0 {
		w.rollback(ctx)
		return
	}
	if err := w.commit(ctx); err != nil {
		answer(kept, sqliteDialect.failCommit(op, err))
		return
	}
	answer(kept, nil)
}

func answer(turns []*turn, err error) {
	for _, j := range turns {
		j.done <- err
	}
}

// play calls j up and returns what it said. err is set when the transaction
// around it did not survive.
func (w *writer) play(ctx context.Context, j *turn, guarded bool) (said, err error) {
	if guarded {
		if _, err := w.sql.ExecContext(ctx, "SAVEPOINT turn"); err != nil {
			return nil, err
		}
	}
	floor := &floor{prepared: w.sql}
	t := newTx(sqliteDialect, floor)
	t.onError = floor.note
	j.called <- t
	said = <-j.over
	if floor.dead != nil {
		return nil, floor.dead
	}
	if !guarded {
		return said, nil
	}
	if said != nil {
		if _, err := w.sql.ExecContext(ctx, "ROLLBACK TO turn"); err != nil {
			return nil, err
		}
	}
	_, err = w.sql.ExecContext(ctx, "RELEASE turn")
	return said, err
}

func (w *writer) begin(ctx context.Context) error {
	if w.poison != nil {
		return w.poison
	}
	_, err := w.sql.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err == nil || errs.Is(sqliteDialect.fail("", err), errs.Transient) {
		return err
	}
	w.rollback(ctx) // a transaction that could not be ended before would stay in the way for ever
	_, err = w.sql.ExecContext(ctx, "BEGIN IMMEDIATE")
	return err
}

func (w *writer) commit(ctx context.Context) error {
	from := w.clock()
	_, err := w.sql.ExecContext(ctx, "COMMIT")
	if took := w.clock().Sub(from); took > slowFlush {
		w.log.LogAttrs(ctx, slog.LevelWarn, "database flush is slow", slog.Duration("dur", took))
	}
	if err == nil {
		w.commits.Add(1)
		return nil
	}
	w.rollback(ctx)
	if unflushed(err) {
		w.poison = errs.Newf(errs.Internal, errs.StoreFailed,
			"The disk refused to flush the database. Check the disk, then restart the server.").Because(err)
		w.log.LogAttrs(ctx, slog.LevelError, "database stopped: flush failed", slog.Any("error", err))
	}
	return err
}

// rollback may find that SQLite has rolled back already.
func (w *writer) rollback(ctx context.Context) { _, _ = w.sql.ExecContext(ctx, "ROLLBACK") }

func (w *writer) close() error {
	close(w.stop)
	<-w.ended
	return errors.Join(w.sql.close(), w.conn.Close(), w.db.Close())
}

// floor is the writing connection for the length of one turn. Its statements do
// not end with the caller's context, and none follows an error that has undone
// the transaction: it would be committed on its own.
type floor struct {
	*prepared
	dead error
}

func (f *floor) note(err error) {
	if f.dead == nil && undone(err) {
		f.dead = err
	}
}

// ExecContext implements query.DBTX.
func (f *floor) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if f.dead != nil {
		return nil, f.dead
	}
	return f.prepared.ExecContext(context.WithoutCancel(ctx), text, args...)
}

// QueryContext implements query.DBTX.
func (f *floor) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if f.dead != nil {
		return nil, f.dead
	}
	return f.prepared.QueryContext(context.WithoutCancel(ctx), text, args...)
}

// QueryRowContext implements query.DBTX.
func (f *floor) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	if f.dead != nil { // a row cannot be made with an error, but with a context that is over
		over, cancel := context.WithCancel(ctx)
		cancel()
		return f.prepared.QueryRowContext(over, "SELECT 1")
	}
	return f.prepared.QueryRowContext(ctx, text, args...)
}
