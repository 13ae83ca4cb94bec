package blobtest

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	chunk = 10_007 // no multiple of anything
	size  = 7*chunk + 13
)

// plan returns the ranges of a file.
func (r *run) plan(size, chunk int) (out []core.Range) {
	r.Helper()
	for i := range blob.Chunks(int64(size), int64(chunk)) {
		at, err := blob.ChunkRange(int64(size), int64(chunk), i)
		r.must(err)
		out = append(out, at)
	}
	return out
}

// upload writes the ranges as given and commits.
func (r *run) upload(key string, data []byte, plan []core.Range) {
	r.Helper()
	h := r.begin(key, len(data))
	for _, at := range plan {
		r.absent(key)
		r.write(h, int(at.From), data[at.From:at.To])
		r.staged(h, at, data[at.From:at.To])
	}
	r.commit(h, data)
}

func (r *run) staged(h blob.Handle, at core.Range, want []byte) {
	r.Helper()
	body, err := r.p.Staged(r.ctx, h, at)
	r.must(err)
	if !bytes.Equal(r.all(body), want) {
		r.Errorf("staged bytes %v are others than written", at)
	}
}

func (r *run) commit(h blob.Handle, data []byte) {
	r.Helper()
	info, err := r.p.Commit(r.ctx, h, r.o)
	r.must(err)
	stat, err := r.d.Stat(r.ctx, h.Key)
	r.must(err)
	r.equal("Stat after Commit", stat, info)
	r.holds(h.Key, data)
	pending, err := r.p.Pending(r.ctx, "", 10)
	r.must(err)
	r.equal("pending after Commit", pending, []blob.Handle(nil))
}

func testInOrder(r *run) {
	r.upload("k", Content(1, size), r.plan(size, chunk))
}

func testOutOfOrder(r *run) {
	plan := r.plan(size, chunk)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	r.upload("k", Content(1, size), plan)
}

func testParallel(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	var wg sync.WaitGroup
	for _, at := range r.plan(size, chunk/5) {
		wg.Go(func() {
			// A slow sender: its bytes come one by one.
			src := io.MultiReader(bytes.NewReader(data[at.From:at.From+1]), bytes.NewReader(data[at.From+1:at.To]))
			if err := r.p.WriteAt(r.ctx, h, at, src, r.o); err != nil {
				r.Errorf("WriteAt %v: %v", at, err)
			}
		})
	}
	wg.Wait()
	r.commit(h, data)
}

func testAgain(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	for _, at := range r.plan(size, chunk) {
		r.write(h, int(at.From), Content(9, int(at.Len()))) // others first
		r.write(h, int(at.From), data[at.From:at.To])
	}
	r.write(h, chunk, data[chunk:2*chunk])
	r.commit(h, data)
}

// testBadBodies: what fails leaves its neighbours alone, and can be repeated.
func testBadBodies(r *run) {
	data := Content(1, 3*chunk)
	h := r.begin("k", 3*chunk)
	r.write(h, 0, data[:chunk])
	r.write(h, 2*chunk, data[2*chunk:])
	mid := span(chunk, 2*chunk)
	own := data[chunk : 2*chunk]
	for _, c := range []struct {
		what   string
		w      blob.Write
		kind   errs.Kind
		reason errs.Reason
	}{
		{"short", blob.Write{Range: mid, Body: bytes.NewReader(own[:chunk-1])}, errs.Transient, errs.ChunkShort},
		{"empty", blob.Write{Range: mid, Body: bytes.NewReader(nil)}, errs.Transient, errs.ChunkShort},
		{"long", blob.Write{Range: mid, Body: bytes.NewReader(data[chunk:])}, errs.Invalid, errs.ChunkLength},
		{"broken", blob.Write{Range: mid, Body: &breaking{Bytes(own), 5000}}, errs.Transient, errs.ChunkShort},
		{"wrong digest", blob.Write{Range: mid, Body: bytes.NewReader(own), Want: []blob.Digest{blob.CRC(1)}}, errs.Invalid, errs.DigestMismatch},
		{"outside", blob.Write{Range: span(0, 3*chunk+1), Body: bytes.NewReader(nil)}, errs.Invalid, errs.ChunkIndex},
		{"unknown digest", blob.Write{Range: mid, Body: bytes.NewReader(own), Want: []blob.Digest{{Algorithm: "md5", Value: make([]byte, 16)}}}, errs.Invalid, errs.BadParam},
	} {
		_, err := r.b.WriteAt(r.ctx, h, c.w)
		if !errs.Is(err, c.kind) || !errs.Has(err, c.reason) {
			r.Errorf("%s body: %v, want %v %v", c.what, err, c.kind, c.reason)
		}
		r.staged(h, span(0, chunk), data[:chunk])
		r.staged(h, span(2*chunk, 3*chunk), data[2*chunk:])
	}
	err := r.p.WriteAt(r.ctx, h, span(2*chunk, 3*chunk+1), bytes.NewReader(data[2*chunk:]), r.o)
	r.kind("WriteAt outside", err, errs.Invalid)
	// Not what a bucket would send; a driver must not take it for the whole.
	if err := r.p.WriteAt(r.ctx, h, mid, bytes.NewReader(own[:10]), r.o); err == nil {
		r.Error("WriteAt of less than the range: no error")
	}
	r.write(h, chunk, own)
	r.commit(h, data)
}

