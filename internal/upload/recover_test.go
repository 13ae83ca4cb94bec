package upload_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func TestAnUploadWhoseServerDiedBeforeStagingGoesOnAfterTheStart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(3, 40)
	tk := w.create("/f", 40)
	must(t, w.bucket.Abort(t.Context(), tk.Session.Handle())) // the row is there, the bytes never were
	w.restart()
	_, err := w.engine.Sweep(t.Context())
	must(t, err)
	w.sendAll(tk.Session, data)
	if !bytes.Equal(w.read("/f"), data) {
		t.Error("other bytes came back")
	}
}

func TestAnUploadThatCannotBeStagedAfterTheStartEndsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	tk := w.create("/f", 40)
	must(t, w.bucket.Abort(t.Context(), tk.Session.Handle()))
	w.restart()
	mend := broken(w, "begin")
	if _, err := w.engine.Sweep(t.Context()); err == nil {
		t.Error("the sweep says nothing of it")
	}
	if c := w.capacity(); c.Reserved != 0 || c.Used != 0 {
		t.Errorf("capacity after it: %+v", c)
	}
	mend()
	w.create("/f", 40)
}

// forgetful is a store whose nth transaction fails.
type forgetful struct {
	upload.Store
	nth int
}

func (f *forgetful) InTx(ctx context.Context, fn func(upload.Tx) error) error {
	if f.nth--; f.nth == 0 {
		return errs.New(errs.NoSpace, errs.DiskFull)
	}
	return f.Store.InTx(ctx, fn)
}

func TestACreationThatCouldNotBeTakenBackIsTakenBackByTheSweep(t *testing.T) {
	t.Parallel()
	w := setup(t)
	mend := broken(w, "begin")
	w.engine = upload.New(upload.Options{
		Store: &forgetful{w.store.Upload(), 2}, Catalog: w.catalog, Buckets: w, Keyring: w.keyring, Clock: w.clock,
	})
	_, err := w.engine.Sweep(t.Context())
	must(t, err)
	if _, err := w.tryCreate("/f", 40); err == nil {
		t.Fatal("created")
	}
	if c := w.capacity(); c.Reserved != 40 {
		t.Fatalf("the test proves nothing: %+v", c)
	}
	mend()
	_, err = w.engine.Sweep(t.Context())
	must(t, err)
	if c := w.capacity(); c.Reserved != 0 {
		t.Errorf("still held: %+v", c)
	}
	w.create("/f", 40)
}
