package auth

import (
	"context"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// fresh remembers what was read for a moment. A value is never older than life,
// counted from before its read began, and at most one read of a key is under
// way for those who may share it. Failures are not remembered.
//
// It keeps two generations of at most half its bound each: a full young one
// becomes the old one, so forgetting costs nothing.
type fresh[K comparable, V any] struct {
	clock core.Clock
	life  time.Duration
	bound int
	load  func(context.Context, K) (V, error)

	mu         sync.Mutex
	young, old map[K]*reading[V]
}

type reading[V any] struct {
	done  chan struct{}
	began time.Time
	value V
	err   error
}

func newFresh[K comparable, V any](o Options, load func(context.Context, K) (V, error)) *fresh[K, V] {
	return &fresh[K, V]{
		clock: o.Clock, life: freshFor, bound: freshKeys / 2, load: load,
		young: map[K]*reading[V]{}, old: map[K]*reading[V]{},
	}
}

// How long Verify trusts what it read, and how many keys it remembers.
const (
	freshFor  = time.Second
	freshKeys = 1 << 14
)

func (f *fresh[K, V]) get(ctx context.Context, k K) (V, error) {
	r := f.join(ctx, k)
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// join returns the reading to wait for and starts it if need be.
func (f *fresh[K, V]) join(ctx context.Context, k K) *reading[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock()
	r := f.young[k]
	if r == nil {
		r = f.old[k]
	}
	if r != nil {
		if age := now.Sub(r.began); age >= 0 && age < f.life {
			return r
		}
	}
	r = &reading[V]{done: make(chan struct{}), began: now}
	delete(f.old, k)
	if f.young[k] == nil && len(f.young) >= f.bound {
		f.young, f.old = make(map[K]*reading[V]), f.young
	}
	f.young[k] = r
	// Others may wait for this read, so it does not end with its first caller.
	go f.read(context.WithoutCancel(ctx), k, r)
	return r
}

func (f *fresh[K, V]) read(ctx context.Context, k K, r *reading[V]) {
	ctx, cancel := context.WithTimeout(ctx, afterRequestEnd)
	defer cancel()
	r.value, r.err = f.load(ctx, k)
	if r.err != nil {
		f.mu.Lock()
		for _, m := range []map[K]*reading[V]{f.young, f.old} {
			if m[k] == r {
				delete(m, k)
			}
		}
		f.mu.Unlock()
	}
	close(r.done)
}

// drop forgets k. A read under way is not shared with anybody who comes later.
func (f *fresh[K, V]) drop(k K) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.young, k)
	delete(f.old, k)
}
