package serial

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
)

// MaxBatch bounds how many transactions share one flush, and so how long the
// first of them waits for the last.
const MaxBatch = 256

// slowFlush is how long a flush may take before the log says so.
const slowFlush = time.Second

// Options are what a Writer is made of; all are needed.
type Options struct {
	DB    *sql.DB   // closed with the writer
	Conn  *sql.Conn // the writing connection of DB
	Clock core.Clock
	Log   *slog.Logger

	Jobs, Commits *atomic.Int64 // count transactions, and commits before anybody is told of them

	// Begun is called inside each new transaction, when no other process can write.
	Begun func(ctx context.Context, db *Prepared) error
	// Undone is called when something that was written, and perhaps read, is undone.
	Undone func()
	// Stop is told of a flush that failed, perhaps more than once; from then on Down
	// says so.
	Stop func(ctx context.Context, err error)
	// Down returns why nothing can be done any more; nil while it can.
	Down func() error
}

// Writer owns SQLite's only writing connection. Who comes while nobody leads
// leads: it runs the transactions of all who wait, its own first, one after
// another, flushes them with one COMMIT, and hands the lead to one of those who
// came meanwhile. So a lone caller does everything on its own goroutine, and a
// crowd shares flushes without anybody having waited for it to gather.
type Writer struct {
	o   Options
	sql *Prepared

	mu     sync.Mutex
	queue  []*turn
	led    bool
	closed bool
	idle   sync.Cond // on mu: nobody leads
}

// turn is one caller's transaction on its way through a batch.
type turn struct {
	fn    func(*Floor) error
	state atomic.Int32
	wake  chan bool // 1; true: lead, false: err says what became of it
	err   error
	panic *blown
}

// A turn is waiting until a leader calls it up or its caller leaves.
const (
	waiting int32 = iota
	called
	left
)

// blown is a panic on its way from the goroutine it happened on to the one whose
// it is.
type blown struct {
	value any
	stack []byte
}

// Error implements error, so that the stack is printed with the value.
func (b *blown) Error() string { return fmt.Sprintf("%v\n\n%s", b.value, b.stack) }

// Unwrap returns the value, if it is an error.
func (b *blown) Unwrap() error {
	err, _ := b.value.(error)
	return err
}

var errUnfinished = errors.New("the function of the transaction did not return")

// New returns the writer over o.
func New(o Options) *Writer {
	w := &Writer{o: o, sql: Prepare(o.Conn)}
	w.idle.L = &w.mu
	return w
}

// Do runs fn in a transaction. A caller whose context ends before its turn is
// skipped; one that was called up is waited for, for its rows may be durable.
func (w *Writer) Do(ctx context.Context, fn func(*Floor) error) error {
	const op = "store.InTx"
	if err := ctx.Err(); err != nil {
		return errs.Wrap(op, err)
	}
	j := &turn{fn: fn, wake: make(chan bool, 1)}
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return errs.Newf(errs.Transient, errs.StoreFailed, "The database is being closed.").At(op)
	}
	lead := !w.led
	w.led = true
	w.queue = append(w.queue, j)
	w.mu.Unlock()
	if !lead {
		select {
		case lead = <-j.wake:
		case <-ctx.Done():
			if j.state.CompareAndSwap(waiting, left) {
				return errs.Wrap(op, ctx.Err())
			}
			lead = <-j.wake
		}
	}
	if lead {
		w.lead(context.WithoutCancel(ctx))
	}
	if j.panic != nil {
		panic(j.panic)
	}
	return j.err
}

// lead runs what waits and hands over. ctx must never end: an interrupted
// statement takes the whole batch with it.
func (w *Writer) lead(ctx context.Context) {
	runtime.Gosched() // those who are ready to come, come: a flush costs more than a switch
	w.mu.Lock()
	n := min(len(w.queue), MaxBatch)
	batch := w.queue[:n:n]
	w.queue = append([]*turn(nil), w.queue[n:]...)
	w.mu.Unlock()
	mine := batch[0]
	mine.state.Store(called)
	r := convoy{w: w, ctx: ctx, turns: batch}
	// Also when a function ends the goroutine of its leader.
	defer func() {
		r.end()
		w.handOver()
		for _, j := range r.turns {
			if j != mine {
				j.wake <- false
			}
		}
	}()
	r.all()
}

