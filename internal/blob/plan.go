package blob

import (
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// The bounds of a plan. Sizes stay exact in a JSON number of any client.
const (
	MaxSize   int64 = 1 << 53
	MaxChunk  int64 = 5 << 30 // the largest part any vendor takes
	MaxChunks int64 = 100_000 // what a session may have at most
	maxParts  int64 = 10_000  // what a vendor takes of one object at most
	align     int64 = 64 << 10
)

// ChunkSize returns the chunk size for a file of that size where the policy
// wants chunks of want bytes: want, raised so that no more than 10,000 chunks
// are needed. A raised size is a multiple of 64 KiB and at most [MaxChunk].
// A want of 0 or less gives 0: the whole file is one chunk.
func ChunkSize(size, want int64) int64 {
	if want <= 0 {
		return 0
	}
	want = min(want, MaxChunk)
	if size <= 0 || Chunks(size, want) <= maxParts {
		return want
	}
	least := (size-1)/maxParts + 1
	if least >= MaxChunk {
		return MaxChunk
	}
	return Align(least)
}

// Align rounds a chunk size up to a multiple of 64 KiB, as ciphered uploads
// need: some clients go wrong when a chunk begins inside a cipher block. 0
// stays 0.
func Align(chunk int64) int64 {
	if chunk <= 0 {
		return 0
	}
	if chunk >= MaxChunk {
		return MaxChunk
	}
	return (chunk + align - 1) / align * align
}

// Chunks returns how many chunks a file has: at least one, for an empty file
// is sent as one empty chunk. 0 for a negative size or chunk.
func Chunks(size, chunk int64) int64 {
	switch {
	case size < 0 || chunk < 0:
		return 0
	case size == 0 || chunk == 0:
		return 1
	}
	return (size-1)/chunk + 1
}

// ChunkRange returns the bytes of the chunk with that zero-based index. A
// chunk of 0 bytes means the file is one chunk. An index that the file does
// not have is Invalid, ChunkIndex.
func ChunkRange(size, chunk, index int64) (core.Range, error) {
	const op = "blob.ChunkRange"
	if size < 0 || chunk < 0 {
		return core.Range{}, errs.Newf(errs.Invalid, errs.BadParam, "size %d, chunk size %d", size, chunk).At(op)
	}
	n := Chunks(size, chunk)
	if index < 0 || index >= n {
		return core.Range{}, errs.Newf(errs.Invalid, errs.ChunkIndex, "chunk %d of %d", index, n).At(op)
	}
	if n == 1 {
		return core.Range{From: 0, To: size}, nil
	}
	// index < n, so from < size: neither line can overflow.
	from := index * chunk
	return core.Range{From: from, To: from + min(chunk, size-from)}, nil
}
