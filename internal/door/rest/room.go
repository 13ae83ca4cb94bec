package rest

import (
	"sync"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// How many bodies of files may be on their way at once. One that stands still
// holds a copy buffer of 4 KiB and the two buffers of its connection, one that
// comes in fast up to 256 KiB more: the bounds, and not the clients, say how much
// memory that is. A thousand slow uploads of one person fit.
const (
	maxBodies     = 4096
	maxBodiesEach = 1024 // of one user
)

// room counts bodies on their way.
type room struct {
	most, mostEach int

	mu   sync.Mutex
	all  int
	each map[core.UserID]int
}

func newRoom(most, mostEach int) *room {
	return &room{most: most, mostEach: mostEach, each: map[core.UserID]int{}}
}

// enter takes a place, to be given back by leave; Transient/overload when there
// is none. It does not wait: a waiting body holds all that a moving one does.
func (r *room) enter(who core.UserID) (leave func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all >= r.most {
		return nil, errs.New(errs.Transient, errs.Overload).At("rest.room.enter")
	}
	if r.each[who] >= r.mostEach {
		return nil, errs.Newf(errs.Transient, errs.Overload,
			"You are sending %d pieces at once already. Try again when some of them are through.", r.each[who]).At("rest.room.enter")
	}
	r.all++
	r.each[who]++
	return func() { r.leave(who) }, nil
}

func (r *room) leave(who core.UserID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all--
	if r.each[who]--; r.each[who] == 0 {
		delete(r.each, who)
	}
}