func testCancelled(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	ctx, cancel := context.WithCancel(r.ctx)
	src := io.MultiReader(bytes.NewReader(data[:chunk]), readerFunc(func(p []byte) (int, error) {
		cancel()
		return copy(p, data[chunk:]), nil
	}), bytes.NewReader(data))
	err := r.p.WriteAt(ctx, h, span(0, size), src, r.o)
	r.kind("WriteAt", err, errs.Canceled)
	r.absent("k")
	r.write(h, 0, data)
	ctx, cancel = context.WithCancel(r.ctx)
	cancel()
	_, err = r.p.Commit(ctx, h, r.o)
	r.kind("Commit", err, errs.Canceled)
	_, err = r.p.Begin(ctx, "other", 1, r.o)
	r.kind("Begin", err, errs.Canceled)
	_, err = r.p.Pending(ctx, "", 1)
	r.kind("Pending", err, errs.Canceled)
	r.absent("k")
	r.commit(h, data)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func testCommitOfLess(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	if _, err := r.p.Commit(r.ctx, h, r.o); err == nil {
		r.Error("Commit of nothing: no error")
	}
	r.write(h, 0, data[:size-1])
	if _, err := r.p.Commit(r.ctx, h, r.o); err == nil {
		r.Error("Commit without the last byte: no error")
	}
	r.absent("k")
	r.write(h, size-1, data[size-1:])
	r.commit(h, data)
	_, err := r.p.Commit(r.ctx, blob.Handle{Key: "unknown", Size: 1}, r.o)
	r.kind("Commit of an unknown handle", err, errs.NotFound)
}

func testCommitTwice(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	r.write(h, 0, data)
	first, err := r.p.Commit(r.ctx, h, r.o)
	r.must(err)
	for range 3 {
		again, err := r.p.Commit(r.ctx, h, r.o)
		r.must(err)
		r.equal("Commit again", again, first)
	}
	_, err = r.p.Commit(r.ctx, blob.Handle{Key: "k", Size: size - 1}, r.o)
	r.kind("Commit of another size", err, errs.Exists)
	err = r.p.WriteAt(r.ctx, h, span(0, 1), bytes.NewReader([]byte{1}), r.o)
	r.kind("WriteAt after Commit", err, errs.NotFound)
	r.holds("k", data)

	var wg sync.WaitGroup
	h = r.begin("race", size)
	r.write(h, 0, data)
	for range 8 {
		wg.Go(func() {
			if _, err := r.p.Commit(r.ctx, h, r.o); err != nil {
				r.Errorf("one of many commits: %v", err)
			}
		})
	}
	wg.Wait()
	r.holds("race", data)
}

func testReopen(r *run) {
	if r.Reopen == nil {
		r.Skip("nothing outlives the driver")
	}
	data := Content(1, size)
	plan := r.plan(size, chunk)
	h := r.begin("k", size)
	for i, at := range plan {
		r.write(h, int(at.From), data[at.From:at.To])
		if i%3 == 0 {
			r.must(r.d.Close())
			r.use(r.Reopen())
			r.staged(h, at, data[at.From:at.To])
		}
	}
	first, err := r.p.Commit(r.ctx, h, r.o)
	r.must(err)
	r.must(r.d.Close())
	r.use(r.Reopen())
	again, err := r.p.Commit(r.ctx, h, r.o)
	r.must(err)
	r.equal("Commit again", again, first)
	r.holds("k", data)
	r.must(r.d.Close())
}

func testAbort(r *run) {
	data := Content(1, size)
	h := r.begin("k", size)
	r.write(h, 0, data[:chunk])
	r.must(r.p.Abort(r.ctx, h))
	err := r.p.WriteAt(r.ctx, h, span(chunk, 2*chunk), bytes.NewReader(data[chunk:2*chunk]), r.o)
	r.kind("WriteAt after Abort", err, errs.NotFound)
	_, err = r.p.Commit(r.ctx, h, r.o)
	r.kind("Commit after Abort", err, errs.NotFound)
	_, err = r.p.Staged(r.ctx, h, span(0, chunk))
	r.kind("Staged after Abort", err, errs.NotFound)
	r.must(r.p.Abort(r.ctx, h))
	r.must(r.p.Abort(r.ctx, blob.Handle{Key: "never", Size: 1}))
	r.absent("k")
	// The key is free again.
	r.upload("k", data, r.plan(size, chunk))
}

func testAbortCommitted(r *run) {
	data := Content(1, size)
	r.upload("k", data, r.plan(size, size))
	r.must(r.p.Abort(r.ctx, blob.Handle{Key: "k", Size: size}))
	r.holds("k", data)
}

func testZero(r *run) {
	r.commit(r.begin("none", 0), nil) // not one part was written
	h := r.begin("one", 0)
	r.write(h, 0, nil)
	r.commit(h, nil)
	h, err := r.b.Begin(r.ctx, "bucket", 0)
	r.must(err)
	got, err := r.b.WriteAt(r.ctx, h, blob.Write{Body: bytes.NewReader(nil)})
	r.must(err)
	sum, err := r.b.Commit(r.ctx, h, []blob.Receipt{got}, nil)
	r.must(err)
	if sum.CRC64 != 0 || len(sum.SHA256) != 32 || sum.Size != 0 {
		r.Errorf("sum of nothing: %+v", sum)
	}
}

func testMany(r *run) {
	const n = 10_001
	data := Content(1, 3*n-1)
	// An upload of many parts that would be synced one by one takes long, and
	// shows no more.
	r.o.Sync = blob.SyncNever
	r.b = blob.New(r.d, blob.Options{Sync: blob.SyncNever, SHA256: true})
	h, err := r.b.Begin(r.ctx, "k", int64(len(data)))
	r.must(err)
	var got []blob.Receipt
	for _, at := range r.plan(len(data), 3) {
		g, err := r.b.WriteAt(r.ctx, h, blob.Write{Range: at, Body: bytes.NewReader(data[at.From:at.To])})
		r.must(err)
		got = append(got, g)
	}
	if len(got) != n {
		r.Fatalf("%d parts", len(got))
	}
	sum, err := r.b.Commit(r.ctx, h, got, nil)
	r.must(err)
	want, err := blob.Measure(blob.Write{Range: span(0, len(data)), Body: bytes.NewReader(data)}, true)
	r.must(err)
	r.equal("CRC", sum.CRC64, want.CRC64)
	r.equal("SHA-256", sum.SHA256, want.SHA256)
	r.holds("k", data)
}

// testCiphered: the driver sees ciphertext only, and the bucket gives back the
// content, at any offset.
func testCiphered(r *run) {
	data := Content(1, size)
	c := blob.NewCipher()
	want, err := blob.Measure(blob.Write{Range: span(0, size), Body: bytes.NewReader(data)}, true)
	r.must(err)
	stored := bytes.Clone(data)
	c.Stream(0).XORKeyStream(stored, stored)
	for k, sealed := range map[string]bool{"ours": false, "theirs": true} {
		h, err := r.b.Begin(r.ctx, k, size)
		r.must(err)
		var got []blob.Receipt
		for _, at := range r.plan(size, chunk) {
			body := data[at.From:at.To]
			if sealed {
				body = stored[at.From:at.To]
			}
			g, err := r.b.WriteAt(r.ctx, h, blob.Write{Range: at, Body: bytes.NewReader(body), Cipher: c, Sealed: sealed})
			r.must(err)
			got = append(got, g)
		}
		sum, err := r.b.Commit(r.ctx, h, got, c)
		r.must(err)
		r.equal("CRC of content", sum.CRC64, want.CRC64)
		r.equal("SHA-256 of content", sum.SHA256, want.SHA256)
		again, err := r.b.Commit(r.ctx, h, got, c)
		r.must(err)
		r.equal("Commit again", again, sum)
		r.holds(k, stored)
		body, err := r.b.Open(r.ctx, k, span(chunk+5, 2*chunk), c)
		r.must(err)
		if !bytes.Equal(r.all(body), data[chunk+5:2*chunk]) {
			r.Errorf("%s: content comes back as other bytes", k)
		}
	}
}

func testPending(r *run) {
	const n = 7
	var want []string
	for i := range n {
		h := r.begin(key(i), size)
		if i%2 == 0 {
			r.write(h, 0, Content(1, chunk))
		}
		want = append(want, key(i))
	}
	r.put("k00003-done", Content(1, 10))
	for _, limit := range []int{1, 3, n, n + 1} {
		var got []string
		for after := ""; ; {
			hs, err := r.p.Pending(r.ctx, after, limit)
			r.must(err)
			if len(hs) == 0 {
				break
			}
			for _, h := range hs {
				got = append(got, h.Key)
			}
			if after = hs[len(hs)-1].Key; len(got) > n {
				break
			}
		}
		r.equal("pending", got, want)
	}
	hs, err := r.p.Pending(r.ctx, "", n)
	r.must(err)
	for _, h := range hs {
		r.must(r.p.Abort(r.ctx, h))
	}
	hs, err = r.p.Pending(r.ctx, "", n)
	r.must(err)
	r.equal("pending after Abort", hs, []blob.Handle(nil))
}
