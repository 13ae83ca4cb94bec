package job

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// MaxOpen bounds the jobs that a user may have waiting.
const MaxOpen = 100

// MaxPage bounds a page of jobs.
const MaxPage = 200

// Mine returns a page of the caller's jobs.
func (r *Runner) Mine(ctx context.Context, who core.Actor, q Query) ([]Job, error) {
	const op = "job.Mine"
	if !who.Known() {
		return nil, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	q.Owner = who.User
	jobs, err := r.Store.Jobs(ctx, q)
	return jobs, errs.Wrap(op, err)
}

// Find returns a job of the caller; NotFound/job_missing.
func (r *Runner) Find(ctx context.Context, who core.Actor, id core.JobID) (Job, error) {
	const op = "job.Find"
	if !who.Known() {
		return Job{}, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	j, err := r.Store.Job(ctx, id)
	if err == nil && j.Owner != who.User {
		err = errs.New(errs.NotFound, errs.JobMissing)
	}
	return j, errs.Wrap(op, err)
}

// CanCancel reports whether jobs of that kind are undone when they are cancelled.
func (r *Runner) CanCancel(j Job) bool { return !j.State.Ended() && r.handlers[j.Kind].Undo != nil }

// Cancel has a job of the caller undone. That may take a while: it is canceled when
// its state says so. NotFound/job_missing; Conflict/job_stays for one that has ended
// and for kinds that cannot be cancelled.
func (r *Runner) Cancel(ctx context.Context, who core.Actor, id core.JobID) error {
	const op = "job.Cancel"
	j, err := r.Find(ctx, who, id)
	switch {
	case err != nil:
		return errs.Wrap(op, err)
	case j.State.Ended():
		return errs.Newf(errs.Conflict, errs.JobStays, "This work has ended already: there is nothing to cancel.").At(op)
	case !r.CanCancel(j):
		return errs.Newf(errs.Conflict, errs.JobStays, "What is being deleted for good cannot be brought back.").At(op)
	}
	err = r.Store.Cancel(ctx, id, who.User, r.Clock())
	if errs.Has(err, errs.JobMissing) {
		return errs.Newf(errs.Conflict, errs.JobStays, "This work has just ended: there is nothing to cancel.").At(op)
	}
	if err != nil {
		return errs.Wrap(op, err)
	}
	r.mu.Lock()
	if stop := r.stops[id]; stop != nil {
		stop(errStopping)
	}
	r.mu.Unlock()
	r.Wake()
	return nil
}

// Wait returns a job when it has ended in this process, or as it is when ctx ends.
func (r *Runner) Wait(ctx context.Context, id core.JobID) (Job, error) {
	const op = "job.Wait"
	done := make(chan struct{})
	r.mu.Lock()
	r.ended[id] = append(r.ended[id], done)
	r.mu.Unlock()
	defer r.leave(id, done)
	read := context.WithoutCancel(ctx) // an impatient caller is told how far it is, not that there is an error
	j, err := r.Store.Job(read, id)
	if err != nil || j.State.Ended() {
		return j, errs.Wrap(op, err)
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	j, err = r.Store.Job(read, id)
	return j, errs.Wrap(op, err)
}

func (r *Runner) leave(id core.JobID, done chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []chan struct{}
	for _, c := range r.ended[id] {
		if c != done {
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		delete(r.ended, id)
		return
	}
	r.ended[id] = rest
}
