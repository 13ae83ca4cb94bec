package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func TestCancelAnswersAsTheContractSays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	s := w.create("/f", 40).Session
	two := w.create("/g", 40).Session
	unknown := core.SessionID(core.NewUUID())

	wantReason(t, w.engine.Cancel(ctx, w.who, s.ID, at(t, "/nope")), errs.PathMissing)
	wantReason(t, w.engine.Cancel(ctx, w.who, s.ID, at(t, "/g")), errs.SessionMismatch)
	wantReason(t, w.engine.Cancel(ctx, w.other, s.ID, at(t, "/f")), errs.PathMissing)
	wantReason(t, w.engine.Cancel(ctx, w.who, unknown, at(t, "/f")), errs.Locked)
	must(t, w.engine.Cancel(ctx, w.who, s.ID, at(t, "/f")))
	wantReason(t, w.engine.Cancel(ctx, w.who, s.ID, at(t, "/f")), errs.PathMissing)
	_, err := w.send(s, 0, content(1, 40))
	wantReason(t, err, errs.SessionGone)

	must(t, w.catalog.Unlock(ctx, w.who, []string{two.Lock}))
	must(t, w.engine.Cancel(ctx, w.who, unknown, at(t, "/g"))) // a leftover goes by any id
	if c := w.capacity(); c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
	done := w.create("/h", 3).Session
	w.sendAll(done, []byte("abc"))
	must(t, w.engine.Cancel(ctx, w.who, done.ID, at(t, "/h"))) // complete stays
	if string(w.read("/h")) != "abc" {
		t.Fatal("cancel touched a complete file")
	}
	if finished, pending := w.blobs(); finished != 1 || pending != 0 {
		t.Fatalf("%d finished, %d pending", finished, pending)
	}
}

func TestAnExpiredUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	s := w.create("/d/f", 40).Session
	_, err := w.send(s, 0, content(1, 40))
	must(t, err)
	w.pass(24 * time.Hour)
	_, err = w.send(s, 1, content(1, 40))
	wantReason(t, err, errs.SessionGone)
	if open, err := w.engine.Unfinished(ctx, w.who); err != nil || len(open) != 0 {
		t.Fatalf("%v %v", open, err)
	}
	did, err := w.engine.Sweep(ctx)
	must(t, err)
	if did.Expired != 1 {
		t.Fatalf("%+v", did)
	}
	if _, err := w.catalog.Find(ctx, w.who, at(t, "/d/f")); !errs.Has(err, errs.PathMissing) {
		t.Fatal("the placeholder stayed")
	}
	if _, pending := w.blobs(); pending != 0 || w.capacity().Reserved != 0 {
		t.Fatal("bytes or reservation stayed")
	}
	if did, err = w.engine.Sweep(ctx); err != nil || did.Forgotten != 1 {
		// the same pass may have forgotten it already
		if _, gone := w.store.Upload().Session(ctx, s.ID); !errs.Has(gone, errs.SessionGone) {
			t.Fatalf("%+v %v", did, err)
		}
	}
}

func TestAnUploadIntoADeletedFileSaysSo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	s := w.create("/f", 40).Session
	err := w.remove(at(t, "/f"))
	wantReason(t, err, errs.Locked)
	must(t, w.catalog.Unlock(ctx, w.who, []string{s.Lock}))
	err = w.remove(at(t, "/f"))
	must(t, err)
	_, err = w.send(s, 0, content(1, 40))
	wantReason(t, err, errs.PathMissing)
	must(t, w.engine.Abort(ctx, w.who, s.ID))
	if c := w.capacity(); c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
}

// flaky is a driver whose Commit fails until it is told otherwise.
type flaky struct {
	blob.Driver
	fail func(step string) error
}

func (f *flaky) parts() blob.Parts { return f.Driver.(blob.Parts) }

func (f *flaky) Begin(ctx context.Context, key string, size int64, o blob.PutOptions) (blob.Handle, error) {
	if err := f.fail("begin"); err != nil {
		return blob.Handle{}, err
	}
	return f.parts().Begin(ctx, key, size, o)
}

func (f *flaky) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, o blob.PutOptions) error {
	if err := f.fail("write"); err != nil {
		return err
	}
	return f.parts().WriteAt(ctx, h, r, src, o)
}

