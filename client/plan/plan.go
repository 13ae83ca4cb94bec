package plan

import (
	"fmt"
	"slices"
	"sync"
)

// Shape is how a file is cut.
type Shape struct {
	Size  int64
	Chunk int64 // length of every chunk but the last; 0: one chunk
	Align int64 // pieces begin and end at multiples of it in their chunk; 0: no pieces
}

// An upload of more chunks than this is a mistake of the server.
const maxChunks = 10_000_000

// Piece is a chunk, or a part of one.
type Piece struct {
	Index    int64 // of the chunk
	From, To int64 // bytes of the file
	Whole    bool  // it is all of its chunk
}

// Len is how many bytes it has.
func (p Piece) Len() int64 { return p.To - p.From }

func (p Piece) span() span { return span{p.From, p.To} }

// Plan is one upload. Its methods may be called by many goroutines.
type Plan struct {
	shape Shape

	mu   sync.Mutex
	safe spans
	out  spans         // given by Take, neither Done nor given back
	zero bool          // a file of no bytes: its empty chunk is safe
	sums map[int64]sum // by where they begin
	last *Piece        // that was acknowledged
}

type sum struct {
	to  int64
	crc uint64
}

// New makes a plan of which nothing is safe.
func New(s Shape) (*Plan, error) {
	if s.Chunk <= 0 {
		s.Chunk = max(1, s.Size)
	}
	if n := (s.Size + s.Chunk - 1) / s.Chunk; n > maxChunks {
		return nil, fmt.Errorf("plan: %d chunks are too many", n)
	}
	return &Plan{shape: s, sums: map[int64]sum{}}, nil
}

// Cuts reports that chunks may be sent in pieces.
func (p *Plan) Cuts() bool { return p.shape.Align > 0 }

// Chunk is how long a chunk is.
func (p *Plan) Chunk() int64 { return min(p.shape.Chunk, p.shape.Size) }

// Receive replaces what is safe by what the server says; all: everything is.
func (p *Plan) Receive(received [][2]int64, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.safe, p.zero = nil, false
	p.learn(received, all)
}

// Learn adds to what is safe.
func (p *Plan) Learn(received [][2]int64, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learn(received, all)
}

func (p *Plan) learn(received [][2]int64, all bool) {
	if all {
		received, p.zero = [][2]int64{{0, p.shape.Size}}, true
	}
	for _, r := range received {
		s := span{max(0, r[0]), min(r[1], p.shape.Size)}
		if p.shape.Align == 0 { // what is not whole is sent again as a whole
			s.from = (s.from + p.shape.Chunk - 1) / p.shape.Chunk * p.shape.Chunk
			if s.to < p.shape.Size {
				s.to = s.to / p.shape.Chunk * p.shape.Chunk
			}
		}
		p.safe = p.safe.add(s)
	}
}

// Safe is how many bytes are.
func (p *Plan) Safe() (n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.safe.len()
}

// Take gives out the next piece that is missing, of about most bytes where
// chunks may be cut. It is out until Done or Return.
func (p *Plan) Take(most int64) (Piece, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shape.Size == 0 {
		give := Piece{Whole: true}
		if p.zero || slices.Contains(p.out, give.span()) {
			return Piece{}, false
		}
		p.out = append(p.out, give.span())
		return give, true
	}
	var at int64
	for {
		next := p.out.end(p.safe.end(at))
		if next == at {
			break
		}
		at = next
	}
	if at >= p.shape.Size {
		return Piece{}, false
	}
	give := p.piece(at, min(p.safe.begin(at), p.out.begin(at)), most)
	p.out = p.out.add(give.span())
	return give, true
}

// piece is the longest that begins at from, does not go beyond end or its chunk,
// and has no more than most bytes as far as its chunk may be cut.
func (p *Plan) piece(from, end, most int64) Piece {
	index := from / p.shape.Chunk
	begin := index * p.shape.Chunk
	stop := min(p.shape.Size, begin+p.shape.Chunk)
	to := min(end, stop)
	if align := p.shape.Align; align > 0 && to-from > most {
		cut := begin + (from-begin+most)/align*align
		if cut <= from {
			cut = begin + ((from-begin)/align+1)*align
		}
		to = min(to, cut)
	}
	return Piece{Index: index, From: from, To: to, Whole: from == begin && to == stop}
}

// Return gives back a piece that did not go through.
func (p *Plan) Return(g Piece) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = p.out.cut(g.span())
}

// Done notes that a piece is safe and returns how many bytes are.
func (p *Plan) Done(g Piece) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = p.out.cut(g.span())
	p.safe = p.safe.add(g.span())
	p.zero = p.zero || g.Len() == 0
	p.last = &g
	return p.safe.len()
}

// Has reports that all of a piece is safe; some: that a part of it is.
func (p *Plan) Has(g Piece) (all, some bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g.Len() == 0 {
		return p.zero, false
	}
	return p.safe.end(g.From) >= g.To, p.safe.end(g.From) > g.From || p.safe.begin(g.From) < g.To
}

// Last is a piece that may be sent once more to bring about an end that does not
// come: the one that was acknowledged last, else the last chunk.
func (p *Plan) Last() Piece {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil {
		return *p.last
	}
	from := max(0, p.shape.Size-1) / p.shape.Chunk * p.shape.Chunk
	return Piece{Index: from / p.shape.Chunk, From: from, To: p.shape.Size, Whole: true}
}

// Note keeps the CRC of a piece's bytes as they were read.
func (p *Plan) Note(g Piece, crc uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sums[g.From] = sum{g.To, crc}
}

// CRC is the CRC-64/NVME of the whole, from those noted and, where there is none,
// from what read says.
func (p *Plan) CRC(read func(from, to int64) (uint64, error)) (whole uint64, err error) {
	p.mu.Lock()
	begins := make([]int64, 0, len(p.sums))
	for from := range p.sums {
		begins = append(begins, from)
	}
	slices.Sort(begins)
	sums := p.sums
	p.mu.Unlock()
	var at int64
	join := func(to int64, crc uint64) {
		whole, at = JoinCRC(whole, crc, to-at), to
	}
	for _, from := range append(begins, p.shape.Size) {
		if from < at {
			continue // of a piece that was cut again later
		}
		if at < from {
			crc, err := read(at, from)
			if err != nil {
				return 0, err
			}
			join(from, crc)
		}
		if s, ok := sums[from]; ok && s.to > from {
			join(s.to, s.crc)
		}
	}
	return whole, nil
}
