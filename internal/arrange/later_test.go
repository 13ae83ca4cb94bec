package arrange_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
	"github.com/wharfinger/wharfinger/internal/store/jobs"
)

// life is one life of a process: after it has ended nothing is written any more.
type life struct {
	catalog.Store
	*runner

	left atomic.Int64 // transactions of the keeper until the process is killed
	dead atomic.Bool
	stop func()
}

var errKilled = errors.New("the process is not there any more")

// InTx implements catalog.Store; jobs are added in queue.
func (l *life) InTx(ctx context.Context, fn func(catalog.Tx) error) error {
	if l.left.Add(-1) < 0 {
		l.dead.Store(true)
	}
	if l.dead.Load() {
		return errKilled
	}
	return l.Store.InTx(ctx, fn)
}

// rows are those of a process that may be dead.
type rows struct {
	*jobs.Queue
	dead *atomic.Bool
}

// Save implements job.Leases.
func (r rows) Save(ctx context.Context, j job.Job) (bool, error) {
	if r.dead.Load() {
		return false, errKilled
	}
	return r.Queue.Save(ctx, j)
}

// Claim implements job.Leases.
func (r rows) Claim(ctx context.Context, holder string, now, until time.Time) (job.Job, error) {
	if r.dead.Load() {
		return job.Job{}, errKilled
	}
	return r.Queue.Claim(ctx, holder, now, until)
}

// runner hides the store of its options, which life has one of its own of.
type runner struct{ *job.Runner }

type background struct {
	*jobs.Queue
	*job.Runner
}

// live begins a life of at most that many transactions: all requests go to it.
func (w *world) live(transactions int64) *life {
	w.t.Helper()
	queue := jobs.Over(w.Store)
	l := &life{Store: w.Names}
	l.left.Store(transactions)
	clock := func() time.Time { return w.now }
	l.runner = &runner{job.New(job.Options{
		Store: rows{queue, &l.dead}, Clock: clock, Log: slog.New(slog.DiscardHandler), Holder: "here", Poll: time.Millisecond,
	})}
	w.Keeper = arrange.New(arrange.Options{
		Store: l, Catalog: w.cat, Clock: clock, Jobs: background{queue, l.Runner},
		Patience: 50 * time.Millisecond, // nobody waits for what a dead process does
	})
	w.BoundCopies(3, 1000)
	w.BoundRemovals(3)
	for kind, h := range w.Handlers() {
		l.Handle(kind, h)
	}
	ctx, cancel := context.WithCancel(w.Ctx)
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	l.stop = func() { cancel(); running.Wait() }
	w.t.Cleanup(l.stop)
	return l
}

// jobs returns all jobs of the user, when none is open any more or the life is over.
func (w *world) ended(l *life) []job.Job {
	w.t.Helper()
	for {
		page, err := l.Mine(w.Ctx, w.who, job.Query{Limit: job.MaxPage})
		w.Must(err)
		open := false
		for _, j := range page {
			open = open || !j.State.Ended()
		}
		if !open || l.dead.Load() {
			return page
		}
		time.Sleep(time.Millisecond)
	}
}

// forest makes a tree that takes many turns.
func (w *world) forest() (tree []string, bytes int64) {
	w.t.Helper()
	for d := range 3 {
		for i := range 4 {
			w.file(fmt.Sprintf("/a/%d/x/%d", d, i), 2)
			tree = append(tree, fmt.Sprintf("%d/x/%d 2", d, i))
			bytes += 2
		}
	}
	return tree, bytes
}

func under(prefix string, tree []string) []string {
	out := make([]string, len(tree))
	for i, l := range tree {
		out[i] = prefix + l
	}
	return out
}

func TestACopyGoesOnAfterTheProcessWasKilledAtAnyTurn(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		tree, bytes := w.forest()
		want := under("a/", tree)
		for turn := range int64(14) {
			w.mkdir("/to")
			first := w.live(turn)
			failed, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
			w.Must(err)
			if len(failed) > 0 {
				w.t.Fatalf("turn %d: %v", turn, failed)
			}
			w.ended(first)
			first.stop()
			if !first.dead.Load() && turn < 5 {
				w.t.Fatalf("the process was not killed at turn %d", turn)
			}
			second := w.live(1000)
			for _, j := range w.ended(second) {
				if j.State != job.Completed || j.Done != j.Total {
					w.t.Errorf("turn %d: %+v", turn, j)
				}
			}
			w.drive(append(append([]string{}, want...), under("to/a/", tree)...)...)
			w.accounts(2 * bytes)
			w.all(w.Remove(w.Ctx, w.who, w.refs("/to")))
			w.ended(second)
			second.stop()
			w.accounts(bytes)
			w.drive(want...)
		}
	})
}

