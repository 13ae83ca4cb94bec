package direct

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// How often the store is asked for an upload: soon, then less and less while
// nothing changes.
const (
	first  = time.Minute
	most   = 15 * time.Minute
	ending = 30 * time.Second // that a client has to end an upload whose parts are all in
	batch  = 64
	atOnce = 4 // uploads of a policy that its store is asked for
)

// How long a store has to answer.
const (
	finishing = 5 * time.Minute // to end an upload of many parts
	slowest   = 1 << 20         // bytes in a second, where it is read
)

// Reconcile asks the store of a policy for every upload that is due, a few at a
// time, and returns how many it completed or ended. It goes on past failures and
// returns them together; after one that says that the store does not answer, the
// others wait for the next time.
func (f *Flow) Reconcile(ctx context.Context, policy core.PolicyID) (ended int, all error) {
	const op = "direct.Reconcile"
	for {
		due, err := f.Rows.DueChecks(ctx, policy, f.Engine.Clock(), batch)
		if err != nil {
			return ended, errs.Wrap(op, err)
		}
		over, err := f.several(ctx, due)
		ended += over
		if len(due) < batch || err != nil || ctx.Err() != nil {
			return ended, errs.Wrap(op, err)
		}
	}
}

// several asks for some uploads of one store.
func (f *Flow) several(ctx context.Context, due []upload.Check) (ended int, all error) {
	var (
		mu    sync.Mutex
		away  bool
		group sync.WaitGroup
		slots = make(chan struct{}, atOnce)
	)
	for _, c := range due {
		slots <- struct{}{}
		mu.Lock()
		enough := away || ctx.Err() != nil
		mu.Unlock()
		if enough {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			over, err := f.reconcile(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			if all = errors.Join(all, err); over {
				ended++
			}
			away = away || errs.Is(err, errs.Transient) || errs.Is(err, errs.Canceled)
		})
	}
	group.Wait()
	return ended, all
}

// reconcile asks for one upload. Whatever happens, it is due later or not at all
// afterwards.
func (f *Flow) reconcile(ctx context.Context, c upload.Check) (over bool, err error) {
	s, p, err := f.session(ctx, c.Session)
	switch {
	case errs.Is(err, errs.NotFound), err == nil && s.State.Ended():
		return false, f.Rows.DropCheck(ctx, c.Session)
	case err != nil:
	case f.Engine.Past(s):
		if err = f.late(ctx, s, p); err == nil {
			return true, nil
		}
	default:
		var parts int
		parts, err = f.check(ctx, s, p, timely(c.Whole))
		if now, rerr := f.Engine.Store.Session(ctx, s.ID); rerr == nil && now.State.Ended() {
			return true, firstOf(f.Rows.DropCheck(ctx, s.ID), err)
		}
		whole := err == nil // all parts are in, and nobody has ended it yet
		if parts != c.Parts || whole != c.Whole {
			c.Tries = 0
		}
		if c.Parts, c.Whole = parts, whole; errs.Has(err, errs.ObjectDiffers) {
			err = nil // not yet
		}
	}
	wait := min(first<<min(c.Tries, 10), most)
	if c.Whole {
		wait = ending
	}
	c.Tries++
	now := f.Engine.Clock()
	c.Due = now.Add(wait)
	if now.Before(s.Expires) && s.Expires.Before(c.Due) {
		c.Due = s.Expires
	}
	return false, firstOf(err, f.Rows.SetCheck(ctx, c))
}

// timely is whose word counts for an upload that the reconciler looks at.
func timely(whole bool) voice {
	if whole {
		return silence
	}
	return nobody
}

// firstOf returns the first error there is.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// late ends a session that is over its time: completed, if the store has all of it
// even now, else expired. An error if the store could not be asked.
func (f *Flow) late(ctx context.Context, s upload.Session, p catalog.Policy) error {
	_, err := f.check(ctx, s, p, silence)
	if s.State == upload.Open && (errs.Has(err, errs.ObjectDiffers) || errs.Has(err, errs.PathMissing) || errs.Has(err, errs.LockExpired)) {
		err = f.Engine.Expire(ctx, s)
	}
	if err == nil {
		err = f.Rows.DropCheck(ctx, s.ID)
	}
	return err
}
