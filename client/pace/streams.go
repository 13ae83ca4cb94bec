package pace

import (
	"context"
	"sync"
	"time"
)

const (
	startStreams = 4
	mostStreams  = 16
	// window is how long throughput is measured before it is judged.
	window = time.Second
	// gain is by how much more streams must be faster to be kept.
	gain = 1.08
	// settled is how long a number that more would not improve is kept.
	settled = 30 * time.Second
	// forgive is how long after one failure the others count as the same.
	forgive = 5 * time.Second
)

// Streams is how many bodies are on their way at once. Its methods may be called
// by many goroutines.
type Streams struct {
	now     func() time.Time
	elastic bool

	mu     sync.Mutex
	limit  int
	moving int           // bodies of which bytes are to be sent
	open   int           // requests without an answer
	freed  chan struct{} // closed when there may be room

	since  time.Time // of the window
	bytes  int64
	pieces int
	waited bool // somebody would have sent more
	was    int  // limit before it was raised; 0: it was not
	before float64
	hold   time.Time
	failed time.Time
}

// Fixed makes n streams, which stay n: no more than n requests are without an
// answer.
func Fixed(n int) *Streams {
	return &Streams{limit: max(1, n), freed: make(chan struct{})}
}

func newElastic(now func() time.Time) *Streams {
	return &Streams{now: now, elastic: true, limit: startStreams, freed: make(chan struct{})}
}

// Now is how many there may be at this moment.
func (s *Streams) Now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}

// Slot is the right to send one body.
type Slot struct {
	s     *Streams
	sent  bool
	ended bool
}

// Enter waits for the right to send a body. Leave gives it back.
func (s *Streams) Enter(ctx context.Context) (*Slot, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s.mu.Lock()
		if s.room() {
			s.moving++
			s.open++
			s.mu.Unlock()
			return &Slot{s: s}, nil
		}
		s.waited = true
		freed := s.freed
		s.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// room: while a body that has been sent waits for its flush and answer, another
// one uses the link.
func (s *Streams) room() bool {
	if !s.elastic {
		return s.open < s.limit
	}
	return s.moving < s.limit && s.open < 2*s.limit
}

func (s *Streams) free() {
	close(s.freed)
	s.freed = make(chan struct{})
}

// Sent says that the last byte of the body is on its way. It does nothing to a nil
// slot.
func (l *Slot) Sent() {
	if l == nil {
		return
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if !l.sent && !l.ended {
		l.sent = true
		l.s.moving--
		l.s.free()
	}
}

// Leave gives the right back.
func (l *Slot) Leave() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.ended {
		return
	}
	if l.ended = true; !l.sent {
		l.s.moving--
	}
	l.s.open--
	l.s.free()
}

// Passed says that n bytes are over, and perhaps changes how many streams there
// are: more as long as that is faster.
func (s *Streams) Passed(n int64) {
	if !s.elastic {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.since.IsZero() {
		s.begin(now)
		return
	}
	s.bytes += n
	s.pieces++
	took := now.Sub(s.since)
	if took < window || s.pieces < 2*s.limit {
		return
	}
	rate := float64(s.bytes) / took.Seconds()
	wanted := s.waited
	s.begin(now)
	switch {
	case !wanted:
		s.was = 0
	case s.was > 0 && rate < s.before*gain:
		s.limit, s.was, s.hold = s.was, 0, now.Add(settled)
	case now.Before(s.hold) || s.limit >= mostStreams:
		s.was = 0
	default:
		s.was, s.before = s.limit, rate
		s.limit = min(mostStreams, s.limit+max(1, s.limit/2))
		s.free()
	}
}

func (s *Streams) begin(now time.Time) {
	s.since, s.bytes, s.pieces, s.waited = now, 0, 0, false
}

// Failed says that the other side, or something on the way, could not keep up.
func (s *Streams) Failed() {
	if !s.elastic {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Sub(s.failed) < forgive && !s.failed.IsZero() {
		return
	}
	s.failed, s.hold, s.was = now, now.Add(2*forgive), 0
	s.limit = max(1, s.limit/2)
	s.begin(now)
}
