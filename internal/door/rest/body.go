package rest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// errYield is what a body reads after its handler was asked to make way.
var errYield = errors.New("rest: the body makes way for another request")

// body is a request body that may take for ever as long as it moves: each read
// pushes the deadline of the connection. It can be stopped from outside.
type body struct {
	r       io.Reader
	rc      *http.ResponseController
	clock   core.Clock
	stall   time.Duration
	pushed  time.Time
	stopped atomic.Bool
}

func (d *Door) body(q *request) *body {
	return &body{r: q.r.Body, rc: http.NewResponseController(q.w), clock: d.Clock, stall: d.Stall}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	// Once a second is often enough: pushing costs a timer update.
	if now := b.clock(); now.Sub(b.pushed) > time.Second {
		_ = b.rc.SetReadDeadline(now.Add(b.stall)) // not every transport has one
		b.pushed = now
	}
	if b.stopped.Load() {
		return 0, errYield
	}
	return b.r.Read(p)
}

// stop makes the current and all later reads fail soon. Any goroutine may call
// it.
func (b *body) stop() {
	b.stopped.Store(true)
	_ = b.rc.SetReadDeadline(b.clock().Add(-time.Second))
}

// spooled is a body of unknown length that was taken to a file first.
type spooled struct {
	*os.File
	size int64
}

// spool takes at most limit bytes of a body that does not say how long it is to
// a temporary file without a name, so that its length is known.
func spool(src io.Reader, limit int64) (*spooled, error) {
	const op = "rest.spool"
	f, err := os.CreateTemp("", "wharf-*")
	if err != nil {
		return nil, errs.As(op, errs.Transient, errs.IOFailed, err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errs.As(op, errs.Transient, errs.IOFailed, errors.Join(err, f.Close()))
	}
	n, err := io.Copy(f, io.LimitReader(src, limit+1))
	if err == nil && n > limit {
		_ = f.Close() // the file is gone with it
		return nil, errs.Newf(errs.TooLarge, errs.FileTooLarge, "Contents up to %d bytes can be sent this way; use an upload session.", limit).At(op)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errs.As(op, errs.Transient, errs.ChunkShort, errors.Join(err, f.Close()))
	}
	return &spooled{File: f, size: n}, nil
}
