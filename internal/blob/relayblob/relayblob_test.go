package relayblob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/blob/relayblob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// store is a bucket in memory that counts the parts it is sent.
type store struct {
	blob.Driver
	blob.Parts
	blob.Direct
	blob.Linker
	blob.Strays

	mu      sync.Mutex
	written []core.Range
	broken  error
}

func newStore() *store {
	d := memblob.Open()
	return &store{Driver: d, Parts: d.(blob.Parts)}
}

func (s *store) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, o blob.PutOptions) error {
	s.mu.Lock()
	err := s.broken
	if err == nil {
		s.written = append(s.written, r)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.Parts.WriteAt(ctx, h, r, src, o)
}

func (s *store) breakWith(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

func (s *store) sent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.written)
}

// keep leaves the store open for the next process.
type keep struct{ *store }

func (keep) Close() error { return nil }

const part = 1000

func open(t *testing.T, dir string, s *store) blob.Driver {
	t.Helper()
	near, err := localblob.Open(t.Context(), localblob.Config{Root: dir})
	if err != nil {
		t.Fatal(err)
	}
	d, err := relayblob.New(relayblob.Config{Near: near, Far: keep{s}, Part: part, Prefix: "ours"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Subject {
		dir, s := t.TempDir(), newStore()
		return blobtest.Subject{Driver: open(t, dir, s), Reopen: func() blob.Driver { return open(t, dir, s) }}
	})
}

// run is an upload of three parts and a half in pieces of a third of one.
type run struct {
	*testing.T
	d    blob.Driver
	p    blob.Parts
	s    *store
	dir  string
	h    blob.Handle
	data []byte
}

func newRun(t *testing.T) *run {
	t.Helper()
	r := &run{T: t, s: newStore(), dir: t.TempDir(), data: blobtest.Content(1, 3*part+part/2)}
	r.reopen()
	h, err := r.p.Begin(t.Context(), "k", int64(len(r.data)), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.h = h
	return r
}

func (r *run) reopen() {
	r.d = open(r.T, r.dir, r.s)
	r.p = r.d.(blob.Parts)
}

func (r *run) write(from, to int) {
	r.Helper()
	err := r.p.WriteAt(r.Context(), r.h, core.Range{From: int64(from), To: int64(to)}, bytes.NewReader(r.data[from:to]), blob.PutOptions{})
	if err != nil {
		r.Fatal(err)
	}
}

func (r *run) writeAll() {
	r.Helper()
	for from := len(r.data) - 1; from >= 0; from -= 333 {
		r.write(max(0, from-332), from+1)
	}
}

func (r *run) commit() {
	r.Helper()
	if _, err := r.p.Commit(r.Context(), r.h, blob.PutOptions{}); err != nil {
		r.Fatal(err)
	}
	body, err := r.d.Open(r.Context(), "k", core.Range{To: int64(len(r.data))})
	if err != nil {
		r.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err != nil || !bytes.Equal(got, r.data) {
		r.Errorf("the object has %d other bytes: %v", len(got), err)
	}
}

func TestPartsLeaveAsSoonAsTheyAreWhole(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.write(0, 999)
	if n := r.s.sent(); n != 0 {
		t.Errorf("%d parts sent before one was whole", n)
	}
	r.write(999, 1001)
	if n := r.s.sent(); n != 1 {
		t.Errorf("%d parts sent after one was whole", n)
	}
	r.write(1001, len(r.data))
	if n := r.s.sent(); n != 4 {
		t.Errorf("%d parts of 4 sent before Commit", n)
	}
	r.commit()
	if n := r.s.sent(); n != 4 {
		t.Errorf("%d parts sent, some twice", n)
	}
}

func TestAPieceIsTakenWhileTheStoreIsDown(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.s.breakWith(errors.New("down"))
	r.writeAll()
	if _, err := r.p.Commit(t.Context(), r.h, blob.PutOptions{}); err == nil {
		t.Fatal("Commit without the store succeeded")
	}
	r.s.breakWith(nil)
	r.commit()
}

func TestARestartBelievesNothingThatWasSent(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.writeAll()
	r.data[10] ^= 1 // a piece that was sent, and whose row was lost
	r.reopen()
	r.write(0, 333)
	r.commit()
	if open, err := r.p.Pending(t.Context(), "", 10); err != nil || len(open) > 0 {
		t.Errorf("left behind: %v %v", open, err)
	}
}

func TestAPartWhoseBytesChangeIsSentAgain(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.writeAll()
	r.data[1500] ^= 1
	r.write(1400, 1600)
	r.commit()
}

func TestWhatIsNotOursIsNotSeen(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	for _, key := range []string{"other", "ours-too/k", "zzz"} {
		if _, err := r.s.Begin(t.Context(), key, 10, blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	open, err := r.p.Pending(t.Context(), "", 10)
	if err != nil || len(open) != 1 || open[0].Key != "k" {
		t.Errorf("pending: %v %v", open, err)
	}
	if err := r.p.Abort(t.Context(), r.h); err != nil {
		t.Fatal(err)
	}
	if left, err := r.s.Pending(t.Context(), "", 10); err != nil || len(left) != 3 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestAnAbortAfterARestartEndsItAtTheStore(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.write(0, 2000)
	r.reopen()
	if err := r.p.Abort(t.Context(), r.h); err != nil {
		t.Fatal(err)
	}
	if left, err := r.s.Pending(t.Context(), "", 10); err != nil || len(left) != 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