// handOver gives the lead to the first who still waits.
func (w *Writer) handOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		next := w.queue[0]
		if next.state.CompareAndSwap(waiting, called) {
			next.wake <- true
			return
		}
		w.queue = w.queue[1:]
	}
	w.led = false
	w.idle.Broadcast()
}

// convoy is one batch on its way to its COMMIT.
type convoy struct {
	w     *Writer
	ctx   context.Context //nolint:containedctx // of one call of lead
	turns []*turn
	open  bool // a transaction is
	over  bool // every turn has its answer
}

// all plays the batch without savepoints: few transactions fail after they have
// written. If one does, the others are played again, each behind its own.
func (r *convoy) all() {
	const op = "store.InTx"
	if !r.begin() {
		return
	}
	kept, spoilt := r.play(r.turns, false)
	if spoilt && !r.over {
		r.w.rollback(r.ctx)
		r.open = false
		if len(kept) > 0 && !r.begin() {
			return
		}
		if len(kept) > 0 {
			kept, _ = r.play(kept, true)
		}
	}
	if r.over {
		return
	}
	if len(kept) == 0 {
		r.end()
		return
	}
	r.open = false
	if err := r.w.commit(r.ctx); err != nil {
		err = dialect.SQLite.FailCommit(op, r.w.fail(r.ctx, op, err))
		for _, j := range kept {
			j.err = err
		}
	}
	r.over = true
}

func (r *convoy) begin() bool {
	if err := r.w.begin(r.ctx); err != nil {
		r.fail(err)
		return false
	}
	r.open = true
	return true
}

// fail answers all who have no answer of their own: the transaction is gone.
func (r *convoy) fail(err error) {
	const op = "store.InTx"
	r.end()
	err = r.w.fail(r.ctx, op, err)
	for _, j := range r.turns {
		if j.err == nil && j.panic == nil || errors.Is(j.err, errUnfinished) {
			j.err = err
		}
	}
	r.over = true
}

// end undoes what is still open.
func (r *convoy) end() {
	if r.open {
		r.w.rollback(r.ctx)
		r.open = false
	}
	if !r.over {
		for _, j := range r.turns {
			if j.err == nil && j.panic == nil {
				j.err = errUnfinished
			}
		}
	}
	r.over = true
}

// play calls up the turns and returns those that want to be committed. spoilt
// says that one who does not has written.
func (r *convoy) play(turns []*turn, guarded bool) (kept []*turn, spoilt bool) {
	for _, j := range turns {
		if j.state.Load() != called && !j.state.CompareAndSwap(waiting, called) {
			continue // its caller has left
		}
		r.w.o.Jobs.Add(1)
		wrote, err := r.w.play(r.ctx, j, guarded && len(turns) > 1)
		if err != nil {
			j.err = nil // what it made of it does not matter
			r.fail(err)
			return nil, true
		}
		switch {
		case j.err == nil && j.panic == nil:
			kept = append(kept, j)
		case wrote:
			spoilt = true
		}
	}
	return kept, spoilt
}

func (w *Writer) name(op string, err error) error {
	if down := w.o.Down(); down != nil && err != nil {
		err = down
	}
	return dialect.SQLite.Fail(op, err)
}

// fail names an error that has ended a batch, and ends everything if it is a
// flush that failed: a second one could succeed without the bytes of the first.
func (w *Writer) fail(ctx context.Context, op string, err error) error {
	if dialect.Unflushed(err) {
		w.o.Stop(ctx, err)
	}
	return w.name(op, err)
}

// play calls j up. wrote says that it changed something; err is set when the
// transaction around it did not survive.
func (w *Writer) play(ctx context.Context, j *turn, guarded bool) (wrote bool, err error) {
	if guarded {
		if _, err := w.sql.ExecContext(ctx, "SAVEPOINT turn"); err != nil {
			return false, err
		}
	}
	floor := &Floor{Prepared: w.sql}
	j.call(floor)
	if j.err != nil || j.panic != nil {
		w.o.Undone()
	}
	if floor.dead != nil {
		return floor.wrote, floor.dead
	}
	if !guarded {
		return floor.wrote, nil
	}
	if j.err != nil || j.panic != nil {
		if _, err := w.sql.ExecContext(ctx, "ROLLBACK TO turn"); err != nil {
			return false, err
		}
	}
	_, err = w.sql.ExecContext(ctx, "RELEASE turn")
	return false, err
}

