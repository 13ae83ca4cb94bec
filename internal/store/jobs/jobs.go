package jobs

import (
	"context"
	"math"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Base is a store whose transactions reach the rows of the catalog too.
type Base interface {
	part.Base
	Both(ctx context.Context, fn func(catalog.Tx, part.Turn) error) error
}

// Queue keeps jobs in a database.
type Queue struct{ base Base }

var _ job.Store = (*Queue)(nil)

// Over returns the jobs of a store.
func Over(b Base) *Queue { return &Queue{base: b} }

// adder adds jobs in one transaction.
type adder struct{ turn part.Turn }

// Add implements job.Adder.
func (a adder) Add(ctx context.Context, j job.Job) error {
	return a.turn.Fail("jobs.Add", a.turn.AddJob(ctx, query.AddJobParams{
		ID: int64(j.ID), Owner: int64(j.Owner), Kind: string(j.Kind), Args: string(j.Args), Source: j.From, Target: j.To,
		CreatedUs: core.Micros(j.Created),
	}))
}

// InTx is InTx of the catalog, in whose transactions jobs can be added.
func (s *Queue) InTx(ctx context.Context, fn func(catalog.Tx, job.Adder) error) error {
	return s.base.Both(ctx, func(tx catalog.Tx, t part.Turn) error { return fn(tx, adder{t}) })
}

func toJob(r query.Job) job.Job {
	return job.Job{
		ID: core.JobID(r.ID), Owner: core.UserID(r.Owner), Kind: job.Kind(r.Kind), Args: []byte(r.Args), From: r.Source, To: r.Target,
		State: job.State(r.State), Stopping: r.IsStopping, Done: r.Done, Total: r.Total, Tries: int(r.Tries),
		Reason: errs.Reason(r.Reason), Note: r.Note, Due: core.FromMicros(r.DueUs), Holder: r.Holder,
		Created: core.FromMicros(r.CreatedUs), Updated: core.FromMicros(r.UpdatedUs),
	}
}

// Job implements job.Rows.
func (s *Queue) Job(ctx context.Context, id core.JobID) (job.Job, error) {
	t := s.base.Read()
	r, err := t.Job(ctx, int64(id))
	if err != nil {
		return job.Job{}, t.Found("jobs.Job", err, errs.JobMissing)
	}
	return toJob(r), nil
}

// Jobs implements job.Rows.
func (s *Queue) Jobs(ctx context.Context, q job.Query) ([]job.Job, error) {
	t := s.base.Read()
	after := int64(q.After)
	if after == 0 {
		after = math.MaxInt64
	}
	read := func() ([]query.Job, error) {
		return t.JobsOf(ctx, query.JobsOfParams{Owner: int64(q.Owner), After: after, Lim: int64(q.Limit)})
	}
	if q.Owner == 0 {
		read = func() ([]query.Job, error) {
			return t.AllJobs(ctx, query.AllJobsParams{After: after, Lim: int64(q.Limit)})
		}
	}
	rows, err := read()
	if err != nil {
		return nil, t.Fail("jobs.Jobs", err)
	}
	out := make([]job.Job, len(rows))
	for i, r := range rows {
		out[i] = toJob(r)
	}
	return out, nil
}

// Open implements job.Rows.
func (s *Queue) Open(ctx context.Context, owner core.UserID) (int, error) {
	t := s.base.Read()
	n, err := t.CountOpenJobs(ctx, int64(owner))
	return int(n), t.Fail("jobs.Open", err)
}

// Cancel implements job.Rows.
func (s *Queue) Cancel(ctx context.Context, id core.JobID, owner core.UserID, at time.Time) error {
	const op = "jobs.Cancel"
	return s.base.Write(ctx, func(t part.Turn) error {
		n, err := t.CancelJob(ctx, query.CancelJobParams{NowUs: core.Micros(at), ID: int64(id), Owner: int64(owner)})
		if err == nil && n == 0 {
			return errs.New(errs.NotFound, errs.JobMissing).At(op)
		}
		return t.Fail(op, err)
	})
}

// Prune implements job.Rows.
func (s *Queue) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	var gone int64
	err := s.base.Write(ctx, func(t part.Turn) (err error) {
		gone, err = t.PruneJobs(ctx, query.PruneJobsParams{BeforeUs: core.Micros(before), Lim: int64(limit)})
		return t.Fail("jobs.Prune", err)
	})
	return int(gone), err
}

// Claim implements job.Leases. It looks on a reader, so that an idle server writes
// nothing; of two who see one job, the statement that takes it gives it to one.
func (s *Queue) Claim(ctx context.Context, holder string, now, until time.Time) (job.Job, error) {
	const op = "jobs.Claim"
	r := s.base.Read()
	due, err := r.DueJobs(ctx, core.Micros(now))
	if err != nil {
		return job.Job{}, r.Fail(op, err)
	}
	for _, id := range due {
		var got []query.Job
		err := s.base.Write(ctx, func(t part.Turn) (err error) {
			got, err = t.ClaimJob(ctx, query.ClaimJobParams{Holder: holder, UntilUs: core.Micros(until), NowUs: core.Micros(now), ID: id})
			return t.Fail(op, err)
		})
		if err != nil {
			return job.Job{}, err
		}
		if len(got) == 1 {
			return toJob(got[0]), nil
		}
	}
	return job.Job{}, errs.New(errs.NotFound, errs.JobMissing).At(op)
}

// Save implements job.Leases.
func (s *Queue) Save(ctx context.Context, j job.Job) (stopping bool, err error) {
	const op = "jobs.Save"
	var ended int64
	if j.State.Ended() {
		ended = core.Micros(j.Updated)
	}
	err = s.base.Write(ctx, func(t part.Turn) error {
		got, err := t.SaveJob(ctx, query.SaveJobParams{
			State: string(j.State), Done: j.Done, Total: j.Total, Tries: int64(j.Tries), Reason: string(j.Reason), Note: j.Note,
			DueUs: core.Micros(j.Due), EndedUs: ended, UpdatedUs: core.Micros(j.Updated), ID: int64(j.ID), Holder: j.Holder,
		})
		if err == nil && len(got) == 0 {
			return errs.New(errs.Conflict, errs.Changed).At(op)
		}
		stopping = err == nil && got[0]
		return t.Fail(op, err)
	})
	return stopping, err
}

// Release implements job.Leases.
func (s *Queue) Release(ctx context.Context, holder string, now time.Time) error {
	return s.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("jobs.Release", t.ReleaseJobs(ctx, query.ReleaseJobsParams{NowUs: core.Micros(now), Holder: holder}))
	})
}
