package upload

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// whole is the place in a session that excludes every other place of it.
var whole = core.Range{From: -1, To: math.MaxInt64}

// gate lets one goroutine at a time into each place (a range of bytes) of a
// session: two that share a byte exclude each other. Who waits longer than
// patience makes the one inside yield: it is taken for a sender whose connection
// has died.
type gate struct {
	patience time.Duration
	mu       sync.Mutex
	inside   map[core.SessionID]map[core.Range]*holder
}

type holder struct {
	yield func()
	left  chan struct{}
}

func newGate(patience time.Duration) *gate {
	return &gate{patience: patience, inside: map[core.SessionID]map[core.Range]*holder{}}
}

// enter waits until the place is free and takes it. yield is called, perhaps
// more than once, when somebody else has waited long enough; nil if the holder
// waits for nobody outside and so need not be hurried. Transient/chunk_busy when
// the place does not come free.
func (g *gate) enter(ctx context.Context, id core.SessionID, at core.Range, yield func()) (leave func(), err error) {
	const op = "upload.gate.enter"
	var hurried bool
	for {
		in := g.take(id, at, yield)
		if in == nil {
			return func() { g.leave(id, at) }, nil
		}
		patience := time.NewTimer(g.patience)
		select {
		case <-in.left:
		case <-ctx.Done():
			patience.Stop()
			return nil, errs.Wrap(op, ctx.Err())
		case <-patience.C:
			if in.yield == nil {
				break // work of our own, which ends by itself
			}
			if hurried {
				return nil, errs.Newf(errs.Transient, errs.ChunkBusy, "The same part of this upload is being received on another connection.").At(op)
			}
			hurried = true
			in.yield()
		}
		patience.Stop()
	}
}

// take returns nil when the place was free and is taken now, else who is in the
// way.
func (g *gate) take(id core.SessionID, at core.Range, yield func()) *holder {
	g.mu.Lock()
	defer g.mu.Unlock()
	places := g.inside[id]
	for p, in := range places {
		if collide(p, at) {
			return in
		}
	}
	if places == nil {
		places = map[core.Range]*holder{}
		g.inside[id] = places
	}
	places[at] = &holder{yield: yield, left: make(chan struct{})}
	return nil
}

// collide reports that two places have a byte in common, or are the same empty
// one.
func collide(a, b core.Range) bool {
	return a == b || a.From < b.To && b.From < a.To
}

func (g *gate) leave(id core.SessionID, at core.Range) {
	g.mu.Lock()
	defer g.mu.Unlock()
	places := g.inside[id]
	close(places[at].left)
	if delete(places, at); len(places) == 0 {
		delete(g.inside, id)
	}
}

// busy reports whether anybody is inside the session.
func (g *gate) busy(id core.SessionID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.inside[id]) > 0
}

// hurry makes everybody inside the session yield.
func (g *gate) hurry(id core.SessionID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, in := range g.inside[id] {
		if in.yield != nil {
			in.yield()
		}
	}
}
