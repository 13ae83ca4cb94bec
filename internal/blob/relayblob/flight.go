package relayblob

import (
	"context"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// atOnce bounds the parts of one upload that are on their way to the store.
const atOnce = 2

// flight is what this process knows of an upload on its way to the store.
type flight struct {
	d     *driver
	key   string
	size  int64
	slots chan struct{}

	ending sync.Mutex // one Commit at a time

	begin sync.Mutex // of the following two
	begun bool
	far   blob.Handle // once begun

	mu    sync.Mutex
	have  core.RangeSet // bytes that this process put on the disk
	parts []part
	later bool // the store does not take parts now: wait for Commit
}

// part is the state of one part at the store.
type part struct {
	sent, busy bool
	turn       uint32 // rises when its bytes change
}

// flight finds or makes that of h.
func (d *driver) flight(h blob.Handle) *flight {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.flights[h.Key]
	if f == nil {
		f = &flight{
			d: d, key: h.Key, size: h.Size, slots: make(chan struct{}, atOnce),
			parts: make([]part, blob.Chunks(h.Size, blob.ChunkSize(h.Size, d.part))),
		}
		d.flights[h.Key] = f
	}
	return f
}

func (d *driver) land(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.flights, key)
}

// place returns the bytes of part n.
func (f *flight) place(n int) core.Range {
	size := blob.ChunkSize(f.size, f.d.part)
	at := int64(n) * size
	return core.Range{From: at, To: min(at+size, f.size)}
}

// touched returns the first part that has a byte of r, and the one behind the
// last.
func (f *flight) touched(r core.Range) (first, end int) {
	size := blob.ChunkSize(f.size, f.d.part)
	return min(int(r.From/size), len(f.parts)), min(int((r.To+size-1)/size), len(f.parts))
}

// forget makes the bytes r, and the parts that they belong to, count as neither
// here nor there.
func (f *flight) forget(r core.Range) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := core.Range{To: f.size}
	f.have = f.have.Missing(all).Add(r).Missing(all)
	first, end := f.touched(r)
	for n := first; n < end; n++ {
		f.parts[n].sent = false
		f.parts[n].turn++
	}
}

// arrived records that the bytes r are on the disk and returns the parts that
// are whole with them.
func (f *flight) arrived(r core.Range) (whole []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.have = f.have.Add(r)
	first, end := f.touched(r)
	for n := first; n < end && !f.later; n++ {
		if f.have.Covers(f.place(n)) {
			whole = append(whole, n)
		}
	}
	return whole
}

// put leaves the parts to Commit, unless it is the sender who has gone.
func (f *flight) put(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.later = f.later || ctx.Err() == nil
}

// send brings part n to the store, unless it is there or somebody is at it.
func (f *flight) send(ctx context.Context, n int) error {
	turn, due := f.take(n)
	if !due {
		return nil
	}
	err := f.carry(ctx, n)
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &f.parts[n]
	p.busy = false
	p.sent = err == nil && p.turn == turn
	return err
}

func (f *flight) take(n int) (turn uint32, due bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &f.parts[n]
	if p.sent || p.busy {
		return 0, false
	}
	p.busy = true
	return p.turn, true
}

func (f *flight) carry(ctx context.Context, n int) error {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	h, err := f.open(ctx)
	if err != nil {
		return err
	}
	r := f.place(n)
	body, err := f.d.near.Staged(ctx, blob.Handle{Key: f.key, Size: f.size}, r)
	if err != nil {
		return from(f.d.near, err)
	}
	defer func() { _ = body.Close() }() // read only
	return from(f.d.far, f.d.far.WriteAt(ctx, h, r, body, blob.PutOptions{}))
}

// open returns the upload at the store, and opens it if there is none.
func (f *flight) open(ctx context.Context) (blob.Handle, error) {
	f.begin.Lock()
	defer f.begin.Unlock()
	if f.begun {
		return f.far, nil
	}
	h, err := f.d.begin(ctx, f.key, f.size)
	f.far, f.begun = h, err == nil
	return h, err
}

// reset makes the store's side begin anew: it knows the upload no more.
func (f *flight) reset() {
	f.begin.Lock()
	defer f.begin.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = false
	for n := range f.parts {
		f.parts[n].sent = false
	}
}

// finish sends what is not there, two parts at a time, and makes the object. No
// piece comes in meanwhile. What was sent stays sent if it is cut short.
func (f *flight) finish(ctx context.Context, o blob.PutOptions) (blob.Info, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var senders sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		senders.Go(func() {
			for n := range next {
				if err := f.send(ctx, n); err != nil {
					stop(err)
				}
			}
		})
	}
	for n := range f.parts {
		select {
		case next <- n:
		case <-ctx.Done():
		}
	}
	close(next)
	senders.Wait()
	err := context.Cause(ctx)
	var info blob.Info
	if err == nil {
		var h blob.Handle
		if h, err = f.open(ctx); err == nil {
			info, err = f.d.far.Commit(ctx, h, o)
			err = from(f.d.far, err)
		}
	}
	if f.d.missing(err) {
		f.reset() // somebody ended it at the store
	}
	return info, err
}
