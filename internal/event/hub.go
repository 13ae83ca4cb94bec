package event

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Kind says what happened to a node, in the words of the wire.
type Kind string

// The kinds of change.
const (
	Created  Kind = "create"
	Modified Kind = "modify" // other content or metadata
	Renamed  Kind = "rename" // or moved
	Deleted  Kind = "delete" // or moved to the trash
)

// Change is what happened to one node, and in a folder to all that is in it. From is
// where it was, To where it is; of the others than Renamed both are the same.
type Change struct {
	Kind     Kind
	Node     core.NodeID
	From, To core.Path
	By       Origin
}

// How much is kept for those who listen.
const (
	MaxWaiting   = 256 // changes that one has not taken yet; with more it must look at everything
	maxListeners = 4096
	maxEach      = 32 // of one user
)

// Hub passes changes on within this process.
type Hub struct {
	count atomic.Int64

	mu     sync.Mutex
	closed bool
	users  map[core.UserID]map[*Listener]struct{}
}

// New returns a hub without listeners.
func New() *Hub { return &Hub{users: map[core.UserID]map[*Listener]struct{}{}} }

// Anyone reports whether there are listeners at all; it costs next to nothing.
func (h *Hub) Anyone() bool { return h.count.Load() > 0 }

// Wants reports whether anyone listens to the drive of u.
func (h *Hub) Wants(u core.UserID) bool {
	if !h.Anyone() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.users[u]) > 0
}

// Tell passes changes of the drive of u on. It does not wait for anyone.
func (h *Hub) Tell(u core.UserID, changes []Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.users[u] {
		l.add(changes)
	}
}

// Listen begins to listen to the drive of u, but not to what `self` does; Transient/overload
// when too many do.
func (h *Hub) Listen(u core.UserID, self Origin) (*Listener, error) {
	const op = "event.Listen"
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errs.Newf(errs.Transient, errs.Overload, "The server is about to stop.").At(op)
	case h.count.Load() >= maxListeners, len(h.users[u]) >= maxEach:
		return nil, errs.Newf(errs.Transient, errs.Overload, "Too many windows are listening already. Close some.").At(op)
	}
	l := &Listener{hub: h, user: u, self: self, ready: make(chan struct{}, 1), done: make(chan struct{})}
	if h.users[u] == nil {
		h.users[u] = map[*Listener]struct{}{}
	}
	h.users[u][l] = struct{}{}
	h.count.Add(1)
	return l, nil
}

// Close ends all listeners, and lets nobody listen any more.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, all := range h.users {
		for l := range all {
			h.drop(l)
		}
	}
}

// drop ends a listener once; mu is held.
func (h *Hub) drop(l *Listener) {
	if _, ok := h.users[l.user][l]; !ok {
		return
	}
	delete(h.users[l.user], l)
	if len(h.users[l.user]) == 0 {
		delete(h.users, l.user)
	}
	h.count.Add(-1)
	close(l.done)
}

// Listener is one who listens.
type Listener struct {
	hub   *Hub
	user  core.UserID
	self  Origin
	ready chan struct{}
	done  chan struct{}

	mu      sync.Mutex
	waiting []Change
	all     bool
}

// add never waits; the hub's mutex is held.
func (l *Listener) add(changes []Change) {
	if l.self.Client != "" {
		changes = slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return c.By == l.self })
	}
	if len(changes) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all = l.all || len(l.waiting)+len(changes) > MaxWaiting; l.all {
		l.waiting = nil
	} else {
		l.waiting = append(l.waiting, changes...)
	}
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// Ready has a value when there is something to take.
func (l *Listener) Ready() <-chan struct{} { return l.ready }

// Done is closed when nothing will be told any more.
func (l *Listener) Done() <-chan struct{} { return l.done }

// Take returns what was told since the last Take. all says that this was too much,
// and everything may have changed.
func (l *Listener) Take() (changes []Change, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	changes, all = l.waiting, l.all
	l.waiting, l.all = nil, false
	return changes, all
}

// Close ends listening. It may be called more than once.
func (l *Listener) Close() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.drop(l)
}
