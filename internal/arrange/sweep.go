package arrange

import (
	"context"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// heldStay is how much longer something stays that is held when its time comes.
const heldStay = time.Hour

// Sweep removes up to limit things whose time is over, each in a transaction of
// its own, and returns how many are gone. It goes on past single failures.
func (k *Keeper) Sweep(ctx context.Context, limit int) (int, error) {
	const op = "arrange.Sweep"
	due, err := k.Store.DueBefore(ctx, k.Clock(), limit)
	if err != nil {
		return 0, errs.Wrap(op, err)
	}
	var gone int
	var all []error
	for _, n := range due {
		if ctx.Err() != nil {
			break
		}
		done, err := k.collect(ctx, n)
		if done {
			gone++
		}
		all = append(all, err)
	}
	return gone, errs.Wrap(op, errors.Join(all...))
}

// collect removes what is due, unless it was restored meanwhile.
func (k *Keeper) collect(ctx context.Context, seen catalog.Node) (done bool, err error) {
	gone := &removal{k: k}
	if err := gone.prepare(ctx); err != nil {
		return false, err
	}
	err = k.inTx(ctx, func(tx catalog.Tx, q job.Adder) error {
		done = false
		gone.begin()
		if err := hold(ctx, tx, seen.Owner); err != nil {
			return err
		}
		n, err := tx.Node(ctx, seen.ID)
		if err != nil || n.Parent != seen.Parent {
			return unlessGone(err)
		}
		if err = catalog.MustBeFree(ctx, tx, n); err == nil {
			err = gone.take(ctx, tx, n, origin(n))
		}
		if errs.Has(err, errs.Locked) {
			if err := tx.ClearDue(ctx, n.ID); err != nil {
				return err
			}
			return tx.MarkDue(ctx, n.ID, token(n), k.Clock().Add(heldStay))
		}
		if err == nil {
			err = gone.end(ctx, q, n.Owner)
		}
		done = err == nil
		return err
	})
	return done, err
}

// token is what leads to a due node.
func token(n catalog.Node) string {
	if t := n.Token(); t != "" {
		return t
	}
	return core.NewUUID()
}
