package client

import (
	"fmt"
	"sync"

	"github.com/wharfinger/wharfinger/api/wire"
)

// session is an upload session as one call of Upload knows it.
type session struct {
	id   string
	size int64
	each int64 // length of every chunk but the last
	seal *seal // nil: in clear

	mu        sync.Mutex
	have      []bool   // acknowledged, now or before
	sums      []uint64 // CRC of each chunk's bytes, where summed
	summed    []bool
	posted    []bool // acknowledged to this call
	confirmed int64
	nudge     int // the chunk to send once more if completion hangs
}

// An upload of more chunks than this is a mistake of the server.
const maxChunks = 10_000_000

func newSession(id string, size, chunkSize int64, m *wire.EncryptMetadata) (*session, error) {
	each := chunkSize
	if each <= 0 {
		each = max(1, size)
	}
	n := max(1, (size+each-1)/each)
	if id == "" || n > maxChunks {
		return nil, fmt.Errorf("begin upload: the server answered a session %q of %d chunks", id, n)
	}
	key, err := newSeal(m)
	if err != nil {
		return nil, err
	}
	return &session{
		id: id, size: size, each: each, seal: key, nudge: int(n) - 1,
		have: make([]bool, n), sums: make([]uint64, n), summed: make([]bool, n), posted: make([]bool, n),
	}, nil
}

// bounds are the bytes of chunk i. A file of no bytes is one empty chunk.
func (s *session) bounds(i int) (from, to int64) {
	from = int64(i) * s.each
	return from, min(s.size, from+s.each)
}

// receive notes what the server says it has. A chunk that lies there in part
// is sent again as a whole.
func (s *session) receive(p wire.UploadProgress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed = 0
	for i := range s.have {
		from, to := s.bounds(i)
		s.have[i] = p.State == wire.StateDone || p.State == wire.StateSealing || covers(p.Received, from, to)
		if s.have[i] {
			s.confirmed += to - from
		}
	}
}

// covers reports that [from, to) is among the received. Nothing is not: an
// empty chunk must be sent.
func covers(received [][2]int64, from, to int64) bool {
	for _, r := range received {
		if r[0] <= from && to <= r[1] && from < to {
			return true
		}
	}
	return false
}

func (s *session) missing() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m []int
	for i, have := range s.have {
		if !have {
			m = append(m, i)
		}
	}
	return m
}

// acknowledge notes a chunk as safe and returns how many bytes now are. posted
// tells an answer to our own chunk from what the status says.
func (s *session) acknowledge(i int, posted bool) (confirmed int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.have[i] {
		from, to := s.bounds(i)
		s.have[i] = true
		s.confirmed += to - from
	}
	if posted {
		s.posted[i] = true
	} else {
		s.nudge = i
	}
	return s.confirmed
}

func (s *session) note(i int, sum uint64) {
	s.mu.Lock()
	s.sums[i], s.summed[i] = sum, true
	s.mu.Unlock()
}
