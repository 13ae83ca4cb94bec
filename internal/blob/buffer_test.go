package blob_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// pace answers each read with so many bytes, at most, and notes how much it was
// asked for.
type pace struct {
	gives []int
	asked []int
}

func (p *pace) Read(b []byte) (int, error) {
	if len(p.gives) == 0 {
		return 0, io.EOF
	}
	p.asked = append(p.asked, len(b))
	n := min(p.gives[0], len(b))
	p.gives = p.gives[1:]
	return n, nil
}

type sink func(p []byte, off int64) (int, error)

func (s sink) WriteAt(p []byte, off int64) (int, error) { return s(p, off) }

// A thousand uploads that stand still must not hold a thousand large buffers.
func TestCopyBuffersFollowThePaceOfTheSender(t *testing.T) {
	t.Parallel()
	const all = 1 << 30
	src := &pace{gives: []int{all, all, all, all, all, 1000, 1000, 1000, 1000, 20_000, 12_000, all}}
	var at int64 = 7
	n, err := blob.CopyAt(t.Context(), sink(func(p []byte, off int64) (int, error) {
		if off != at {
			t.Errorf("written at %d, want %d", off, at)
		}
		at += int64(len(p))
		return len(p), nil
	}), 7, src)
	if err != nil || n != at-7 {
		t.Errorf("%d, %v", n, err)
	}
	const k = 1 << 10
	if want := []int{4 * k, 16 * k, 64 * k, 256 * k, 256 * k, 256 * k, 64 * k, 16 * k, 4 * k, 4 * k, 16 * k, 4 * k}; !slices.Equal(src.asked, want) {
		t.Errorf("asked for %v, want %v", src.asked, want)
	}
}

// slow is a sender whose every third read stands still.
type slow struct{ pace }

func (s *slow) Waited() bool { return len(s.asked)%3 == 0 }

func TestABodyThatStoodStillWaitsWithTheSmallestBuffer(t *testing.T) {
	t.Parallel()
	const k, all = 1 << 10, 1 << 30
	src := &slow{pace{gives: []int{all, all, all, all, all, all}}}
	size := int64(2 * (4 + 16 + 64) * k)
	n, err := blob.CopyBody(t.Context(), sink(func(p []byte, _ int64) (int, error) { return len(p), nil }), src, size)
	if err != nil || n != size {
		t.Errorf("%d, %v", n, err)
	}
	if want := []int{4 * k, 16 * k, 64 * k, 4 * k, 16 * k, 64 * k}; !slices.Equal(src.asked, want) {
		t.Errorf("asked for %v, want %v", src.asked, want)
	}
}

func TestCopyStopsAtTheFirstFault(t *testing.T) {
	t.Parallel()
	take := func(p []byte, _ int64) (int, error) { return len(p), nil }
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for what, c := range map[string]struct {
		ctx  context.Context //nolint:containedctx // a row of a table
		dst  sink
		src  io.Reader
		want error
	}{
		"context": {ended, take, &pace{gives: []int{1}}, context.Canceled},
		"short":   {t.Context(), func(p []byte, _ int64) (int, error) { return len(p) - 1, nil }, &pace{gives: []int{5}}, io.ErrShortWrite},
		"disk":    {t.Context(), func([]byte, int64) (int, error) { return 0, syscall.EIO }, &pace{gives: []int{5}}, syscall.EIO},
		"idle":    {t.Context(), take, &pace{gives: make([]int, 1000)}, io.ErrNoProgress},
	} {
		if _, err := blob.CopyAt(c.ctx, c.dst, 0, c.src); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