func TestALargeDeleteIsOutOfSightAtOnceAndGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		for turn := range int64(8) {
			w.forest()
			first := w.live(turn)
			w.all(w.Remove(w.Ctx, w.who, w.refs("/a")))
			w.drive()
			w.ended(first)
			first.stop()
			if !first.dead.Load() && turn < 4 {
				w.t.Fatalf("the process was not killed at turn %d", turn)
			}
			second := w.live(1000)
			for _, j := range w.ended(second) {
				if j.State != job.Completed {
					w.t.Errorf("turn %d: %+v", turn, j)
				}
			}
			second.stop()
			w.accounts(0)
		}
		root, err := w.Names.HiddenRoot(w.Ctx, w.User.ID, "removed")
		w.Must(err)
		if n, err := w.Names.CountBelow(w.Ctx, root.ID, 10); n != 1 || err != nil {
			w.t.Errorf("%d nodes are left, %v", n, err)
		}
	})
}

func TestALargeTrashIsEmptyAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.forest()
		l := w.live(1000)
		w.all(w.Trash(w.Ctx, w.who, w.refs("/a")))
		w.Must(w.Empty(w.Ctx, w.who))
		if got := w.tree(catalog.Ref{Trash: true}); len(got) > 0 {
			w.t.Errorf("the trash holds %v", got)
		}
		w.file("/b", 1)
		w.all(w.Trash(w.Ctx, w.who, w.refs("/b"))) // into a new one
		if got := w.tree(catalog.Ref{Trash: true}); len(got) != 1 {
			w.t.Errorf("the trash holds %v", got)
		}
		w.ended(l)
		w.accounts(1)
	})
}

func TestACancelledCopyLeavesTheDriveAsItWas(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		tree, bytes := w.forest()
		w.mkdir("/to")
		first := w.live(4) // dies in the middle
		_, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
		w.Must(err)
		half := w.ended(first)
		first.stop()
		w.Must(first.Runner.Cancel(w.Ctx, w.who, half[0].ID))
		second := w.live(1000)
		got := w.ended(second)
		if len(got) != 1 || got[0].State != job.Canceled {
			w.t.Errorf("jobs: %+v", got)
		}
		w.drive(append(under("a/", tree), "to/")...)
		w.accounts(bytes)
		if root, err := w.Names.HiddenRoot(w.Ctx, w.User.ID, "copies"); err == nil {
			if n, err := w.Names.CountBelow(w.Ctx, root.ID, 10); n != 1 || err != nil {
				w.t.Errorf("%d nodes are left, %v", n, err)
			}
		}
		w.want(second.Runner.Cancel(w.Ctx, w.who, got[0].ID), errs.Conflict, errs.JobStays)
		stranger := core.Actor{User: w.User.ID + 1, Via: core.ViaToken}
		w.want(second.Runner.Cancel(w.Ctx, stranger, got[0].ID), errs.NotFound, errs.JobMissing)
	})
}

func TestACopyWhoseFolderIsGoneSaysSoAndIsUndone(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		tree, bytes := w.forest()
		w.mkdir("/to")
		first := w.live(4)
		_, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
		w.Must(err)
		w.ended(first)
		first.stop()
		second := w.live(0) // does no work
		second.stop()
		w.Must(func() error {
			n, err := w.cat.Find(w.Ctx, w.who, w.at("/to"))
			w.Must(err)
			return w.Names.InTx(w.Ctx, func(tx catalog.Tx) error { _, err := tx.RemoveTree(w.Ctx, n.ID, w.now); return err })
		}())
		third := w.live(1000)
		got := w.ended(third)
		if len(got) != 1 || got[0].State != job.Failed || got[0].Reason != errs.PathMissing || got[0].Note == "" {
			w.t.Errorf("jobs: %+v", got)
		}
		w.drive(under("a/", tree)...)
		w.accounts(bytes)
	})
}
