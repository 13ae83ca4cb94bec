package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// ScrubOptions say how to re-read everything that is stored. All are needed.
type ScrubOptions struct {
	Every time.Duration // everything is read once in this time
	// Load and Save keep the place, so that a restart goes on where it was; Load
	// returns "" before the first Save.
	Load  func(ctx context.Context) (string, error)
	Save  func(ctx context.Context, place string) error
	Sleep func(ctx context.Context, d time.Duration) error // returns early when ctx ends
	Found func(Finding)                                    // told of every content that is not sound, or is sound again
	// Failed is told of contents that could not be looked at this time, which says
	// nothing of them.
	Failed func(error)
}

// The rate follows from what is left and in how much time, within these bounds:
// a full disk is read in time, and never to the cost of those who wait for it.
const (
	slowestScrub = 1 << 20  // bytes a second
	fastestScrub = 64 << 20 // bytes a second
)

const (
	scrubBatch = 100
	scrubSave  = time.Minute            // how much of the work a crash may cost
	scrubRate  = 10 * time.Minute       // how often the rate is worked out anew
	scrubSorry = time.Second            // after a content that could not be looked at
	scrubNap   = 100 * time.Millisecond // the shortest sleep: reading goes in bursts of that
)

// scrubPlace is where a scrub is. It is kept as JSON.
type scrubPlace struct {
	Began time.Time      `json:"began"` // this pass
	After core.VersionID `json:"after"`
	Done  bool           `json:"done"` // the pass, which waits for its time to be over
}

type scrub struct {
	c *Catalog
	ScrubOptions
	at    scrubPlace
	saved time.Time
	rated time.Time
	rate  float64 // bytes a second
	owed  float64 // seconds of sleep
}

// Scrub re-reads all contents for ever, one at a time, and marks those whose
// bytes are not what was received, so that they are not served. It returns when
// ctx ends, or with what keeps it from going on; called again it goes on from
// its place.
func (c *Catalog) Scrub(ctx context.Context, o ScrubOptions) error {
	const op = "catalog.Scrub"
	s := &scrub{c: c, ScrubOptions: o, saved: c.clock()}
	text, err := s.Load(ctx)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if text == "" || json.Unmarshal([]byte(text), &s.at) != nil {
		s.at = scrubPlace{Began: c.clock()}
	}
	for ctx.Err() == nil && err == nil {
		if s.at.Done {
			err = s.wait(ctx)
		} else {
			err = s.batch(ctx)
		}
	}
	err = errors.Join(err, s.save(context.WithoutCancel(ctx)))
	if ctx.Err() != nil && errs.Is(err, errs.Canceled) {
		return nil
	}
	return errs.Wrap(op, err)
}

// wait sleeps until the next pass begins.
func (s *scrub) wait(ctx context.Context) error {
	left := s.at.Began.Add(s.Every).Sub(s.c.clock())
	if left > 0 {
		return s.Sleep(ctx, left)
	}
	s.at = scrubPlace{Began: s.c.clock()}
	return s.save(ctx)
}

func (s *scrub) batch(ctx context.Context) error {
	page, err := s.c.store.VersionsAfter(ctx, s.at.After, scrubBatch)
	if err != nil {
		return err
	}
	if len(page) == 0 {
		s.at.Done = true
		return s.save(ctx)
	}
	for _, v := range page {
		if err := s.pace(ctx); err != nil {
			return err
		}
		f, err := s.c.Examine(ctx, v, Examination{Read: true, Mark: true, Pace: s.slow})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.Failed(err)
			if err := s.Sleep(ctx, scrubSorry); err != nil {
				return err
			}
		case f != nil:
			s.Found(*f)
		}
		s.at.After = v.ID
		if s.c.clock().Sub(s.saved) >= scrubSave {
			if err := s.save(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// pace works out the rate that reads what is left in the time that is left.
func (s *scrub) pace(ctx context.Context) error {
	now := s.c.clock()
	if s.rate > 0 && now.Sub(s.rated) < scrubRate {
		return nil
	}
	bytes, err := s.c.store.BytesAfter(ctx, s.at.After)
	if err != nil {
		return err
	}
	left := s.at.Began.Add(s.Every).Sub(now)
	s.rate = fastestScrub
	if left > 0 {
		s.rate = min(max(float64(bytes)/left.Seconds(), slowestScrub), fastestScrub)
	}
	s.rated = now
	return nil
}

// slow is the Pace of a scrub.
func (s *scrub) slow(ctx context.Context, n int) error {
	s.owed += float64(n) / s.rate
	nap := time.Duration(s.owed * float64(time.Second))
	if nap < scrubNap {
		return nil
	}
	s.owed = 0
	return s.Sleep(ctx, nap)
}

func (s *scrub) save(ctx context.Context) error {
	text, err := json.Marshal(s.at)
	if err == nil {
		err = s.Save(ctx, string(text))
	}
	s.saved = s.c.clock()
	return err
}
