package upload_test

import (
	"bytes"
	"testing"
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
