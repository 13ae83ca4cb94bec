package upload

import (
	"context"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// mostYoung bounds the memory of young: about a kilobyte each.
const mostYoung = 4096

// young keeps the small sessions that this process made until their chunk comes,
// so that it need not ask for what it knows. Nothing is believed because of it:
// Express.Finish proves each row as it changes it. An entry is used once, and
// what is not here any more is read.
type young struct {
	mu sync.Mutex
	m  map[core.SessionID]fledgling
}

type fledgling struct {
	Session
	bucket *blob.Bucket
}

// takeYoung is Write for a session that this process made and of which nothing is
// in. ok is false, and nothing of the body read, for what is not the whole file.
func (e *Engine) takeYoung(ctx context.Context, f fledgling, c Chunk) (w Written, ok bool, err error) {
	at, err := c.Place(f.Session)
	if err != nil || at != (core.Range{To: f.Size}) {
		return w, false, nil // the ordinary way says it, with the session as it is now
	}
	if !e.gather(f.Size) {
		return w, false, nil
	}
	defer e.gathered.Add(-f.Size)
	cipher, err := e.cipherOf(f.Session)
	if err != nil {
		return w, true, err
	}
	leave, err := e.gate.enter(ctx, f.ID, at, c.Yield)
	if err != nil {
		return w, true, err
	}
	defer leave()
	w, err = e.takePacked(ctx, f.Session, f.bucket, blob.Write{
		Range: at, Body: c.Body, Cipher: cipher, Sealed: f.Sealed, Want: c.Want,
	})
	if err != nil {
		e.note(ctx, f.ID, Event{Kind: Refused, Range: at}, err)
	}
	return w, true, err
}

func (y *young) put(f fledgling, now time.Time) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.m == nil {
		y.m = map[core.SessionID]fledgling{}
	}
	if len(y.m) >= mostYoung {
		y.prune(now)
	}
	y.m[f.ID] = f
}

// prune drops the idle ones; if none is, all: whoever is dropped is read again.
func (y *young) prune(now time.Time) {
	for id, f := range y.m {
		if now.Sub(f.Created) > time.Minute {
			delete(y.m, id)
		}
	}
	if len(y.m) >= mostYoung {
		clear(y.m)
	}
}

func (y *young) take(id core.SessionID) (fledgling, bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	f, ok := y.m[id]
	delete(y.m, id)
	return f, ok
}
