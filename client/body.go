package client

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

// DefaultStallAfter is how long a connection may move no byte.
const DefaultStallAfter = time.Minute

// NewLimiter makes a limiter of bytes per second for transfers.
func NewLimiter(bytesPerSecond int64) *rate.Limiter {
	burst := min(max(bytesPerSecond/8, 1), 64<<10)
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(burst))
}

const copySize = 256 << 10

var buffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// measure sums a part of the source, in clear and as it will be sent.
func measure(ctx context.Context, src io.ReaderAt, from, to int64, stream cipher.Stream) (plain, sent uint64, err error) {
	buf, _ := buffers.Get().(*[copySize]byte)
	defer buffers.Put(buf)
	for at := from; at < to; {
		if ctx.Err() != nil {
			return 0, 0, context.Cause(ctx)
		}
		b := buf[:min(copySize, to-at)]
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

// watch ends an attempt on which nothing moves any more.
type watch struct {
	after  time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

var errStalled = errors.New("nothing moved on the connection for too long")

func newWatch(ctx context.Context, after time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{after: after, cancel: cancel}
	w.timer = time.AfterFunc(after, func() { cancel(errStalled) })
	return ctx, w
}

// moved says that something did; times stretches what is allowed until the next.
func (w *watch) moved(times int) { w.timer.Reset(w.after * time.Duration(times)) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// body is one chunk on its way out.
type body struct {
	ctx    context.Context //nolint:containedctx // a body is read by the transport, which passes none
	src    io.ReaderAt
	at, to int64
	stream cipher.Stream
	limit  *rate.Limiter
	watch  *watch
	failed func(error) // told that the source could not be read
	sent   func()      // told that all is on the way
}

func (b *body) Read(p []byte) (int, error) {
	if b.at >= b.to {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.to-b.at)]
	if b.limit != nil {
		p = p[:min(len(p), max(1, b.limit.Burst()))]
	}
	n, err := b.src.ReadAt(p, b.at)
	if n < len(p) {
		err = readFailed(b.at+int64(n), err)
		b.failed(err)
		return 0, err
	}
	if b.stream != nil {
		b.stream.XORKeyStream(p, p)
	}
	b.at += int64(n)
	if b.limit != nil {
		if err := b.limit.WaitN(b.ctx, n); err != nil {
			return 0, err
		}
	}
	if b.at < b.to {
		b.watch.moved(1)
	} else {
		b.watch.moved(2) // an answer may take longer than the bytes did
		b.sent()
	}
	return n, nil
}

func (b *body) Close() error { return nil }
