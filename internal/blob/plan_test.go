package blob_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func span(from, to int64) core.Range { return core.Range{From: from, To: to} }

func TestChunkRangeIsExact(t *testing.T) {
	for _, c := range []struct {
		size, chunk, index int64
		want               core.Range
	}{
		{0, 0, 0, span(0, 0)},
		{0, 10, 0, span(0, 0)},
		{7, 0, 0, span(0, 7)},
		{7, 10, 0, span(0, 7)},
		{10, 10, 0, span(0, 10)},
		{11, 10, 1, span(10, 11)},
		{9, 10, 0, span(0, 9)},
		{30, 10, 2, span(20, 30)},
		{math.MaxInt64, 0, 0, span(0, math.MaxInt64)},
		{math.MaxInt64, math.MaxInt64 - 1, 1, span(math.MaxInt64-1, math.MaxInt64)},
		{math.MaxInt64, 1 << 62, 1, span(1<<62, math.MaxInt64)},
		{math.MaxInt64, 1, math.MaxInt64 - 1, span(math.MaxInt64-1, math.MaxInt64)},
	} {
		got, err := blob.ChunkRange(c.size, c.chunk, c.index)
		if err != nil || got != c.want {
			t.Errorf("ChunkRange(%d, %d, %d) = %v, %v; want %v", c.size, c.chunk, c.index, got, err, c.want)
		}
	}
	for _, c := range [][3]int64{
		{0, 0, 1},
		{0, 10, 1},
		{7, 0, 1},
		{10, 10, 1},
		{30, 10, 3},
		{30, 10, -1},
		{30, 10, math.MinInt64},
		{30, 10, math.MaxInt64},
		{1 << 40, 25 << 20, 1 << 44},
		{50 << 20, 25 << 20, 1 << 44},
		{math.MaxInt64, 1 << 62, 2},
	} {
		if got, err := blob.ChunkRange(c[0], c[1], c[2]); !errs.Is(err, errs.Invalid) || !errs.Has(err, errs.ChunkIndex) {
			t.Errorf("ChunkRange(%v) = %v, %v", c, got, err)
		}
	}
	for _, c := range [][3]int64{{-1, 10, 0}, {10, -1, 0}, {math.MinInt64, math.MinInt64, math.MinInt64}} {
		if got, err := blob.ChunkRange(c[0], c[1], c[2]); !errs.Has(err, errs.BadParam) {
			t.Errorf("ChunkRange(%v) = %v, %v", c, got, err)
		}
	}
}

// edges draws int64 with a liking for where arithmetic breaks.
func edges() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 100), rapid.SampledFrom([]int64{
		math.MinInt64, math.MaxInt64, math.MaxInt64 - 1, 1 << 62, 1<<62 - 1, 1 << 44, 1 << 53, 1<<31 - 1, 1 << 32, 25 << 20, 5 << 30,
	}))
}

// checkPlan asks all that a range may be asked for.
func checkPlan(t interface{ Fatalf(string, ...any) }, size, chunk, index int64) {
	r, err := blob.ChunkRange(size, chunk, index)
	n := blob.Chunks(size, chunk)
	if (err == nil) != (size >= 0 && chunk >= 0 && 0 <= index && index < n) {
		t.Fatalf("ChunkRange(%d, %d, %d) of %d: %v, %v", size, chunk, index, n, r, err)
	}
	if err != nil {
		return
	}
	if !r.Valid() || r.To > size || chunk > 0 && r.Len() > chunk || size > 0 && r.Len() == 0 {
		t.Fatalf("ChunkRange(%d, %d, %d) = %v", size, chunk, index, r)
	}
	if (r.To == size) != (index == n-1) || (r.From == 0) != (index == 0) {
		t.Fatalf("ChunkRange(%d, %d, %d) of %d = %v", size, chunk, index, n, r)
	}
	if index > 0 {
		if before, err := blob.ChunkRange(size, chunk, index-1); err != nil || before.To != r.From {
			t.Fatalf("chunk %d is %v (%v), chunk %d is %v", index-1, before, err, index, r)
		}
	}
}

func TestChunksFollowEachOtherFromStartToEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkPlan(t, edges().Draw(t, "size"), edges().Draw(t, "chunk"), edges().Draw(t, "index"))
	})
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(0, math.MaxInt64).Draw(t, "size")
		chunk := rapid.Int64Range(0, math.MaxInt64).Draw(t, "chunk")
		checkPlan(t, size, chunk, rapid.Int64Range(0, blob.Chunks(size, chunk)-1).Draw(t, "index"))
	})
}

func FuzzChunkRange(f *testing.F) {
	f.Add(int64(50<<20), int64(25<<20), int64(1<<44))
	f.Add(int64(0), int64(0), int64(0))
	f.Add(int64(math.MaxInt64), int64(1), int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, size, chunk, index int64) { checkPlan(t, size, chunk, index) })
}

func TestChunkSizeKeepsToWhatVendorsTake(t *testing.T) {
	for _, c := range []struct{ size, want, chunk int64 }{
		{0, 0, 0},
		{100, 0, 0},
		{100, -5, 0},
		{0, 10, 10},
		{100, 10, 10},
		{100_000, 10, 10},
		{100_001, 10, 64 << 10},
		{25 << 20 * 10_000, 25 << 20, 25 << 20},
		{25<<20*10_000 + 1, 25 << 20, 25<<20 + 64<<10},
		{10, 6 << 30, 5 << 30},
		{1 << 53, 25 << 20, 5 << 30},
		{math.MaxInt64, 1, 5 << 30},
	} {
		if got := blob.ChunkSize(c.size, c.want); got != c.chunk {
			t.Errorf("ChunkSize(%d, %d) = %d, want %d", c.size, c.want, got, c.chunk)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		size, want := edges().Draw(t, "size"), edges().Draw(t, "want")
		got := blob.ChunkSize(size, want)
		switch {
		case got < 0 || got > blob.MaxChunk, (got == 0) != (want <= 0):
			t.Fatalf("ChunkSize(%d, %d) = %d", size, want, got)
		case got != blob.MaxChunk && got > 0 && blob.Chunks(size, got) > 10_000:
			t.Fatalf("ChunkSize(%d, %d) = %d: %d chunks", size, want, got, blob.Chunks(size, got))
		case got != want && got > 0 && got%(64<<10) != 0:
			t.Fatalf("ChunkSize(%d, %d) = %d is not aligned", size, want, got)
		case got > 0 && blob.ChunkSize(size, blob.Align(want))%(64<<10) != 0:
			t.Fatalf("ChunkSize(%d, Align(%d)) is not aligned", size, want)
		}
	})
	for in, want := range map[int64]int64{-1: 0, 0: 0, 1: 64 << 10, 64 << 10: 64 << 10, 64<<10 + 1: 128 << 10, math.MaxInt64: 5 << 30} {
		if got := blob.Align(in); got != want {
			t.Errorf("Align(%d) = %d, want %d", in, got, want)
		}
	}
}
