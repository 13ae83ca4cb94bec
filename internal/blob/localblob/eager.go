package localblob

import (
	"os"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// eagerStep is how much is written between two starts of the flush: large
// enough for a disk to be busy with, small against a chunk.
const eagerStep = 4 << 20

// starter is the ability of a [File] to begin to flush bytes without waiting
// for the end of it. It promises nothing: what makes bytes durable, and what
// tells that they could not be flushed, is the sync at the end.
type starter interface {
	StartFlush(off, n int64)
}

// eager keeps the disk busy while a chunk still comes in, so that the sync
// before the answer finds little left to wait for. It is for one writer that
// goes forward, and only before a sync of the same descriptor: that is the one
// that is told what the flush came to (Linux: errseq_t).
type eager struct {
	File
	starter
	from, to int64 // what was written and not yet started
}

// eagerly returns f with early flushes where it has them.
func eagerly(f File, from int64) File {
	s, ok := f.(starter)
	if !ok {
		return f
	}
	e := &eager{File: f, starter: s, from: from, to: from}
	if t, ok := f.(blob.Target); ok {
		return eagerTarget{e, t}
	}
	return e
}

// eagerTarget is eager over a file that bytes can be moved to.
type eagerTarget struct {
	*eager
	target blob.Target
}

// Raw implements blob.Target.
func (e eagerTarget) Raw() *os.File { return e.target.Raw() }

// View implements blob.Target.
func (e eagerTarget) View(off int64, n int, show func([]byte)) error {
	return e.target.View(off, n, show)
}

// Moved implements blob.Target.
func (e eagerTarget) Moved(off int64, n int) { e.wrote(off + int64(n)) }

func (e *eager) WriteAt(p []byte, off int64) (int, error) {
	n, err := e.File.WriteAt(p, off)
	e.wrote(off + int64(n))
	return n, err
}

func (e *eager) wrote(to int64) {
	if e.to = to; e.to-e.from >= eagerStep {
		e.StartFlush(e.from, e.to-e.from)
		e.from = e.to
	}
}