func (f *flaky) Staged(ctx context.Context, h blob.Handle, r core.Range) (io.ReadCloser, error) {
	return f.parts().Staged(ctx, h, r)
}

func (f *flaky) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	if err := f.fail("commit"); err != nil {
		return blob.Info{}, err
	}
	return f.parts().Commit(ctx, h, o)
}

func (f *flaky) Abort(ctx context.Context, h blob.Handle) error { return f.parts().Abort(ctx, h) }

func (f *flaky) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	return f.parts().Pending(ctx, after, limit)
}

func broken(w *world, step string) (mend func()) {
	was := w.bucket
	mended := false
	w.bucket = blob.New(&flaky{w.driver, func(s string) error {
		if s == step && !mended {
			return errors.New("input/output error")
		}
		return nil
	}}, blob.Options{Sync: blob.SyncAnswer})
	return func() { mended = true; w.bucket = was }
}

func TestACreationWithoutRoomForItsBytesLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mend := broken(w, "begin")
	if _, err := w.tryCreate("/f", 40); err == nil {
		t.Fatal("created")
	}
	if c := w.capacity(); c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
	mend()
	w.sendAll(w.create("/f", 40).Session, content(1, 40))
}

func TestAFailedCompletionIsNoSuccessAndTheRetryMakesItTrue(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	for i := range int64(2) {
		_, err := w.send(s, i, data)
		must(t, err)
	}
	mend := broken(w, "commit")
	if _, err := w.send(s, 2, data); err == nil {
		t.Fatal("success was said of a completion that failed")
	}
	if _, err := w.send(s, 2, data); err == nil {
		t.Fatal("success was said of a retry that failed")
	}
	mend()
	got, err := w.send(s, 0, data) // any repeated chunk completes it
	must(t, err)
	if !got.Done || !bytes.Equal(w.read("/f"), data) {
		t.Fatal("not complete")
	}
}

func TestWhatIsCancelledWhileItCannotBeCompletedIsGone(t *testing.T) {
	t.Parallel()
	for _, restart := range []bool{false, true} {
		w := setup(t)
		data := content(1, 40)
		s := w.create("/f", 40).Session
		for i := range int64(2) {
			_, err := w.send(s, i, data)
			must(t, err)
		}
		mend := broken(w, "commit")
		if _, err := w.send(s, 2, data); err == nil {
			t.Fatal("completed")
		}
		mend()
		if restart {
			w.restart()
		}
		must(t, w.engine.Cancel(t.Context(), w.who, s.ID, at(t, "/f")))
		did, err := w.engine.Sweep(t.Context())
		must(t, err)
		_, err = w.send(s, 2, data)
		wantReason(t, err, errs.SessionGone)
		finished, pending := w.blobs()
		if c := w.capacity(); did.Settled != 0 || finished+pending != 0 || c.Used != 0 || c.Reserved != 0 {
			t.Fatalf("restart %v: %+v, %d finished, %d pending, %+v", restart, did, finished, pending, c)
		}
		w.sendAll(w.create("/f", 40).Session, data) // the name is free
	}
}

func TestARestartFinishesWhatWasSealed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	for i := range int64(2) {
		_, err := w.send(s, i, data)
		must(t, err)
	}
	mend := broken(w, "commit")
	if _, err := w.send(s, 2, data); err == nil {
		t.Fatal("completed")
	}
	mend()
	w.restart()
	did, err := w.engine.Sweep(t.Context())
	must(t, err)
	if did.Settled != 1 || !bytes.Equal(w.read("/f"), data) {
		t.Fatalf("%+v", did)
	}
	if c := w.capacity(); c.Used != 40 || c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestAWriteThatFailsIsNotAcknowledgedAndCanBeSentAgain(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	mend := broken(w, "write")
	if _, err := w.send(s, 0, data); err == nil {
		t.Fatal("acknowledged")
	}
	mend()
	w.sendAll(s, data)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestUnfinishedUploadsAreListedForTheirOwner(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 40).Session
	_, err := w.send(s, 1, content(1, 40))
	must(t, err)
	w.sendAll(w.create("/done", 3).Session, []byte("abc"))
	open, err := w.engine.Unfinished(t.Context(), w.who)
	must(t, err)
	if len(open) != 1 || open[0].Session.ID != s.ID || open[0].Received.Len() != 16 {
		t.Fatalf("%+v", open)
	}
	if open, err = w.engine.Unfinished(t.Context(), w.other); err != nil || len(open) != 0 {
		t.Fatalf("%v %v", open, err)
	}
	_, err = w.engine.Unfinished(t.Context(), core.Actor{})
	wantReason(t, err, errs.LoginNeeded)
}

