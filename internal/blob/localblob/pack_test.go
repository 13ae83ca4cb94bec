package localblob

import (
	"bytes"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
)

func FuzzParseHeader(f *testing.F) {
	f.Add(appendRecord(nil, []byte("x"))[:headerSize])
	f.Add([]byte("WPK1"))
	f.Fuzz(func(t *testing.T, h []byte) {
		got, ok := parseHeader(h)
		if ok && (got.size < 1 || got.size > blob.MaxPacked) {
			t.Errorf("%x is taken for %+v", h, got)
		}
	})
}

func TestNoDamagedHeaderIsTakenForOne(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 255, blob.MaxPacked} {
		record := appendRecord(nil, bytes.Repeat([]byte{1}, n))
		if int64(len(record)) != recordSize(n) || len(record)%recordAlign != 0 {
			t.Errorf("a record of %d bytes for %d", len(record), n)
		}
		h := record[:headerSize]
		if got, ok := parseHeader(h); !ok || got != (header{int64(n), stored}) {
			t.Errorf("%+v %v", got, ok)
		}
		for bit := range (headerSize - 1) * 8 {
			h[bit/8] ^= 1 << (bit % 8)
			if got, ok := parseHeader(h); ok {
				t.Errorf("bit %d flipped: %+v", bit, got)
			}
			h[bit/8] ^= 1 << (bit % 8)
		}
		h[headerSize-1] = deleted
		if got, ok := parseHeader(h); !ok || got.state != deleted {
			t.Errorf("deleted: %+v %v", got, ok)
		}
	}
}
