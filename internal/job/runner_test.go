package job_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// What rows keep is tested with the store; here is what the runner does with them.
// The tests run in a bubble, where minutes pass at once.

const work job.Kind = "work"

// shelf keeps one job in memory.
type shelf struct {
	mu   sync.Mutex
	j    job.Job
	lost bool // another runner has taken it
}

var missing = errs.New(errs.NotFound, errs.JobMissing)

func (s *shelf) Claim(_ context.Context, holder string, now, until time.Time) (job.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost || s.j.State.Ended() || s.j.Due.After(now) {
		return job.Job{}, missing
	}
	s.j.Tries++
	s.j.State, s.j.Holder, s.j.Due = job.Working, holder, until
	return s.j, nil
}

func (s *shelf) Save(_ context.Context, j job.Job) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost {
		return false, errs.New(errs.Conflict, errs.Changed)
	}
	j.Stopping = s.j.Stopping
	s.j = j
	return j.Stopping, nil
}

func (s *shelf) Job(context.Context, core.JobID) (job.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.j, nil
}

func (s *shelf) Cancel(context.Context, core.JobID, core.UserID, time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.j.Stopping = true
	return nil
}

func (s *shelf) Release(context.Context, string, time.Time) error   { return nil }
func (s *shelf) Jobs(context.Context, job.Query) ([]job.Job, error) { return nil, nil }
func (s *shelf) Open(context.Context, core.UserID) (int, error)     { return 1, nil }
func (s *shelf) Prune(context.Context, time.Time, int) (int, error) { return 0, nil }

var owner = core.Actor{User: 7, Via: core.ViaToken}

// run works at one job until it has ended or the time is over, and returns it.
func run(t *testing.T, s *shelf, h job.Handler, most time.Duration) job.Job {
	t.Helper()
	s.j.ID, s.j.Owner, s.j.Kind, s.j.State = 1, owner.User, work, job.Queued
	r := job.New(job.Options{Store: s, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Holder: "here", Poll: time.Second})
	r.Handle(work, h)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { r.Run(ctx); close(ended) }()
	waiting, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	j, err := r.Wait(waiting, 1)
	if err != nil {
		t.Error(err)
	}
	stop()
	<-ended
	return j
}

func TestWhatMayPassIsTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		h := job.Handler{Run: func(context.Context, job.Job, func(done, total int64)) error {
			if at = append(at, time.Since(began)); len(at) < 5 {
				return errs.New(errs.Transient, errs.StoreFailed)
			}
			return nil
		}}
		if j := run(t, &shelf{}, h, time.Hour); j.State != job.Completed || j.Reason != "" {
			t.Errorf("%+v", j)
		}
		for i := 2; i < len(at); i++ {
			if wait, before := at[i]-at[i-1], at[i-1]-at[i-2]; wait <= before {
				t.Errorf("try %d came %v after the one before, which had waited %v", i, wait, before)
			}
		}
	})
}

func TestWhatNeverPassesIsGivenUpUndoneAndSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		tries int
	}{
		"the quota is full":  {errs.Newf(errs.NoSpace, errs.QuotaFull, "Full."), 1},
		"the disk is broken": {errs.Newf(errs.Transient, errs.StoreFailed, "Broken."), 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				runs, undone := 0, 0
				j := run(t, &shelf{}, job.Handler{
					Run:  func(context.Context, job.Job, func(done, total int64)) error { runs++; return c.err },
					Undo: func(context.Context, job.Job) error { undone++; return nil },
				}, 24*time.Hour)
				if j.State != job.Failed || j.Note == "" || runs != c.tries || undone != 1 {
					t.Errorf("%d runs, undone %d times: %+v", runs, undone, j)
				}
			})
		})
	}
}

func TestOnlyTriesInOnePlaceCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := int64(0)
		j := run(t, &shelf{}, job.Handler{Run: func(_ context.Context, _ job.Job, tell func(done, total int64)) error {
			if runs++; runs == 40 {
				return nil
			}
			tell(runs, 40)
			return errs.New(errs.Transient, errs.StoreFailed)
		}}, 24*time.Hour)
		if j.State != job.Completed || j.Done != 40 {
			t.Errorf("after %d runs: %+v", runs, j)
		}
	})
}

func TestAPanicIsAFailureOfItsJobAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		j := run(t, &shelf{}, job.Handler{Run: func(context.Context, job.Job, func(done, total int64)) error {
			if runs++; runs == 1 {
				panic("no")
			}
			return nil
		}}, time.Hour)
		if j.State != job.Completed || runs != 2 {
			t.Errorf("%d runs: %+v", runs, j)
		}
	})
}

func TestWhoLostTheLeaseStopsAndWritesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		var cause error
		undone := false
		run(t, s, job.Handler{
			Run: func(ctx context.Context, _ job.Job, _ func(done, total int64)) error {
				s.mu.Lock()
				s.lost, s.j.Holder = true, "there"
				s.mu.Unlock()
				<-ctx.Done()
				cause = context.Cause(ctx)
				return ctx.Err()
			},
			Undo: func(context.Context, job.Job) error { undone = true; return nil },
		}, time.Hour)
		if cause == nil || errors.Is(cause, context.Canceled) || undone || s.j.Holder != "there" || s.j.State != job.Working {
			t.Errorf("stopped because %v, undone %v: %+v", cause, undone, s.j)
		}
	})
}

func TestTheLeaseIsKeptForAsLongAsItTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, runs := &shelf{}, 0
		j := run(t, s, job.Handler{Run: func(context.Context, job.Job, func(done, total int64)) error {
			runs++
			time.Sleep(10 * time.Minute)
			return nil
		}}, time.Hour)
		if j.State != job.Completed || runs != 1 {
			t.Errorf("%d runs: %+v", runs, j)
		}
	})
}

func TestACancelledJobStopsSoonAndIsUndone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, undone := &shelf{}, false
		began := time.Now()
		j := run(t, s, job.Handler{
			Run: func(ctx context.Context, _ job.Job, _ func(done, total int64)) error {
				_ = s.Cancel(ctx, 1, owner.User, time.Now()) // by another process: told by the row alone
				<-ctx.Done()
				return ctx.Err()
			},
			Undo: func(context.Context, job.Job) error { undone = true; return nil },
		}, time.Hour)
		if j.State != job.Canceled || !undone || time.Since(began) > time.Minute {
			t.Errorf("after %v, undone %v: %+v", time.Since(began), undone, j)
		}
	})
}
