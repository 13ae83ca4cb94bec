package blob

import (
	"crypto/cipher"
	"errors"
	"io"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// intake is the body of a write as the driver reads it: exactly the bytes of
// the range as they are to be stored, or an error.
//
// The last bytes are handed over only after the end of the body was seen and
// every claim held, so a driver that reads to the end never makes a wrong body
// durable. err tells a fault of the body from one of the storage.
type intake struct {
	body   io.Reader
	size   int64
	left   int64
	meter  meter
	claims []claim
	stream cipher.Stream // nil: stored as sent
	sealed bool          // the body is ciphertext already; stream deciphers it for the meter
	empty  int           // reads in a row that gave nothing
	done   bool          // whole, and every claim held
	err    error
	one    [1]byte
}

func newIntake(w Write, sha bool) (*intake, error) {
	if w.Sealed && w.Cipher == nil {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "a sealed body needs its cipher")
	}
	in := &intake{body: w.Body, size: w.Range.Len(), left: w.Range.Len(), meter: newMeter(sha), sealed: w.Sealed}
	if w.Cipher != nil {
		in.stream = w.Cipher.Stream(w.Range.From)
	}
	var err error
	if in.claims, err = claims(w.Want, in.meter, !w.Sealed); err != nil {
		return nil, err
	}
	if in.left == 0 {
		// A driver need not read an empty range.
		in.end(nil)
	}
	return in, nil
}

func (in *intake) Read(p []byte) (int, error) {
	if in.err != nil {
		return 0, in.err
	}
	if in.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > in.left {
		p = p[:in.left]
	}
	n, err := in.body.Read(p)
	in.take(p[:n])
	in.passed(n, err)
	if in.err != nil {
		return 0, in.err
	}
	return n, nil
}

// passed counts n bytes that were taken, and sees to what came with them.
func (in *intake) passed(n int, err error) {
	if in.empty++; n > 0 {
		in.empty = 0
	}
	if in.empty > maxEmptyReads && err == nil {
		err = io.ErrNoProgress
	}
	in.left -= int64(n)
	switch {
	case in.left == 0:
		in.end(err)
	case errors.Is(err, io.EOF):
		in.err = errs.Newf(errs.Transient, errs.ChunkShort, "body ended after %d of %d bytes", in.size-in.left, in.size)
	case err != nil:
		in.err = in.broken(err)
	}
}

// take measures p and leaves it as it is to be stored.
func (in *intake) take(p []byte) {
	for _, c := range in.claims {
		if c.feeds {
			_, _ = c.h.Write(p)
		}
	}
	switch {
	case in.stream == nil:
		in.meter.Write(p)
	case in.sealed:
		in.takeSealed(p)
	default:
		in.meter.Write(p)
		in.stream.XORKeyStream(p, p)
	}
}

func (in *intake) takeSealed(p []byte) {
	scratch := getBuffer(scratchTier)
	defer pools[scratchTier].Put(scratch)
	for len(p) > 0 {
		n := min(len(p), len(*scratch))
		plain := (*scratch)[:n]
		in.stream.XORKeyStream(plain, p[:n])
		in.meter.Write(plain)
		clear(plain)
		p = p[n:]
	}
}

// end sees that the body has no further byte and that the claims hold. err is
// what came with the last byte.
func (in *intake) end(err error) {
	for tries := 0; err == nil; tries++ {
		var n int
		if n, err = in.body.Read(in.one[:]); n > 0 {
			in.err = errs.Newf(errs.Invalid, errs.ChunkLength, "body has more than %d bytes", in.size)
			return
		}
		if err == nil && tries == maxEmptyReads {
			err = io.ErrNoProgress
		}
	}
	if !errors.Is(err, io.EOF) {
		in.err = in.broken(err)
		return
	}
	for _, c := range in.claims {
		if in.err = c.check(); in.err != nil {
			return
		}
	}
	in.done = true
}

// broken names an error of the sender's side. An error that has a name, such
// as a body over the limit of its door, keeps it.
func (in *intake) broken(err error) error {
	return errs.As("blob.intake", errs.Transient, errs.ChunkShort, err)
}
