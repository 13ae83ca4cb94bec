package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Subject is an empty driver under test.
type Subject struct {
	Driver blob.Driver

	// Reopen opens the same storage again, as the next process would. nil if
	// nothing outlives the driver.
	Reopen func() blob.Driver
}

// Maker makes a Subject. What must be cleaned up it gives to t.Cleanup.
type Maker func(t *testing.T) Subject

// Run puts drivers of maker to every test.
func Run(t *testing.T, maker Maker) {
	for _, g := range []struct {
		name string
		run  func(*run)
	}{
		{"Keys", testKeys},
		{"PutIsWholeOrNothing", testPut},
		{"RangesAreExact", testRanges},
		{"NothingIsOverwritten", testOverwrite},
		{"DeleteOfWhatIsMissing", testDelete},
		{"ListPages", testList},
		{"KindsOfErrors", testClassify},
		{"EndedContexts", testContexts},
		{"OpenFiles", testFiles},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			g.run(newRun(t, maker))
		})
	}
	for _, g := range []struct {
		name string
		run  func(*run)
	}{
		{"PartsInOrder", testInOrder},
		{"PartsOutOfOrder", testOutOfOrder},
		{"PartsInParallel", testParallel},
		{"PartsAgain", testAgain},
		{"BadBodies", testBadBodies},
		{"CancelledMidBody", testCancelled},
		{"CommitOfLess", testCommitOfLess},
		{"CommitTwice", testCommitTwice},
		{"CommitAfterReopen", testReopen},
		{"AbortThenWrite", testAbort},
		{"AbortOfCommitted", testAbortCommitted},
		{"ZeroBytes", testZero},
		{"ManyParts", testMany},
		{"Ciphered", testCiphered},
		{"Pending", testPending},
	} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			r := newRun(t, maker)
			p, ok := r.d.(blob.Parts)
			if !ok {
				t.Skip("the driver takes no parts")
			}
			r.p = p
			g.run(r)
		})
	}
	for _, g := range packTests {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			r := newRun(t, maker)
			k, ok := r.d.(blob.Packer)
			if !ok {
				t.Skip("the driver does not pack")
			}
			g.run(r, k)
		})
	}
}

// run is one test with its driver.
type run struct {
	*testing.T
	Subject
	ctx context.Context //nolint:containedctx // a test's own
	d   blob.Driver
	p   blob.Parts
	b   *blob.Bucket
	o   blob.PutOptions
}

func newRun(t *testing.T, maker Maker) *run {
	s := maker(t)
	r := &run{T: t, Subject: s, ctx: t.Context(), o: blob.PutOptions{Sync: blob.SyncAnswer}}
	r.use(s.Driver)
	return r
}

func (r *run) use(d blob.Driver) {
	r.d, r.b = d, blob.New(d, blob.Options{SHA256: true})
	r.p, _ = d.(blob.Parts)
}

func (r *run) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("unexpected: %v", err)
	}
}

// kind asks that err is a raw error of that kind.
func (r *run) kind(what string, err error, want errs.Kind) {
	r.Helper()
	if err == nil {
		r.Fatalf("%s: no error, want %v", what, want)
	}
	if got := r.d.Classify(err); got != want {
		r.Errorf("%s: %v is %v, want %v", what, err, got, want)
	}
	var named *errs.Error
	if errors.As(err, &named) {
		r.Errorf("%s: driver named its error itself: %v", what, err)
	}
}

func (r *run) put(key string, data []byte) blob.Info {
	r.Helper()
	info, err := r.d.Put(r.ctx, key, Bytes(data), r.o)
	r.must(err)
	return info
}

func (r *run) begin(key string, size int) blob.Handle {
	r.Helper()
	h, err := r.p.Begin(r.ctx, key, int64(size), r.o)
	r.must(err)
	return h
}

func (r *run) write(h blob.Handle, from int, data []byte) {
	r.Helper()
	r.must(r.p.WriteAt(r.ctx, h, span(from, from+len(data)), bytes.NewReader(data), r.o))
}

// holds asks that key has just that content, however it is looked at.
func (r *run) holds(key string, want []byte) {
	r.Helper()
	info, err := r.d.Stat(r.ctx, key)
	r.must(err)
	if info.Key != key || info.Size != int64(len(want)) {
		r.Errorf("Stat(%q) = %+v, want %d bytes", key, info, len(want))
	}
	if got := r.read(key, span(0, len(want))); !bytes.Equal(got, want) {
		r.Errorf("%q has other bytes than it should (%d, want %d)", key, len(got), len(want))
	}
}

func (r *run) read(key string, at core.Range) []byte {
	r.Helper()
	body, err := r.d.Open(r.ctx, key, at)
	r.must(err)
	return r.all(body)
}

func (r *run) all(body io.ReadCloser) []byte {
	r.Helper()
	got, err := io.ReadAll(body)
	r.must(err)
	r.must(body.Close())
	return got
}

// absent asks that nothing finished is under key.
func (r *run) absent(key string) {
	r.Helper()
	_, err := r.d.Stat(r.ctx, key)
	r.kind("Stat "+key, err, errs.NotFound)
	_, err = r.d.Open(r.ctx, key, span(0, 0))
	r.kind("Open "+key, err, errs.NotFound)
}

func (r *run) keys(prefix string) (keys []string) {
	r.Helper()
	page, err := r.d.List(r.ctx, prefix, "", 1000)
	r.must(err)
	for _, o := range page.Objects {
		keys = append(keys, o.Key)
	}
	return keys
}

func (r *run) equal(what string, got, want any) {
	r.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		r.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func span(from, to int) core.Range { return core.Range{From: int64(from), To: int64(to)} }

// Content returns n bytes that look random and depend on seed alone.
func Content(seed byte, n int) []byte {
	out := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(out)
	return out
}

// Bytes is a blob.Source of data.
func Bytes(data []byte) blob.Source { return &source{Reader: bytes.NewReader(data), data: data} }

type source struct {
	*bytes.Reader
	data []byte
}

func (s *source) Size() int64 { return int64(len(s.data)) }

func (s *source) Rewind() error {
	s.Reset(s.data)
	return nil
}

// liar is a source that has another size than it says.
type liar struct {
	blob.Source
	size int64
}

func (l liar) Size() int64 { return l.size }

// key returns the i-th key of a test, in key order.
func key(i int) string { return fmt.Sprintf("k%05d", i) }

var longKey = strings.Repeat("z", 200)
