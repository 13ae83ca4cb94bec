package batch

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// A group is what is stored with one flush and one transaction. Its bounds are
// also those of what waits behind it, and so of the memory of a request.
const (
	groupFiles = 128
	groupBytes = 1 << 20
)

// Body is a file that came.
type Body struct {
	Index int
	Bytes []byte
}

// Work is what Run needs to know.
type Work struct {
	// Sizes are those of the manifest, by index. Refused marks a file that has its
	// answer: its frame may come or not, and is passed over.
	Sizes []int64
	// Keep stores files and answers each. It is called from the caller's goroutine.
	Keep func(ctx context.Context, files []Body)
	// Refuse answers a file that did not come as it should. It may be called from
	// another goroutine, also while Keep runs.
	Refuse func(index int, err error)
}

// Refused stands in for the size of a file that is not wanted.
const Refused = -1

// Run reads frames to the end of r and has the files stored, in groups of what
// came while the group before was being stored. A frame that is no frame, or a
// body that breaks off, ends it with an error: the files that came until then are
// stored and answered, the others are not answered. Without an error each file
// has its answer.
func Run(ctx context.Context, r *bufio.Reader, w Work) error {
	q := newQueue()
	in := intake{r: r, w: w, q: q, came: make([]bool, len(w.Sizes))}
	end := make(chan error, 1)
	go func() {
		err := in.all()
		q.close()
		end <- err
	}()
	defer q.close() // should Keep panic, nobody takes what comes
	for {
		files := q.take()
		if len(files) == 0 {
			break
		}
		w.Keep(ctx, files)
	}
	if err := <-end; err != nil {
		return err
	}
	for i, size := range w.Sizes {
		if size != Refused && !in.came[i] {
			w.Refuse(i, errs.Newf(errs.Transient, errs.ChunkShort, "The request ended without this file."))
		}
	}
	return nil
}

// intake reads the frames of one request.
type intake struct {
	r     *bufio.Reader
	w     Work
	q     *queue
	came  []bool
	bytes int64
}

func (in *intake) all() error {
	for {
		f, err := ReadFrame(in.r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = in.one(f)
		}
		if err != nil {
			return err
		}
	}
}

func (in *intake) one(f Frame) error {
	const op = "batch.Run"
	if f.Index >= len(in.came) {
		return errs.Newf(errs.Invalid, errs.BadParam, "A frame is of file %d, and the manifest names %d.", f.Index, len(in.came)).At(op)
	}
	if in.came[f.Index] {
		return errs.Newf(errs.Invalid, errs.BadParam, "File %d comes a second time.", f.Index).At(op)
	}
	in.came[f.Index] = true
	if in.bytes += f.Size; in.bytes > MaxBytes {
		return errs.Newf(errs.TooLarge, errs.FileTooLarge, "The request has more than %d bytes of files.", MaxBytes).At(op)
	}
	want := in.w.Sizes[f.Index]
	if !f.Unread && f.Size == want {
		body := make([]byte, f.Size)
		if _, err := io.ReadFull(in.r, body); err != nil {
			return broken(op, err)
		}
		in.q.put(Body{Index: f.Index, Bytes: body})
		return nil
	}
	if _, err := io.CopyN(io.Discard, in.r, f.Size); err != nil {
		return broken(op, err)
	}
	switch {
	case want == Refused:
	case f.Unread:
		in.w.Refuse(f.Index, errs.Newf(errs.Invalid, errs.ChunkLength, "The client could not read this file."))
	default:
		in.w.Refuse(f.Index, errs.Newf(errs.Invalid, errs.ChunkLength, "The manifest says %d bytes, and %d came.", want, f.Size))
	}
	return nil
}

func broken(op string, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return errs.As(op, errs.Transient, errs.ChunkShort, err)
}

// queue keeps what came until it is stored. One that comes waits while a whole
// group waits already.
type queue struct {
	mu     sync.Mutex
	moved  sync.Cond
	files  []Body
	bytes  int
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.moved.L = &q.mu
	return q
}

func (q *queue) put(b Body) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.files) > 0 && (len(q.files) >= groupFiles || q.bytes+len(b.Bytes) > groupBytes) {
		q.moved.Wait()
	}
	q.files, q.bytes = append(q.files, b), q.bytes+len(b.Bytes)
	q.moved.Broadcast()
}

// take waits for files and takes all there are; none when nothing comes any
// more.
func (q *queue) take() []Body {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.files) == 0 && !q.closed {
		q.moved.Wait()
	}
	files := q.files
	q.files, q.bytes = nil, 0
	q.moved.Broadcast()
	return files
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.moved.Broadcast()
}
