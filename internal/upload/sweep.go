package upload

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// sweepBatch bounds what one pass of a sweep takes at once.
const sweepBatch = 256

// Swept is what a sweep did.
type Swept struct{ Settled, Expired, Forgotten, Discarded int }

// Sweep finishes what a crash left half done and ends what has run out of time:
// sealing sessions are settled, open ones past their expiry expire with their
// bytes, rows, lock and reservation, ended ones are forgotten, staged bytes
// that no open session owns are discarded. Call it at start
// and now and then. It goes on past single failures and returns them together.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	const op = "upload.Sweep"
	var did Swept
	now := e.Clock()
	far := now.AddDate(1000, 0, 0)
	var err error
	e.first.Do(func() { err = e.makeWhole(ctx, far) })
	err = errors.Join(err, e.undoAgain(ctx, &did.Expired),
		e.sweepState(ctx, Sealing, far, func(s Session) error {
			if e.gate.busy(s.ID) {
				return nil // somebody is at it just now
			}
			_, err := e.Settle(ctx, s.ID)
			return count(&did.Settled, err)
		}),
		e.sweepState(ctx, Open, now, func(s Session) error {
			return count(&did.Expired, e.late(ctx, s))
		}),
	)
	for _, state := range []State{Done, Aborted, Expired} {
		err = errors.Join(err, e.sweepState(ctx, state, now, func(s Session) error {
			return count(&did.Forgotten, e.Store.ForgetSession(ctx, s.ID))
		}))
	}
	err = errors.Join(err, e.sweepStaged(ctx, &did.Discarded))
	return did, errs.Wrap(op, err)
}

// makeWhole stages the uploads whose server died between their row and their
// bytes: nobody was told of them, but they are listed, and what is listed goes
// on. One that cannot be staged ends.
func (e *Engine) makeWhole(ctx context.Context, far time.Time) error {
	open, err := e.Store.Due(ctx, Open, far, math.MaxInt32)
	for _, s := range open {
		if s.Received > 0 || s.Size == 0 || s.Direct() {
			continue
		}
		if berr := e.begin(ctx, s); berr != nil && !errs.Is(berr, errs.Exists) {
			err = errors.Join(err, berr, e.end(ctx, s, Aborted))
		}
	}
	return err
}

// undoAgain ends what undo could not.
func (e *Engine) undoAgain(ctx context.Context, did *int) (all error) {
	for id, v := range e.undone.Range {
		s, _ := v.(Session)
		err := count(did, e.end(ctx, s, Aborted))
		if all = errors.Join(all, err); err == nil {
			e.undone.Delete(id)
		}
	}
	return all
}

// sweepStaged discards staged bytes whose session has ended: a crash came
// between the row and the bytes. A session's row is always older than its
// bytes, so bytes without a row belong to nobody.
func (e *Engine) sweepStaged(ctx context.Context, did *int) error {
	policies, err := e.Store.Policies(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, p := range policies {
		b, err := e.Buckets.Bucket(ctx, p)
		if err != nil || !b.Can().Parts {
			all = errors.Join(all, err)
			continue
		}
		for after := ""; ; {
			staged, err := b.Pending(ctx, after, sweepBatch)
			all = errors.Join(all, err)
			for _, h := range staged {
				after = h.Key
				all = errors.Join(all, e.discardStray(ctx, b, h, did))
			}
			if len(staged) == 0 || err != nil {
				break
			}
		}
	}
	return all
}

func (e *Engine) discardStray(ctx context.Context, b *blob.Bucket, h blob.Handle, did *int) error {
	s, err := e.Store.Session(ctx, sessionOf(h.Key))
	switch {
	case err == nil && !s.State.Ended():
		return nil
	case err != nil && !errs.Is(err, errs.NotFound):
		return err
	}
	return count(did, b.Abort(ctx, h))
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
