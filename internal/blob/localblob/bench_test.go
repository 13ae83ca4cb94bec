package localblob_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
)

const benchChunk = 25 << 20

// slow readers would hide the cost of the room itself: this one only copies.
func body(data []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(data)} }

// BenchmarkRawWrite is the floor: write, fdatasync's cost included when synced.
func BenchmarkRawWrite(b *testing.B) {
	data := blobtest.Content(1, benchChunk)
	for _, sync := range []bool{true, false} {
		b.Run(fmt.Sprintf("sync=%v", sync), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			b.SetBytes(benchChunk)
			for b.Loop() {
				if _, err := f.WriteAt(data, 0); err != nil {
					b.Fatal(err)
				}
				if sync {
					if err := f.Sync(); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkWriteAt(b *testing.B) {
	data := blobtest.Content(1, benchChunk)
	for _, c := range []struct {
		name   string
		o      blob.Options
		cipher *blob.Cipher
	}{
		{"answer", blob.Options{Sync: blob.SyncAnswer}, nil},
		{"complete", blob.Options{Sync: blob.SyncComplete}, nil},
		{"complete,sha256", blob.Options{Sync: blob.SyncComplete, SHA256: true}, nil},
		{"complete,cipher", blob.Options{Sync: blob.SyncComplete}, blob.NewCipher()},
	} {
		b.Run(c.name, func(b *testing.B) {
			bucket := blob.New(open(b, localblob.Config{Root: b.TempDir()}), c.o)
			h, err := bucket.Begin(b.Context(), "k", benchChunk)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(benchChunk)
			b.ReportAllocs()
			for b.Loop() {
				w := blob.Write{Range: core.Range{To: benchChunk}, Body: body(data), Cipher: c.cipher}
				if _, err := bucket.WriteAt(b.Context(), h, w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUpload is a whole small file: begin, one part, commit.
func BenchmarkUpload(b *testing.B) {
	data := blobtest.Content(1, 4<<10)
	for _, sync := range []blob.Sync{blob.SyncAnswer, blob.SyncComplete, blob.SyncNever} {
		b.Run(string(sync), func(b *testing.B) {
			bucket := blob.New(open(b, localblob.Config{Root: b.TempDir()}), blob.Options{Sync: sync})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				h, err := bucket.Begin(b.Context(), fmt.Sprintf("%02x-%d", i&0xff, i), int64(len(data)))
				if err != nil {
					b.Fatal(err)
				}
				g, err := bucket.WriteAt(b.Context(), h, blob.Write{Range: core.Range{To: h.Size}, Body: body(data)})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := bucket.Commit(b.Context(), h, []blob.Receipt{g}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	data := blobtest.Content(1, benchChunk)
	bucket := blob.New(open(b, localblob.Config{Root: b.TempDir()}), blob.Options{})
	if _, err := bucket.Put(b.Context(), "k", blobtest.Bytes(data), nil); err != nil {
		b.Fatal(err)
	}
	for _, size := range []int64{1, benchChunk} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				r, err := bucket.Open(b.Context(), "k", core.Range{To: size}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
