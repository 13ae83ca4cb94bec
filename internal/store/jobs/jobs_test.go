package jobs_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/jobs"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// each runs a test on an empty database of each kind.
func each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func want(t testing.TB, err error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	if !errs.Is(err, kind) || !errs.Has(err, reason) {
		t.Errorf("got error %v, want %v/%v", err, kind, reason)
	}
}

func equal[V any](t testing.TB, what string, got, want V) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

const lease = time.Minute

// jobHome is a user with jobs.
type jobHome struct {
	*storetest.Home
	*jobs.Queue
}

func newJobHome(t testing.TB, s *store.Store) *jobHome {
	t.Helper()
	return &jobHome{storetest.NewHome(t, s, -1), jobs.Over(s)}
}

// add adds a job that is due at that time.
func (h *jobHome) add(at time.Time) job.Job {
	h.T.Helper()
	j := job.Job{
		ID: core.JobID(h.ID()), Owner: h.User.ID, Kind: "copy", Args: []byte(`{"a":1}`), From: "/a", To: "/b", Created: at,
	}
	h.Must(h.InTx(h.Ctx, func(_ catalog.Tx, q job.Adder) error { return q.Add(h.Ctx, j) }))
	j.State, j.Due, j.Updated = job.Queued, at, at
	return j
}

// claim claims what is due.
func (h *jobHome) claim(holder string, now time.Time) job.Job {
	h.T.Helper()
	j, err := h.Claim(h.Ctx, holder, now, now.Add(lease))
	h.Must(err)
	return j
}

// none checks that nothing is due.
func (h *jobHome) none(now time.Time) {
	h.T.Helper()
	j, err := h.Claim(h.Ctx, "none", now, now.Add(lease))
	if err == nil {
		h.T.Errorf("claimed %+v", j)
		return
	}
	want(h.T, err, errs.NotFound, errs.JobMissing)
}

func TestAJobIsOneRunnersUntilItsLeaseIsOver(t *testing.T) {
	t.Parallel()
	each(t, testLeases)
}

func testLeases(t *testing.T, s *store.Store) {
	at := func(hours int) time.Time { return storetest.Epoch.Add(time.Duration(hours) * time.Hour) }

	h := newJobHome(t, s)
	j := h.add(at(0))
	got, err := h.Job(h.Ctx, j.ID)
	h.Must(err)
	equal(t, "job as added", got, j)

	failure := errors.New("no")
	lost := job.Job{ID: core.JobID(h.ID()), Owner: h.User.ID, Kind: "copy", Created: at(0)}
	err = h.InTx(h.Ctx, func(_ catalog.Tx, q job.Adder) error {
		h.Must(q.Add(h.Ctx, lost))
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	_, err = h.Job(h.Ctx, lost.ID)
	want(t, err, errs.NotFound, errs.JobMissing)

	h.none(at(0).Add(-time.Second))
	j = h.claim("one", at(0))
	equal(t, "claimed", []any{j.State, j.Tries, j.Holder, j.Due}, []any{job.Working, 1, "one", at(0).Add(lease)})
	h.none(at(0)) // it is leased

	j.Done, j.Total, j.Due, j.Updated = 3, 7, at(1).Add(lease), at(1)
	stopping, err := h.Save(h.Ctx, j)
	h.Must(err)
	equal(t, "stopping", stopping, false)
	got, err = h.Job(h.Ctx, j.ID)
	h.Must(err)
	equal(t, "job with progress", got, j)

	// A second job of the same owner waits; another's does not.
	second := h.add(at(0))
	h.none(at(1))
	other := newJobHome(t, s)
	theirs := other.add(at(0))
	equal(t, "another's", h.claim("one", at(1)).ID, theirs.ID)

	// Whose lease is over has lost the job to the next, who sees how far it was.
	again := h.claim("two", at(2))
	equal(t, "taken up", []any{again.ID, again.Tries, again.Done}, []any{j.ID, 2, int64(3)})
	_, err = h.Save(h.Ctx, j)
	want(t, err, errs.Conflict, errs.Changed)
	h.Must(h.Release(h.Ctx, "one", at(2))) // not of two
	equal(t, "released", h.claim("one", at(2)).ID, theirs.ID)
	h.none(at(2))
	h.Must(h.Release(h.Ctx, "two", at(2)))
	again = h.claim("two", at(2))

	// The owner, and nobody else, cancels.
	want(t, other.Cancel(h.Ctx, j.ID, other.User.ID, at(2)), errs.NotFound, errs.JobMissing)
	h.Must(h.Cancel(h.Ctx, j.ID, h.User.ID, at(2)))
	if stopping, err = h.Save(h.Ctx, again); err != nil || !stopping {
		t.Errorf("a cancelled job: stopping %v, %v", stopping, err)
	}
	h.Must(h.Cancel(h.Ctx, second.ID, h.User.ID, at(2)))
	got, err = h.Job(h.Ctx, second.ID)
	h.Must(err)
	equal(t, "never begun", got.State, job.Canceled)

	// One that waits to be tried again is due at once when it is cancelled.
	again.State, again.Due, again.Reason, again.Note = job.Suspended, at(9), errs.StoreFailed, "why"
	_, err = h.Save(h.Ctx, again)
	h.Must(err)
	open, err := h.Open(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "open", open, 1)
	h.none(at(2))
	h.Must(h.Cancel(h.Ctx, j.ID, h.User.ID, at(3)))
	again = h.claim("two", at(3))
	equal(t, "claimed to be undone", []any{again.ID, again.Stopping, again.Note}, []any{j.ID, true, "why"})
	again.State, again.Updated = job.Canceled, at(3)
	_, err = h.Save(h.Ctx, again)
	h.Must(err)
	want(t, h.Cancel(h.Ctx, j.ID, h.User.ID, at(3)), errs.NotFound, errs.JobMissing)
	_, err = h.Save(h.Ctx, again) // once
	want(t, err, errs.Conflict, errs.Changed)

	testJobPages(t, h)
	n, err := h.Prune(h.Ctx, at(3), 10) // the second, which ended before
	h.Must(err)
	equal(t, "pruned", n, 1)
	n, err = h.Prune(h.Ctx, at(4), 10)
	h.Must(err)
	equal(t, "pruned", n, 1)
}

func testJobPages(t *testing.T, h *jobHome) {
	t.Helper()
	var all []core.JobID
	q := job.Query{Owner: h.User.ID, Limit: 1}
	for {
		page, err := h.Jobs(h.Ctx, q)
		h.Must(err)
		if len(page) == 0 {
			break
		}
		if q.After != 0 && page[0].ID >= q.After {
			t.Errorf("%d comes after %d", page[0].ID, q.After)
		}
		all, q.After = append(all, page[0].ID), page[0].ID
	}
	equal(t, "own jobs", len(all), 2)
	page, err := h.Jobs(h.Ctx, job.Query{Limit: 100})
	h.Must(err)
	equal(t, "everybody's jobs", len(page), 3)
}

func TestOfManyRunnersOneGetsAJob(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *store.Store) {
		h := newJobHome(t, s)
		h.add(storetest.Epoch)
		won := make(chan job.Job, 8)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				j, err := h.Claim(h.Ctx, core.NewUUID(), storetest.Epoch, storetest.Epoch.Add(lease))
				if err == nil {
					won <- j
				} else if !errs.Has(err, errs.JobMissing) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Errorf("%d have it", len(won))
		}
	})
}
