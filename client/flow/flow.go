package flow

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/minio/crc64nvme"
	"golang.org/x/time/rate"
)

// ErrSourceChanged is that the local file changed while it was sent.
var ErrSourceChanged = errors.New("the local file changed while it was being sent")

// ErrStalled is that nothing moved for too long.
var ErrStalled = errors.New("nothing moved on the connection for too long")

// BufferSize is that of the buffers.
const BufferSize = 256 << 10

// Buffers are lent to whoever copies: *[BufferSize]byte.
var Buffers = sync.Pool{New: func() any { return new([BufferSize]byte) }}

// Measure sums a part of the source, in clear and as it will be sent.
func Measure(ctx context.Context, src io.ReaderAt, from, to int64, stream cipher.Stream) (plain, sent uint64, err error) {
	buf, _ := Buffers.Get().(*[BufferSize]byte)
	defer Buffers.Put(buf)
	for at := from; at < to; {
		if ctx.Err() != nil {
			return 0, 0, context.Cause(ctx)
		}
		b := buf[:min(BufferSize, to-at)]
		n, err := src.ReadAt(b, at)
		if n < len(b) {
			return 0, 0, readFailed(at+int64(n), err)
		}
		plain = crc64nvme.Update(plain, b)
		if stream != nil {
			stream.XORKeyStream(b, b)
			sent = crc64nvme.Update(sent, b)
		}
		at += int64(n)
	}
	if stream == nil {
		sent = plain
	}
	return plain, sent, nil
}

// readFailed describes a source that could not be read, which no repetition of
// the request will mend.
func readFailed(at int64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("upload: %w: it ends at byte %d", ErrSourceChanged, at)
	}
	return fmt.Errorf("upload: read at byte %d: %w", at, err)
}

// Watch ends an attempt on which nothing moves any more.
type Watch struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// NewWatch cancels the context that it returns when nothing moved for that long.
func NewWatch(ctx context.Context, after time.Duration) (context.Context, *Watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &Watch{after: after, cancel: cancel}
	w.timer = time.AfterFunc(after, func() { cancel(ErrStalled) })
	return ctx, w
}

// Moved says that something did; times stretches what is allowed until the next.
func (w *Watch) Moved(times int) { w.timer.Reset(w.after * time.Duration(times)) }

// Stop ends the watch.
func (w *Watch) Stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// Body is one chunk on its way out.
type Body struct {
	Ctx    context.Context //nolint:containedctx // a body is read by the transport, which passes none
	Source io.ReaderAt
	At, To int64
	Stream cipher.Stream // enciphers; nil: in clear
	Limit  *rate.Limiter // nil: none
	Watch  *Watch
	Failed func(error) // told that the source could not be read
	Sent   func()      // told that all is on the way
}

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.At >= b.To {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.To-b.At)]
	if b.Limit != nil {
		p = p[:min(len(p), max(1, b.Limit.Burst()))]
	}
	n, err := b.Source.ReadAt(p, b.At)
	if n < len(p) {
		err = readFailed(b.At+int64(n), err)
		b.Failed(err)
		return 0, err
	}
	if b.Stream != nil {
		b.Stream.XORKeyStream(p, p)
	}
	b.At += int64(n)
	if b.Limit != nil {
		if err := b.Limit.WaitN(b.Ctx, n); err != nil {
			return 0, err
		}
	}
	if b.At < b.To {
		b.Watch.Moved(1)
	} else {
		b.Watch.Moved(2) // an answer may take longer than the bytes did
		b.Sent()
	}
	return n, nil
}

// Close implements io.Closer.
func (b *Body) Close() error { return nil }