func TestAnUploadFollowsItsFolderByIdentity(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/d/f", 40).Session
	_, err := w.catalog.Rename(t.Context(), w.who, at(t, "/d"), "e")
	wantReason(t, err, errs.Locked) // the contract holds the folders above too
	// A rename that came through another way still moves the upload along.
	n := find(w, "/d")
	was := n.Rev
	n.Name, n.Key = "e", catalog.NameKey("e")
	must(t, w.store.Catalog().UpdateNode(t.Context(), n, was))
	w.sendAll(s, data)
	if !bytes.Equal(w.read("/e/f"), data) {
		t.Fatal("the file did not land in the renamed folder")
	}
}

func TestStagedBytesThatNobodyOwnsGo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	data := content(1, 40)
	s := w.create("/f", 40).Session
	_, err := w.send(s, 0, data)
	must(t, err)
	for _, key := range []string{"00112233445566778899aabbccddeeff", "stray"} {
		_, err := w.bucket.Begin(ctx, key, 10)
		must(t, err)
	}
	gone := w.create("/g", 40).Session
	must(t, w.store.Upload().Advance(ctx, gone.ID, upload.Open, upload.Aborted, upload.Ending{})) // and then the crash
	did, err := w.engine.Sweep(ctx)
	must(t, err)
	if _, pending := w.blobs(); did.Discarded != 3 || pending != 1 {
		t.Fatalf("%+v, %d pending", did, pending)
	}
	_, err = w.send(s, 1, data)
	must(t, err)
	_, err = w.send(s, 2, data)
	must(t, err)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func (f *flaky) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	if err := f.fail("put"); err != nil {
		return blob.Info{}, err
	}
	return f.Driver.Put(ctx, key, src, o)
}

func TestASmallFileWhoseRowWasLostIsStoredAgainByTheRetry(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 5).Session
	// What a crash between the bytes and the row leaves.
	_, err := w.bucket.PutWhole(t.Context(), s.Blob, blob.Write{Range: core.Range{To: 5}, Body: bytes.NewReader([]byte("other"))})
	must(t, err)
	w.restart()
	w.sendAll(s, []byte("hello"))
	if string(w.read("/f")) != "hello" {
		t.Fatalf("%q", w.read("/f"))
	}

	half := w.create("/h", 5).Session
	_, err = w.bucket.Begin(t.Context(), half.Blob, 5) // what a crash in the middle leaves
	must(t, err)
	if _, err := w.send(half, 0, []byte("hello")); err != nil && !errs.Is(err, errs.Transient) {
		t.Fatal(err) // the driver may have read the body before it met the leftover
	}
	w.sendAll(half, []byte("hello"))
	if string(w.read("/h")) != "hello" {
		t.Fatalf("%q", w.read("/h"))
	}

	two := w.create("/g", 5).Session
	_, err = w.bucket.PutWhole(t.Context(), two.Blob, blob.Write{Range: core.Range{To: 5}, Body: bytes.NewReader([]byte("other"))})
	must(t, err)
	must(t, w.engine.Abort(t.Context(), w.who, two.ID))
	if finished, _ := w.blobs(); finished != 2 {
		t.Fatalf("%d blobs: an aborted small file left its bytes", finished)
	}
}

func TestASmallFileThatCannotBeStoredIsNotAcknowledged(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 5).Session
	mend := broken(w, "put")
	if _, err := w.send(s, 0, []byte("hello")); err == nil {
		t.Fatal("acknowledged")
	}
	mend()
	w.sendAll(s, []byte("hello"))
	if string(w.read("/f")) != "hello" {
		t.Fatal("the file differs")
	}
}
