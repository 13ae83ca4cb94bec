package upload

import (
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
