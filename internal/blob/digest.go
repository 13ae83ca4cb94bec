package blob

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"

	"github.com/minio/crc64nvme"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// The algorithms of a [Digest], spelled as in the HTTP Digest Algorithm Values
// registry, and as S3 spells the CRC.
const (
	SHA256    = "sha-256"
	SHA512    = "sha-512"
	CRC64NVME = "crc64nvme" // 8 bytes, big-endian
)

// Digest is what the sender says its bytes come to.
type Digest struct {
	Algorithm string
	Value     []byte
}

// newHash returns the hash of a known algorithm, nil for any other.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	case CRC64NVME:
		return crc64nvme.New()
	}
	return nil
}

// CRC returns the digest of a CRC-64/NVME.
func CRC(sum uint64) Digest {
	return Digest{Algorithm: CRC64NVME, Value: binary.BigEndian.AppendUint64(nil, sum)}
}

// meter sums bytes that pass: always a CRC, more where asked for.
type meter struct {
	crc    hash.Hash64
	sha256 hash.Hash // nil unless the file's own SHA-256 is kept
}

func newMeter(sha bool) meter {
	m := meter{crc: crc64nvme.New()}
	if sha {
		m.sha256 = sha256.New()
	}
	return m
}

func (m meter) Write(p []byte) {
	_, _ = m.crc.Write(p)
	if m.sha256 != nil {
		_, _ = m.sha256.Write(p)
	}
}

func (m meter) sum() (crc uint64, sha []byte) {
	if m.sha256 != nil {
		sha = m.sha256.Sum(nil)
	}
	return m.crc.Sum64(), sha
}

// claim is a digest the sender gave, and the hash that will prove it.
type claim struct {
	Digest
	h     hash.Hash
	feeds bool // h is fed by the claim, not by the meter
}

// claims pairs each digest with its hash. Where the body is the content, a hash
// that the meter keeps anyway is shared.
func claims(want []Digest, m meter, bodyIsContent bool) ([]claim, error) {
	out := make([]claim, 0, len(want))
	for _, d := range want {
		c := claim{Digest: d}
		switch {
		case bodyIsContent && d.Algorithm == CRC64NVME:
			c.h = m.crc
		case bodyIsContent && d.Algorithm == SHA256 && m.sha256 != nil:
			c.h = m.sha256
		default:
			c.h, c.feeds = newHash(d.Algorithm), true
		}
		if c.h == nil || len(d.Value) != c.h.Size() {
			return nil, errs.Newf(errs.Invalid, errs.BadParam, "digest %q of %d bytes", d.Algorithm, len(d.Value))
		}
		out = append(out, c)
	}
	return out, nil
}

func (c claim) check() error {
	if got := c.h.Sum(nil); !bytes.Equal(got, c.Value) {
		return errs.Newf(errs.Invalid, errs.DigestMismatch, "%s is %x, sender said %x", c.Algorithm, got, c.Value)
	}
	return nil
}

// poly is the CRC-64/NVME polynomial, reflected: the bit of x^i is 1<<(63-i).
const poly = 0x9a6c9329ac4bc9b5

// powers holds x^(2^k) mod poly. 67 of them reach x^(8·len) for any int64 len.
var powers = func() (t [67]uint64) {
	t[0] = 1 << 62 // x
	for k := 1; k < len(t); k++ {
		t[k] = mulmod(t[k-1], t[k-1])
	}
	return t
}()

// mulmod multiplies two polynomials over GF(2), modulo poly.
func mulmod(a, b uint64) uint64 {
	var p uint64
	for m := uint64(1) << 63; m != 0; m >>= 1 {
		if a&m != 0 {
			p ^= b
		}
		b = b>>1 ^ poly&-(b&1)
	}
	return p
}

// CombineCRC returns the CRC-64/NVME of A‖B from those of A and B and the
// length of B, which must not be negative. It reads no bytes and takes the
// same short time for any length.
//
// Appending B multiplies the register of A by x^(8·lenB); the two inversions
// around the CRC cancel. See Mark Adler, zlib crc32_combine.
func CombineCRC(a, b uint64, lenB int64) uint64 {
	shift := uint64(1) << 63 // x^0
	for n, k := uint64(lenB), 3; n != 0; n, k = n>>1, k+1 {
		if n&1 != 0 {
			shift = mulmod(powers[k], shift)
		}
	}
	return mulmod(shift, a) ^ b
}
