package thumb

import (
	"container/list"
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What pictures may cost.
const (
	MaxBytes   = 32 << 20 // of a file
	maxMemory  = 96 << 20 // that decoding takes, all together
	maxWaiting = 256      // who wait for their turn
	patience   = 20 * time.Second
	maxKept    = 24 << 20 // bytes of finished pictures
)

// Extensions are those of the names of files that pictures are made of, in lower case.
func Extensions() []string { return []string{"bmp", "gif", "jpeg", "jpg", "png", "webp"} }

// Can reports whether a picture is made of a file of that name and size.
func Can(name string, size int64) bool {
	ext := strings.TrimPrefix(strings.ToLower(path.Ext(name)), ".")
	return size > 0 && size <= MaxBytes && slices.Contains(Extensions(), ext)
}

// Picture is a small picture.
type Picture struct {
	MIME  string // image/jpeg or image/png
	Bytes []byte
}

// Options are what a Maker is made of; all are needed.
type Options struct {
	// Open opens a version that the caller may read.
	Open func(ctx context.Context, id core.VersionID) (catalog.Body, error)
}

// Maker makes pictures and keeps the last of them. Any goroutine may call it.
type Maker struct {
	Options
	memory *budget

	mu      sync.Mutex
	waiting int
	kept    map[core.VersionID]*list.Element
	order   *list.List // of entry, the oldest use last
	bytes   int
	making  map[core.VersionID]*job
}

type entry struct {
	id  core.VersionID
	pic Picture // without bytes: none can be made
	err error
}

func (e *entry) size() int { return len(e.pic.Bytes) + 256 }

// job is a picture that is being made, for all who ask for it.
type job struct {
	done chan struct{}
	pic  Picture
	err  error
}

// New returns the maker over o.
func New(o Options) *Maker {
	return &Maker{
		Options: o, memory: newBudget(maxMemory), order: list.New(),
		kept: map[core.VersionID]*list.Element{}, making: map[core.VersionID]*job{},
	}
}

// Of returns the picture of a version that the caller may read. Unsupported/no_thumb
// when none can be made of it; Transient/overload when too many are asked for; the
// errors of Open.
func (m *Maker) Of(ctx context.Context, id core.VersionID) (Picture, error) {
	const op = "thumb.Of"
	m.mu.Lock()
	if at, ok := m.kept[id]; ok {
		m.order.MoveToFront(at)
		e, _ := at.Value.(*entry)
		m.mu.Unlock()
		return e.pic, errs.Wrap(op, e.err)
	}
	j, ok := m.making[id]
	if !ok {
		if m.waiting >= maxWaiting {
			m.mu.Unlock()
			return Picture{}, errs.New(errs.Transient, errs.Overload).At(op)
		}
		m.waiting++
		j = &job{done: make(chan struct{})}
		m.making[id] = j
		// It is made for all who ask, also if the first of them goes away.
		go m.run(context.WithoutCancel(ctx), id, j)
	}
	m.mu.Unlock()
	select {
	case <-j.done:
		return j.pic, errs.Wrap(op, j.err)
	case <-ctx.Done():
		return Picture{}, errs.As(op, errs.Canceled, errs.IOFailed, ctx.Err())
	}
}

func (m *Maker) run(ctx context.Context, id core.VersionID, j *job) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	j.pic, j.err = m.make(ctx, id)
	m.mu.Lock()
	m.waiting--
	delete(m.making, id)
	if j.err == nil || errs.Has(j.err, errs.NoThumb) { // what a version is does not change
		m.keep(&entry{id, j.pic, j.err})
	}
	m.mu.Unlock()
	close(j.done)
}

// keep is called with mu held.
func (m *Maker) keep(e *entry) {
	m.kept[e.id] = m.order.PushFront(e)
	m.bytes += e.size()
	for m.bytes > maxKept {
		old, _ := m.order.Remove(m.order.Back()).(*entry)
		delete(m.kept, old.id)
		m.bytes -= old.size()
	}
}

func (m *Maker) make(ctx context.Context, id core.VersionID) (_ Picture, err error) {
	body, err := m.Open(ctx, id)
	if err != nil {
		return Picture{}, err
	}
	defer func() { _ = body.Close() }() // read only: nothing can be lost
	if v := body.Version; v.Size <= 0 || v.Size > MaxBytes {
		return Picture{}, none("it has %d bytes", v.Size)
	}
	h, err := look(body)
	if err != nil {
		return Picture{}, err
	}
	need := h.memory()
	if need > maxMemory {
		return Picture{}, none("it has %d by %d pixels", h.width, h.height)
	}
	if err := m.memory.take(ctx, need); err != nil {
		return Picture{}, err
	}
	defer m.memory.give(need)
	return h.draw(ctx, body)
}

// none is why no picture can be made of a file, now and later.
func none(format string, args ...any) *errs.Error {
	return errs.Newf(errs.Unsupported, errs.NoThumb, "No thumbnail can be made of this file: "+format+".", args...)
}

// budget is memory that those who need it share, first come, first served.
type budget struct {
	turn chan struct{} // whose holder waits for memory
	mu   sync.Mutex
	left int64
	back chan struct{} // some was given back
}

func newBudget(n int64) *budget {
	return &budget{turn: make(chan struct{}, 1), left: n, back: make(chan struct{}, 1)}
}

func (b *budget) take(ctx context.Context, n int64) error {
	busy := errs.New(errs.Transient, errs.Overload).At("thumb.take")
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return busy.Because(ctx.Err())
	}
	defer func() { <-b.turn }()
	for {
		b.mu.Lock()
		if b.left >= n {
			b.left -= n
			b.mu.Unlock()
			return nil
		}
		b.mu.Unlock()
		select {
		case <-b.back:
		case <-ctx.Done():
			return busy.Because(ctx.Err())
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
	select {
	case b.back <- struct{}{}:
	default:
	}
}
