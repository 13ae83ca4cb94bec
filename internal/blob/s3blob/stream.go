package s3blob

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the vendor's tag of a body is made of it
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// sumMD5 names a digest that the store keeps, beside those that blob computes.
const sumMD5 = "md5"

// stream is n bytes of src on their way to the store. The last of them are let
// go only when src was seen to end there, so that the store never gets all of a
// body that is wrong.
type stream struct {
	src  io.Reader
	left int64
	ends bool // src must end with the last byte
	md5  hash.Hash
	crc  hash.Hash64
	err  error // of src: it tells a fault of the body from one of the store
}

func newStream(src io.Reader, n int64, ends bool) *stream {
	s := &stream{src: src, left: n, ends: ends, md5: md5.New(), crc: crc64nvme.New()} //nolint:gosec // as above
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
	_, _ = s.md5.Write(p[:n])
	_, _ = s.crc.Write(p[:n])
	s.left -= int64(n)
	switch {
	case s.left == 0 && s.ends:
		s.err = s.end(err)
	case s.left == 0:
	case errors.Is(err, io.EOF):
		s.err = fmt.Errorf("s3: the source ended %d bytes early: %w", s.left, io.ErrUnexpectedEOF)
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
			return errors.New("s3: the source is longer than it said")
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

// agrees reports whether the sums of the store, as far as it gave any, are those
// of the body; known, whether it gave one.
func (s *stream) agrees(sums []blob.Digest) (ok, known bool) {
	for _, d := range sums {
		switch d.Algorithm {
		case blob.CRC64NVME:
			return bytes.Equal(d.Value, binary.BigEndian.AppendUint64(nil, s.crc.Sum64())), true
		case sumMD5:
			return bytes.Equal(d.Value, s.md5.Sum(nil)), true
		}
	}
	return true, false
}

// sums reads what the store says of a body, the strongest first. An ETag is an
// MD5 unless the body was sent in parts or is kept under a key of the vendor's.
func sums(crc, etag *string, kms bool) (out []blob.Digest) {
	if crc != nil {
		if sum, err := base64.StdEncoding.DecodeString(*crc); err == nil && len(sum) == crc64nvme.Size {
			out = append(out, blob.Digest{Algorithm: blob.CRC64NVME, Value: sum})
		}
	}
	if etag != nil && !kms {
		if sum, err := hex.DecodeString(strings.Trim(*etag, `"`)); err == nil && len(sum) == md5.Size {
			out = append(out, blob.Digest{Algorithm: sumMD5, Value: sum})
		}
	}
	return out
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
		err = fmt.Errorf("%w: %d bytes are missing: %w", errAnswer, o.left, io.ErrUnexpectedEOF)
	}
	return n, err
}
