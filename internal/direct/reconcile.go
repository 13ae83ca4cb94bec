package direct

import (
	"context"
	"errors"
	"time"

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
)

// Reconcile asks for every upload that is due, and returns how many it completed
// or ended. It goes on past single failures and returns them together.
func (f *Flow) Reconcile(ctx context.Context) (ended int, all error) {
	const op = "direct.Reconcile"
	for {
		due, err := f.Rows.DueChecks(ctx, f.Engine.Clock(), batch)
		if err != nil {
			return ended, errs.Wrap(op, errors.Join(all, err))
		}
		for _, c := range due {
			over, err := f.reconcile(ctx, c)
			if all = errors.Join(all, err); over {
				ended++
			}
		}
		if len(due) < batch || all != nil || ctx.Err() != nil {
			return ended, errs.Wrap(op, all)
		}
	}
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
		if err = f.Late(ctx, s); err == nil {
			return true, nil
		}
	default:
		var parts int
		parts, err = f.check(ctx, s, p, c.Whole)
		if now, rerr := f.Engine.Store.Session(ctx, s.ID); rerr == nil && now.State.Ended() {
			return true, errors.Join(err, f.Rows.DropCheck(ctx, s.ID))
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
	c.Due = f.Engine.Clock().Add(wait)
	return false, errors.Join(err, f.Rows.SetCheck(ctx, c))
}
