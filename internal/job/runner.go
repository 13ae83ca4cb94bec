package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// How jobs are run, unless Options say otherwise.
const (
	usualWorkers = 2
	usualLease   = 30 * time.Second
	usualPoll    = 5 * time.Second
	tellEach     = time.Second // how often progress is written, at most
)

// What is tried again, and how often.
const (
	maxTries  = 12 // without a step forward
	firstWait = 2 * time.Second
	lastWait  = 10 * time.Minute
)

// Handler does the jobs of one kind.
type Handler struct {
	// Run does what is left to do of j, and calls tell with how much is done, and of
	// how much, whenever it likes. It returns soon when ctx ends, with all it has done
	// kept: it is called again.
	Run func(ctx context.Context, j Job, tell func(done, total int64)) error
	// Undo takes back what Run has done, after a cancellation or when it has failed for
	// good; also what it did in an earlier life. nil says that the kind can not be
	// cancelled. ErrDone says that it was done before anybody could stop it.
	Undo func(ctx context.Context, j Job) error
}

// Options are what a Runner is made of.
type Options struct {
	Store  Store
	Clock  core.Clock
	Log    *slog.Logger
	Holder string // of one process at a time

	Workers     int           // 0 for 2
	Lease, Poll time.Duration // 0 for half a minute, and 5 seconds
}

// Runner runs jobs. Its methods may be called from any goroutine, but for Handle.
type Runner struct {
	Options
	handlers map[Kind]Handler
	wake     chan struct{}

	mu    sync.Mutex
	stops map[core.JobID]context.CancelCauseFunc // of what runs here
	ended map[core.JobID][]chan struct{}         // who waits for it
}

// New returns a runner that does nothing yet.
func New(o Options) *Runner {
	if o.Workers == 0 {
		o.Workers = usualWorkers
	}
	if o.Lease == 0 {
		o.Lease = usualLease
	}
	if o.Poll == 0 {
		o.Poll = usualPoll
	}
	return &Runner{
		Options: o, handlers: map[Kind]Handler{}, wake: make(chan struct{}, 1),
		stops: map[core.JobID]context.CancelCauseFunc{}, ended: map[core.JobID][]chan struct{}{},
	}
}

// Handle says who does jobs of a kind; before Run.
func (r *Runner) Handle(k Kind, h Handler) { r.handlers[k] = h }

// Wake has the runner look for jobs at once.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run takes up what a process of the same holder left, and runs what is due until
// ctx ends and everything has let go.
func (r *Runner) Run(ctx context.Context) {
	if err := r.Store.Release(ctx, r.Holder, r.Clock()); err != nil && ctx.Err() == nil {
		r.Log.Error("jobs", "err", err.Error()) // they are due when their leases end
	}
	var all sync.WaitGroup
	for range r.Workers {
		all.Go(func() { r.work(ctx) })
	}
	all.Wait()
}

