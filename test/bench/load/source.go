//go:build linux

package load

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
)

const payloadLen = 32 << 20

// payload is the same random bytes in every run: none can be compressed away.
var payload = sync.OnceValue(func() []byte {
	block, err := aes.NewCipher([]byte("wharfinger bench"))
	if err != nil {
		panic(err) // sixteen bytes are a key
	}
	b := make([]byte, payloadLen)
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(b, b)
	return b
})

// source is the content of one file: its byte o is payload[(seed+o) mod payloadLen].
type source struct{ seed, size int64 }

func newSource(seed, size int64) source { return source{seed % payloadLen, size} }

// slice returns at most n bytes from off on, fewer where the buffer ends.
func (s source) slice(off, n int64) []byte {
	p := (s.seed + off) % payloadLen
	return payload()[p:min(p+n, payloadLen)]
}

func (s source) writeTo(w io.Writer, off, n int64) error {
	for n > 0 {
		b := s.slice(off, min(n, 1<<20))
		if _, err := w.Write(b); err != nil {
			return err
		}
		off += int64(len(b))
		n -= int64(len(b))
	}
	return nil
}

func (s source) sum() string {
	h := sha256.New()
	_ = s.writeTo(h, 0, s.size) // a hash takes everything
	return hex.EncodeToString(h.Sum(nil))
}

// chance is SplitMix64: the same places in every run, and different ones.
type chance uint64

func (c *chance) below(n int64) int64 {
	*c += 0x9e3779b97f4a7c15
	z := uint64(*c)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return int64(z % uint64(n))
}
