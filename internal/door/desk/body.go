package desk

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// errYield is what a body reads after its handler was asked to make way.
var errYield = errors.New("desk: the body makes way for another request")

// A body may take for ever as long as it moves: after grace its average must be
// slowest bytes a second, and it may never stand still for Options.Stall. A
// sender of a byte now and then costs a connection for half a minute.
const (
	grace   = 30 * time.Second
	slowest = 1 << 10
	wait    = 20 * time.Millisecond // a read that took longer stood still
)

// Body is the body of every request that has one. It keeps the read deadline of
// the connection and can be stopped from outside.
type Body struct {
	io.Closer
	r      io.Reader
	rc     *http.ResponseController
	lane   Lane // nil where bytes cannot be moved
	clock  core.Clock
	stall  time.Duration
	began  time.Time // of the first read: waiting for us is not slowness
	pushed time.Time
	waited bool // in the last read
	got    int64

	mu      sync.Mutex // of the deadline, once others may be at it
	stopped bool
	over    bool
}

func (d *Desk) body(w http.ResponseWriter, r *http.Request) *Body {
	b := &Body{Closer: r.Body, r: r.Body, rc: http.NewResponseController(w), clock: d.Clock, stall: d.Stall}
	if d.Lane != nil && r.ProtoMajor == 1 && r.TLS == nil && r.ContentLength > 0 {
		b.lane = d.Lane(r.Context())
	}
	return b
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	// Once a second is often enough: pushing costs a timer update.
	now := b.clock()
	if now.Sub(b.pushed) > time.Second {
		if b.pushed = now; b.began.IsZero() {
			b.began = now
		}
		until := now.Add(b.stall)
		if slow := b.began.Add(grace + time.Duration(b.got/slowest)*time.Second); slow.Before(until) {
			until = slow
		}
		if !b.deadline(until) {
			return 0, errYield
		}
	}
	n, err := b.r.Read(p)
	b.waited = b.clock().Sub(now) >= wait
	b.got += int64(n)
	if errors.Is(err, io.EOF) {
		// What follows takes its own time: net/http watches the connection by
		// now, and a deadline there would end the request.
		b.deadline(time.Time{})
	}
	return n, err
}

// Waited implements blob.Pacer.
func (b *Body) Waited() bool { return b.waited }

// Move implements blob.Mover. A read of it is a read of the body in every other
// way.
func (b *Body) Move(f *os.File, off int64, p []byte) (n int, moved bool, err error) {
	if b.lane == nil {
		n, err = b.Read(p)
		return n, false, err
	}
	return b.lane.Move(f, off, p, b.Read)
}

// deadline moves the deadline unless the body was stopped.
func (b *Body) deadline(t time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return false
	}
	_ = b.rc.SetReadDeadline(t) // not every transport has one
	return true
}

// Stop makes the current and all later reads fail soon. Any goroutine may call
// it, also when the request is over: then the connection is another one's.
func (b *Body) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.stopped {
		return
	}
	b.stopped = true
	_ = b.rc.SetReadDeadline(b.clock().Add(-time.Second))
}

func (b *Body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// cut ends the connection without the body: its sender waits for "100 Continue"
// and has not begun (RFC 9110 §10.1.1), and net/http would wait for it.
func (b *Body) cut(h http.Header) {
	h.Set("Connection", "close")
	b.Stop()
	b.end()
}

// Bounds of Drain: a refused chunk of the usual sizes is read to its end, so
// that its sender reads our answer and not a reset connection.
const (
	drainBytes = 64 << 20
	drainTime  = 15 * time.Second
)

// Drain reads what is left, within its bounds. What is over them ends with the
// connection.
func (b *Body) Drain(h http.Header) {
	b.end()
	if b.rc.SetReadDeadline(b.clock().Add(drainTime)) != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, b.r, drainBytes); !errors.Is(err, io.EOF) {
		h.Set("Connection", "close") // the deadline stays: net/http reads on for a while
		return
	}
	_ = b.rc.SetReadDeadline(time.Time{})
}
