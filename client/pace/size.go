package pace

import (
	"fmt"
	"sync"
	"time"
)

const (
	// largest is where growth ends in any case.
	largest = 256 << 20
	// longEnough is how long a body may take before larger ones gain nothing:
	// what a break costs is what was under way.
	longEnough = 5 * time.Second
	// steady is how many bodies of one size go through before the next is tried.
	steady = 2
	// afterLoss is the same when one was lost, doubled each time up to mostSteady.
	afterLoss  = 8
	mostSteady = 64
	// leastLost is where losses halve no more: smaller bodies would not help.
	leastLost = 256 << 10
)

// Size is how large bodies are. Its methods may be called by many goroutines.
type Size struct {
	now   func() time.Time
	least int64

	mu     sync.Mutex
	at     int64 // what to send now
	known  Origin
	run    int // bodies of that size since it changed
	need   int // how many there must be for it to grow
	learnt bool
}

func newSize(o Options) *Size {
	s := &Size{now: o.Now, least: o.Least, at: o.Start, need: steady, known: o.Known.fresh(o.Now())}
	if s.known.Passed > 0 {
		s.at = s.known.Passed
	} else if r := s.known.Refused; r > 0 {
		s.at = min(s.at, r/2)
	}
	s.at = max(s.at, s.least)
	return s
}

// Piece is how large a body should be at most.
func (s *Size) Piece() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// Untried reports that no body so large went through yet: it is better to ask
// before it is sent.
func (s *Size) Untried(n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return n > s.known.Passed
}

// Passed says that a body of n bytes went through.
func (s *Size) Passed(n int64, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.known.Passed {
		s.known.Passed, s.known.At, s.learnt = n, s.now(), true
		if s.known.Refused > 0 && s.known.Refused <= n {
			s.known.Refused, s.known.By = 0, ""
		}
	}
	if n < s.at {
		return
	}
	s.run++
	next := s.at * 2
	if s.run < s.need || took > longEnough || next > largest || s.known.Refused > 0 && next >= s.known.Refused {
		return
	}
	s.at, s.run, s.need = next, 0, steady
}

// Refused says that a body of n bytes was refused for its size, by whom if that
// is known. It reports false when no smaller one is worth trying; news when this
// changed what is known.
func (s *Size) Refused(n int64, by string) (hope, news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known.Refused == 0 || n < s.known.Refused {
		s.known.Refused, s.known.By, s.known.At, s.learnt, news = n, by, s.now(), true, true
	}
	if s.known.Passed >= n {
		s.known.Passed = 0 // it was another way then
	}
	if n <= s.least {
		return false, news
	}
	if half := max(s.least, n/2); half < s.at {
		s.at, s.run, s.need = half, 0, steady
	}
	return true, news
}

// Lost says that the connection ended under a body of n bytes, or that it took
// too long for somebody on the way. That may be chance, so it is not remembered
// as a limit, but the next ones are smaller for a while.
func (s *Size) Lost(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	half := max(leastLost, s.least, n/2)
	if half >= n || half >= s.at {
		return
	}
	s.at, s.run, s.need = half, 0, min(mostSteady, max(afterLoss, s.need*2))
}

// Limit says in words what keeps bodies below n bytes; "" if nothing is known to.
func (s *Size) Limit(n int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known
	if k.Refused == 0 || k.Refused > n {
		return ""
	}
	who := "a proxy in front of the server"
	if k.By != "" {
		who += " (" + k.By + ")"
	}
	if k.Passed == 0 {
		return fmt.Sprintf("%s refuses bodies of %s; pieces of %s are tried", who, bytes(k.Refused), bytes(s.at))
	}
	return fmt.Sprintf("%s accepts bodies of %s and refuses %s; pieces of %s are used", who, bytes(k.Passed), bytes(k.Refused), bytes(s.at))
}

// Origin is what is known by now, to be remembered. ok is false when nothing was
// learned since New.
func (s *Size) Origin() (o Origin, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known, s.learnt
}

func bytes(n int64) string {
	switch {
	case n >= 10<<20 || n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
