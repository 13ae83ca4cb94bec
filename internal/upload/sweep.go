package upload

import (
	"context"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// sweepBatch bounds what one pass of a sweep takes at once.
const sweepBatch = 256

// Swept is what a sweep did.
type Swept struct{ Settled, Expired, Forgotten int }

// Sweep finishes what a crash left half done and ends what has run out of time:
// sealing sessions are settled, open ones past their expiry expire with their
// bytes, rows, lock and reservation, ended ones are forgotten. Call it at start
// and now and then. It goes on past single failures and returns them together.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	const op = "upload.Sweep"
	var did Swept
	now := e.Clock()
	far := now.AddDate(1000, 0, 0)
	err := errors.Join(
		e.sweepState(ctx, Sealing, far, func(s Session) error {
			if e.gate.busy(s.ID) {
				return nil // somebody is at it just now
			}
			_, err := e.Settle(ctx, s.ID)
			return count(&did.Settled, err)
		}),
		e.sweepState(ctx, Open, now, func(s Session) error {
			return count(&did.Expired, e.end(ctx, s, Expired))
		}),
	)
	for _, state := range []State{Done, Aborted, Expired} {
		err = errors.Join(err, e.sweepState(ctx, state, now, func(s Session) error {
			return count(&did.Forgotten, e.Store.ForgetSession(ctx, s.ID))
		}))
	}
	return did, errs.Wrap(op, err)
}

func count(n *int, err error) error {
	if err == nil {
		*n++
	}
	return err
}

// sweepState does to each due session of a state. It stops when a pass moved
// nothing on, so that what fails is not tried for ever.
func (e *Engine) sweepState(ctx context.Context, state State, before time.Time, do func(Session) error) error {
	var all error
	for {
		due, err := e.Store.Due(ctx, state, before, sweepBatch)
		if err != nil {
			return errors.Join(all, err)
		}
		failed := 0
		for _, s := range due {
			if err := do(s); err != nil {
				all = errors.Join(all, err)
				failed++
			}
		}
		if len(due) < sweepBatch || failed > 0 || ctx.Err() != nil {
			return all
		}
	}
}
