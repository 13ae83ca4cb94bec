package upload

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
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
//
// What is in a store that may be slow or away is left to SweepAt.
func (e *Engine) Sweep(ctx context.Context) (Swept, error) {
	const op = "upload.Sweep"
	all, err := e.Store.Policies(ctx)
	if err != nil {
		return Swept{}, errs.Wrap(op, err)
	}
	r := round{Engine: e, of: map[core.PolicyID]bool{}}
	for _, p := range all {
		if !e.Away(p) {
			r.policies = append(r.policies, p)
			r.of[p.ID] = true
		}
	}
	r.sweep(ctx)
	for _, state := range []State{Done, Aborted, Expired} {
		r.each(ctx, state, e.Clock(), nil, func(s Session) error {
			return count(&r.did.Forgotten, e.Store.ForgetSession(ctx, s.ID))
		})
	}
	return r.did, errs.Wrap(op, r.all)
}

// SweepAt is Sweep for what is in the store of p. It asks that store, and ends
// with the first answer that does not come: there would be no other.
func (e *Engine) SweepAt(ctx context.Context, p catalog.Policy) (Swept, error) {
	const op = "upload.SweepAt"
	r := round{Engine: e, policies: []catalog.Policy{p}, of: map[core.PolicyID]bool{p.ID: true}, away: true}
	r.sweep(ctx)
	return r.did, errs.Wrap(op, r.all)
}

// Away reports whether the bytes of p are in a store that may be slow or away.
func (e *Engine) Away(p catalog.Policy) bool { return e.Vendor != nil && e.Vendor.Takes(p) }

// round is a sweep under way.
type round struct {
	*Engine
	policies []catalog.Policy
	of       map[core.PolicyID]bool // whose sessions it looks at
	away     bool                   // one store, which may not answer
	stop     bool                   // it did not
	did      Swept
	all      error
}

// failed records an error and reports whether there was one.
func (r *round) failed(err error) bool {
	r.all = errors.Join(r.all, err)
	r.stop = r.stop || r.away && (errs.Is(err, errs.Transient) || errs.Is(err, errs.Canceled))
	return err != nil
}

func (r *round) sweep(ctx context.Context) {
	now := r.Clock()
	far := now.AddDate(1000, 0, 0)
	r.makeWhole(ctx, far)
	r.undoAgain(ctx)
	r.each(ctx, Sealing, far, r.of, func(s Session) error {
		if r.gate.busy(s.ID) {
			return nil // somebody is at it just now
		}
		_, err := r.Settle(ctx, s.ID)
		return count(&r.did.Settled, err)
	})
	r.each(ctx, Open, now, r.of, func(s Session) error {
		return count(&r.did.Expired, r.end(ctx, s, Expired))
	})
	r.sweepStaged(ctx)
}

// makeWhole stages the uploads whose server died between their row and their
// bytes: nobody was told of them, but they are listed, and what is listed goes
// on. One that cannot be staged ends, unless the store may be back. It is done
// once for each policy, and for uploads that are older than this process.
func (r *round) makeWhole(ctx context.Context, far time.Time) {
	due := map[core.PolicyID]bool{}
	for id := range r.of {
		if _, done := r.made.Load(id); !done {
			due[id] = true
		}
	}
	if len(due) == 0 {
		return
	}
	open, err := r.Store.Due(ctx, Open, far, math.MaxInt32)
	r.failed(err)
	for _, s := range open {
		if !due[s.Policy] || s.Received > 0 || s.Size == 0 || s.Direct() || s.Created.After(r.since) {
			continue
		}
		berr := r.begin(ctx, s)
		if berr == nil || errs.Is(berr, errs.Exists) {
			continue
		}
		if r.failed(berr); r.stop {
			return
		}
		r.failed(r.end(ctx, s, Aborted))
	}
	for id := range due {
		if err == nil {
			r.made.Store(id, struct{}{})
		}
	}
}

// undoAgain ends what undo could not.
func (r *round) undoAgain(ctx context.Context) {
	for id, v := range r.undone.Range {
		s, _ := v.(Session)
		if !r.of[s.Policy] || r.stop {
			continue
		}
		if !r.failed(count(&r.did.Expired, r.end(ctx, s, Aborted))) {
			r.undone.Delete(id)
		}
	}
}

// sweepStaged discards staged bytes whose session has ended: a crash came
// between the row and the bytes. A session's row is always older than its
// bytes, so bytes without a row belong to nobody.
func (r *round) sweepStaged(ctx context.Context) {
	for _, p := range r.policies {
		b, err := r.Buckets.Bucket(ctx, p)
		if r.failed(err) || !b.Can().Parts {
			continue
		}
		for after := ""; !r.stop; {
			staged, err := b.Pending(ctx, after, sweepBatch)
			if r.failed(err) || len(staged) == 0 {
				break
			}
			for _, h := range staged {
				after = h.Key
				r.failed(r.discardStray(ctx, b, h))
			}
		}
	}
}

func (r *round) discardStray(ctx context.Context, b *blob.Bucket, h blob.Handle) error {
	s, err := r.Store.Session(ctx, sessionOf(h.Key))
	switch {
	case err == nil && !s.State.Ended():
		return nil
	case err != nil && !errs.Is(err, errs.NotFound):
		return err
	}
	return count(&r.did.Discarded, b.Abort(ctx, h))
}

func count(n *int, err error) error {
	if err == nil {
		*n++
	}
	return err
}

// each does it to each due session of a state; of nil is those of all policies. It
// stops when a pass moved nothing on, so that what fails is not tried for ever. Open
// direct uploads are the reconciler's, which asks the store first.
func (r *round) each(ctx context.Context, state State, before time.Time, of map[core.PolicyID]bool, do func(Session) error) {
	for passed := 0; !r.stop; {
		limit := sweepBatch + passed // those of other policies come again
		due, err := r.Store.Due(ctx, state, before, limit)
		if r.failed(err) {
			return
		}
		failed := false
		passed = 0
		for _, s := range due {
			if of != nil && !of[s.Policy] || s.Direct() && state == Open {
				passed++
				continue
			}
			if failed = r.failed(do(s)) || failed; r.stop {
				return
			}
		}
		if len(due) < limit || failed || ctx.Err() != nil {
			return
		}
	}
}
