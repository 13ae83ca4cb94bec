package arrange

import (
	"context"
	"encoding/json"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// The kinds of work that go on behind an answer.
const (
	CopyKind   job.Kind = "copy"
	DeleteKind job.Kind = "delete"
)

// Jobs is where work goes that takes longer than a request should.
type Jobs interface {
	// InTx is InTx of Options.Store, whose transactions can add jobs.
	InTx(ctx context.Context, fn func(catalog.Tx, job.Adder) error) error
	// Open counts what a user has waiting.
	Open(ctx context.Context, owner core.UserID) (int, error)
	// Wake has jobs looked for, and Wait returns one when it has ended or ctx has.
	Wake()
	Wait(ctx context.Context, id core.JobID) (job.Job, error)
}

// Handlers returns who does the jobs.
func (k *Keeper) Handlers() map[job.Kind]job.Handler {
	return map[job.Kind]job.Handler{
		CopyKind:   {Run: k.copyJob, Undo: k.undoCopy},
		DeleteKind: {Run: k.deleteJob},
	}
}

// inTx runs fn in a transaction that can add jobs. Where there is no place for them
// they are done before it returns.
func (k *Keeper) inTx(ctx context.Context, fn func(catalog.Tx, job.Adder) error) error {
	if k.Jobs != nil {
		var kept noting
		err := k.Jobs.InTx(ctx, func(tx catalog.Tx, q job.Adder) error {
			kept = noting{q: q}
			return fn(tx, &kept)
		})
		if err == nil && len(kept.jobs) > 0 {
			k.Jobs.Wake()
		}
		return err
	}
	var kept noting
	err := k.Store.InTx(ctx, func(tx catalog.Tx) error {
		kept = noting{}
		return fn(tx, &kept)
	})
	if err != nil {
		return err
	}
	for _, j := range kept.jobs {
		h := k.Handlers()[j.Kind]
		if err = h.Run(ctx, j, func(int64, int64) {}); err != nil && h.Undo != nil {
			// Should this fail, too: it is due.
			_ = h.Undo(context.WithoutCancel(ctx), j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noting notes what is added, and adds it to q if there is one.
type noting struct {
	q    job.Adder
	jobs []job.Job
}

// Add implements job.Adder.
func (n *noting) Add(ctx context.Context, j job.Job) error {
	n.jobs = append(n.jobs, j)
	if n.q == nil {
		return nil
	}
	return n.q.Add(ctx, j)
}

// steps tells how far a job is.
type steps struct {
	done, total int64
	tell        func(done, total int64)
}

func (s *steps) add(n int) {
	s.done += int64(n)
	s.tell(s.done, s.total)
}

// pack and unpack are Args of jobs. Names in them stay what they are: rows have them.
func pack[T any](v T) []byte {
	b, _ := json.Marshal(v) // numbers and strings cannot fail
	return b
}

func unpack[T any](j job.Job) (v T, err error) {
	if err := json.Unmarshal(j.Args, &v); err != nil {
		return v, errs.Newf(errs.Unsupported, errs.JobMissing, "This version of the server cannot read what this work is about.").Because(err)
	}
	return v, nil
}
