package xmlstore

import (
	"crypto/md5" //nolint:gosec // the one checksum that some stores have
	"errors"
	"fmt"
	"hash"
	"hash/crc64"
	"io"
)

var table = crc64.MakeTable(crc64.ECMA)

// stream is n bytes of src on their way to the store. The last of them are let
// go only when src was seen to end there, so that the store never gets all of a
// body that is wrong.
type stream struct {
	src  io.Reader
	left int64
	ends bool // src must end with the last byte
	sum  hash.Hash
	err  error // of src: it tells a fault of the body from one of the store
}

func (v Vendor) newStream(src io.Reader, n int64, ends bool) *stream {
	s := &stream{src: src, left: n, ends: ends}
	if v.CRC {
		s.sum = crc64.New(table)
	} else {
		s.sum = md5.New() //nolint:gosec // as above
	}
	if n == 0 && ends {
		s.err = s.end(nil)
	}
	return s
}

func (s *stream) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.src.Read(p[:min(int64(len(p)), s.left)])
	_, _ = s.sum.Write(p[:n])
	s.left -= int64(n)
	switch {
	case s.left == 0 && s.ends:
		s.err = s.end(err)
	case s.left == 0:
	case errors.Is(err, io.EOF):
		s.err = fmt.Errorf("the source ended %d bytes early: %w", s.left, io.ErrUnexpectedEOF)
	default:
		s.err = err
	}
	if s.err != nil {
		return 0, s.err
	}
	return n, nil
}

// end asks src whether it is at its end; err came with its last byte.
func (s *stream) end(err error) error {
	var one [1]byte
	for tries := 0; err == nil; tries++ {
		var n int
		if n, err = s.src.Read(one[:]); n > 0 {
			return errors.New("the source is longer than it said")
		}
		if err == nil && tries == 100 {
			err = io.ErrNoProgress
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// outlet is the bytes of an object on their way from the store: n of them, or an
// error.
type outlet struct {
	io.ReadCloser
	left int64
}

func (o *outlet) Read(p []byte) (int, error) {
	if o.left == 0 {
		return 0, io.EOF
	}
	n, err := o.ReadCloser.Read(p[:min(int64(len(p)), o.left)])
	o.left -= int64(n)
	if o.left > 0 && errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %d bytes are missing: %w", ErrAnswer, o.left, io.ErrUnexpectedEOF)
	}
	return n, err
}
