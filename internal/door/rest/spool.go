package rest

import (
	"errors"
	"io"
	"os"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// spooled is a body of unknown length that was taken to a file first.
type spooled struct {
	*os.File
	size int64
}

// spool takes at most limit bytes of a body that does not say how long it is to
// a temporary file without a name in dir, so that its length is known.
func spool(src io.Reader, dir string, limit int64) (*spooled, error) {
	const op = "rest.spool"
	f, err := os.CreateTemp(dir, "wharf-*")
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