// call says how fn ended, also when it panics or ends its goroutine.
func (j *turn) call(f *Floor) {
	j.err = errUnfinished
	defer func() {
		if !errors.Is(j.err, errUnfinished) {
			return
		}
		if v := recover(); v != nil {
			j.panic = &blown{value: v, stack: debug.Stack()}
		}
	}()
	j.err = j.fn(f)
}

func (w *Writer) begin(ctx context.Context) error {
	if err := w.o.Down(); err != nil {
		return err
	}
	_, err := w.sql.ExecContext(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		return w.o.Begun(ctx, w.sql)
	}
	if dialect.Unflushed(err) || errs.Is(dialect.SQLite.Fail("", err), errs.Transient) {
		return err
	}
	w.rollback(ctx) // a transaction that could not be ended before would stay in the way for ever
	if _, err = w.sql.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	return w.o.Begun(ctx, w.sql)
}

func (w *Writer) commit(ctx context.Context) error {
	from := w.o.Clock()
	_, err := w.sql.ExecContext(ctx, "COMMIT")
	if took := w.o.Clock().Sub(from); took > slowFlush {
		w.o.Log.LogAttrs(ctx, slog.LevelWarn, "database flush is slow", slog.Duration("dur", took))
	}
	if err == nil {
		w.o.Commits.Add(1)
		return nil
	}
	w.rollback(ctx)
	return err
}

// rollback may find that SQLite has rolled back already.
func (w *Writer) rollback(ctx context.Context) {
	w.o.Undone()
	_, _ = w.sql.ExecContext(ctx, "ROLLBACK")
}

// Through puts wrap between the statements and the connection until back is
// called, for tests that make faults. No transaction may run meanwhile.
func (w *Writer) Through(wrap func(DBTX) DBTX) (back func()) {
	was := w.sql
	w.sql = Prepare(wrap(was.DBTX))
	return func() { w.sql = was }
}

// Close waits for those who were there before it.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	for w.led {
		w.idle.Wait()
	}
	w.mu.Unlock()
	return errors.Join(w.sql.Close(), w.o.Conn.Close(), w.o.DB.Close())
}

// Floor is the writing connection for the length of one turn. Its statements do
// not end with the caller's context, and none follows an error that has undone
// the transaction: it would be committed on its own.
type Floor struct {
	*Prepared
	dead  error
	wrote bool
}

// Note is to be told of every error of a statement.
func (f *Floor) Note(err error) {
	if f.dead == nil && dialect.Undone(err) {
		f.dead = err
	}
}

// ExecContext implements DBTX.
func (f *Floor) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if f.dead != nil {
		return nil, f.dead
	}
	res, err := f.Prepared.ExecContext(context.WithoutCancel(ctx), text, args...)
	if err != nil {
		f.wrote = true
		return res, err
	}
	if n, nerr := res.RowsAffected(); nerr != nil || n > 0 {
		f.wrote = true
	}
	return res, nil
}

// QueryContext implements DBTX.
func (f *Floor) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if f.dead != nil {
		return nil, f.dead
	}
	f.returns(text)
	return f.Prepared.QueryContext(context.WithoutCancel(ctx), text, args...)
}

// QueryRowContext implements DBTX.
func (f *Floor) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	if f.dead != nil { // a row cannot be made with an error, but with a context that is over
		over, cancel := context.WithCancel(ctx)
		cancel()
		return f.Prepared.QueryRowContext(over, "SELECT 1")
	}
	f.returns(text)
	return f.Prepared.QueryRowContext(ctx, text, args...)
}

// returns notes a query that changes what it answers.
func (f *Floor) returns(text string) {
	f.wrote = f.wrote || strings.Contains(text, "RETURNING")
}
