package blob

import (
	"context"
	"io"
	"os"
)

// Mover is a body that can put its bytes into a file without a copy through this
// process.
type Mover interface {
	// Move reads at most len(p) bytes, as Read does. They are in p, or in f from
	// off on: moved says where.
	Move(f *os.File, off int64, p []byte) (n int, moved bool, err error)
}

// Target is a file that a [Mover] can write to.
type Target interface {
	io.WriterAt
	// Raw is the file itself.
	Raw() *os.File
	// View shows n bytes that were moved to off, to be read and not kept.
	View(off int64, n int, show func([]byte)) error
	// Moved says that n bytes came to off other than by WriteAt.
	Moved(off int64, n int)
}

// moveStep is the most that is moved at once: what a pipe holds.
const moveStep = 1 << 20

// move goes on with a copy from in to dst at off, where the kernel can do it:
// the sender is fast, and nothing but the digests wants to see the bytes. It
// returns how many bytes it wrote, and whether the body has ended.
func (in *intake) move(ctx context.Context, dst Target, off int64) (n int64, ended bool, err error) {
	m, able := in.body.(Mover)
	if !able || in.stream != nil {
		return 0, false, nil
	}
	p, ok := moving.Get().(*[]byte)
	if !ok {
		b := make([]byte, moveStep)
		p = &b
	}
	defer moving.Put(p)
	for copied := 0; copied < 2 && in.err == nil && in.left > 0; {
		if err := ctx.Err(); err != nil {
			return n, false, err
		}
		got, moved, err := m.Move(dst.Raw(), off+n, (*p)[:min(in.left, moveStep)])
		if moved {
			dst.Moved(off+n, got)
			if verr := dst.View(off+n, got, in.take); verr != nil {
				return n, false, verr
			}
			copied = 0
		} else if got > 0 {
			in.take((*p)[:got])
			if _, werr := dst.WriteAt((*p)[:got], off+n); werr != nil {
				return n, false, werr
			}
			copied++ // it comes slowly, or not from a socket
		}
		n += int64(got)
		in.passed(got, err)
	}
	return n, in.left == 0, in.err
}