// work is one worker.
func (r *Runner) work(ctx context.Context) {
	t := time.NewTicker(r.Poll)
	defer t.Stop()
	for ctx.Err() == nil {
		now := r.Clock()
		j, err := r.Store.Claim(ctx, r.Holder, now, now.Add(r.Lease))
		if err == nil {
			r.Wake() // there may be more
			r.do(ctx, j)
			continue
		}
		if !errs.Has(err, errs.JobMissing) && ctx.Err() == nil {
			r.Log.Error("jobs", "err", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-r.wake:
		}
	}
}

// ErrDone is what Undo returns when there is nothing to undo because all is done.
var ErrDone = errors.New("the work was done already")

var (
	errStopping = errors.New("the owner has cancelled it")
	errLost     = errors.New("another runner has it")
)

// do runs a claimed job until it ends, fails or has to wait.
func (r *Runner) do(ctx context.Context, j Job) {
	inner, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r.mu.Lock()
	_, here := r.stops[j.ID]
	if !here {
		r.stops[j.ID] = stop
	}
	r.mu.Unlock()
	if here { // the lease ran out under a worker of this process, which is still at it
		return
	}
	defer func() {
		r.mu.Lock()
		delete(r.stops, j.ID)
		r.mu.Unlock()
	}()
	if j.Stopping {
		stop(errStopping)
	}
	desk := &ledger{r: r, j: j, best: j.Done, stop: stop}
	beating, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()
	var beat sync.WaitGroup
	beat.Go(func() { desk.beat(beating) })
	err := inner.Err()
	h, known := r.handlers[j.Kind]
	switch {
	case !known:
		err = errs.Newf(errs.Unsupported, errs.JobMissing, "This version of the server does not know work of the kind %q.", j.Kind)
	case err == nil:
		err = r.safely(func() error { return h.Run(inner, j, desk.tell) })
	}
	after := r.settle(ctx, desk.now(), h, outcome{err: err, cause: context.Cause(inner)})
	rest()
	beat.Wait()
	if errors.Is(context.Cause(inner), errLost) {
		return
	}
	// What was done is not done again: this is written also when ctx has ended.
	if _, err := r.Store.Save(context.WithoutCancel(ctx), after); err != nil {
		r.Log.Error("jobs", "job", j.ID, "err", err.Error()) // it is taken up again when the lease ends
		return
	}
	if after.State.Ended() {
		r.tellEnded(j.ID)
	}
}

// outcome is how Run returned, and why its context had ended, if it had.
type outcome struct{ err, cause error }

// settle decides what becomes of j, and has it undone if need be.
func (r *Runner) settle(ctx context.Context, j Job, h Handler, o outcome) Job {
	now := r.Clock()
	j.Updated, j.Due = now, now
	j.Reason, j.Note = "", ""
	log := r.Log.With("job", j.ID, "kind", string(j.Kind), "tries", j.Tries)
	switch {
	case o.err == nil:
		j.State, j.Done = Completed, max(j.Done, j.Total)
		return j
	case errors.Is(o.cause, errLost):
		return j
	case errors.Is(o.cause, errStopping):
		j.State = Canceled
	case ctx.Err() != nil:
		j.State = Queued
		return j
	case final(o.err) || j.Tries >= maxTries:
		j.State = Failed
		j.Reason, j.Note = saying(o.err)
		log.Warn("job failed", "err", o.err.Error())
	default:
		j.State, j.Due = Suspended, now.Add(backoff(j.Tries))
		j.Reason, j.Note = saying(o.err)
		log.Warn("job will be tried again", "due", j.Due, "err", o.err.Error())
		return j
	}
	if h.Undo == nil {
		return j
	}
	err := r.safely(func() error { return h.Undo(ctx, j) })
	switch {
	case err == nil:
	case errors.Is(err, ErrDone):
		j.State, j.Reason, j.Note = Completed, "", ""
	case ctx.Err() != nil:
		j.State = Queued // the next process goes on with it
	default:
		log.Error("job not undone", "err", err.Error()) // what it left is swept
	}
	return j
}

// tellEnded tells those who wait for a job, and the owner's next one.
func (r *Runner) tellEnded(id core.JobID) {
	r.mu.Lock()
	for _, c := range r.ended[id] {
		close(c)
	}
	delete(r.ended, id)
	r.mu.Unlock()
	r.Wake()
}

// safely makes an error of a panic: one bad job must not take the server with it.
func (r *Runner) safely(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Log.Error("panic", "panic", p, "stack", string(debug.Stack()))
			err = errs.Newf(errs.Internal, "", "The work failed inside the server. Its log has the cause.").Because(fmt.Errorf("panic: %v", p))
		}
	}()
	return fn()
}

// final tells what would fail the same way again from what may pass.
func final(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Exists, errs.Gone, errs.TooLarge, errs.Unsupported:
		return true
	case errs.NoSpace:
		return errs.Has(err, errs.QuotaFull)
	case errs.Conflict:
		return errs.Has(err, errs.Locked)
	}
	return false
}

// saying is what the owner is told of err. The chain is for the log alone.
func saying(err error) (errs.Reason, string) {
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind == errs.Internal {
		return errs.StoreFailed, ""
	}
	return e.Reason, e.Note
}

// backoff is how long a job waits after that many tries.
func backoff(tries int) time.Duration {
	return min(firstWait<<min(max(tries-1, 0), 16), lastWait)
}

// ledger keeps the row of a running job up to date.
type ledger struct {
	r    *Runner
	stop context.CancelCauseFunc
	mu   sync.Mutex
	j    Job
	best int64 // how far it ever was
	news bool
}

func (l *ledger) tell(done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if done > l.best {
		l.best, l.j.Tries = done, 1 // it gets on: the tries that count are those in one place
	}
	l.news = l.news || l.best != l.j.Done || total != l.j.Total
	l.j.Done, l.j.Total = l.best, max(total, l.best)
}

func (l *ledger) now() Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.j
}

// beat writes progress and keeps the lease until ctx ends.
func (l *ledger) beat(ctx context.Context) {
	t := time.NewTicker(min(tellEach, l.r.Lease/3))
	defer t.Stop()
	last := l.r.Clock()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now := l.r.Clock()
		l.mu.Lock()
		j, news := l.j, l.news
		l.news = false
		l.mu.Unlock()
		if !news && now.Sub(last) < l.r.Lease/3 {
			continue
		}
		j.State, j.Updated, j.Due = Working, now, now.Add(l.r.Lease)
		stopping, err := l.r.Store.Save(ctx, j)
		switch {
		case errs.Has(err, errs.Changed):
			l.stop(errLost)
			return
		case err != nil && ctx.Err() == nil:
			l.r.Log.Error("jobs", "job", j.ID, "err", err.Error())
		case err == nil && stopping:
			l.stop(errStopping) // and on, for as long as it takes to undo it
			last = now
		case err == nil:
			last = now
		}
	}
}
