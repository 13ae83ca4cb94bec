package upload_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// told is what the timeline of s says, without times and notes.
func told(w *world, s upload.Session) []upload.Event {
	w.t.Helper()
	line, err := w.engine.Timeline(w.t.Context(), w.who, s.ID)
	must(w.t, err)
	var last time.Time
	for i := range line.Events {
		e := &line.Events[i]
		if e.At.Before(last) {
			w.t.Fatalf("not in order: %+v", line.Events)
		}
		last = e.At
		e.At, e.Until, e.Note = time.Time{}, time.Time{}, ""
	}
	return line.Events
}

func tells(w *world, s upload.Session, want ...upload.Event) {
	w.t.Helper()
	want = append([]upload.Event{{Kind: upload.Created}}, want...)
	if d := cmp.Diff(want, told(w, s)); d != "" {
		w.t.Fatalf("timeline (-want +got):\n%s", d)
	}
}

func came(from, to int64, chunks int) upload.Event {
	return upload.Event{Kind: upload.ReceivedPart, Range: core.Range{From: from, To: to}, Chunks: chunks}
}

func TestTheTimelineTellsWhatWentWrongAndWhy(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	send := func(i int64) {
		t.Helper()
		w.pass(time.Second)
		_, err := w.send(s, i, data)
		must(t, err)
	}
	send(0)
	send(1)
	w.pass(time.Second)
	cut := iotest.TimeoutReader(bytes.NewReader(data[32:34]))
	if _, err := w.write(s.ID, core.Range{From: 32, To: 40}, cut); err == nil {
		t.Fatal("half a chunk was taken")
	}
	w.pass(time.Second)
	_, err := w.write(s.ID, core.Range{To: 16}, bytes.NewReader(make([]byte, 16)))
	wantReason(t, err, errs.ChunkDiffers)
	send(0) // the same again is nothing to tell of
	send(2)
	tells(w, s,
		came(0, 32, 2),
		upload.Event{Kind: upload.Refused, Range: core.Range{From: 32, To: 40}, Reason: errs.ChunkShort},
		upload.Event{Kind: upload.Refused, Range: core.Range{To: 16}, Reason: errs.ChunkDiffers},
		came(32, 40, 1),
		upload.Event{Kind: upload.Settled, Range: core.Range{To: 40}},
	)
}

func TestTheTimelineTellsHowAnUploadEnded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old := w.create("/f", 40).Session
	w.pass(2 * time.Minute)
	next := w.create("/f", 40).Session
	tells(w, old, upload.Event{Kind: upload.Evicted})
	must(t, w.engine.Abort(t.Context(), w.who, next.ID))
	tells(w, next, upload.Event{Kind: upload.EventKind(upload.Aborted)})
	_, err := w.engine.Timeline(t.Context(), w.other, next.ID)
	wantReason(t, err, errs.SessionGone)
	w.pass(25 * time.Hour)
	_, err = w.engine.Sweep(t.Context())
	must(t, err)
	rows, err := w.store.Upload().Events(t.Context(), old.ID)
	must(t, err)
	if len(rows) != 0 {
		t.Fatalf("%d events outlived their session", len(rows))
	}
}

func TestACompletionThatFailsIsTold(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 300<<10) // too big to be stored in one go
	w.setPolicy(func(p *catalog.Policy) { p.ChunkSize = 0 })
	s := w.create("/f", int64(len(data))).Session
	mend := broken(w, "commit")
	if _, err := w.send(s, 0, data); err == nil {
		t.Fatal("acknowledged")
	}
	mend()
	w.pass(time.Second)
	must(t, func() error { _, err := w.engine.Settle(t.Context(), s.ID); return err }())
	got := told(w, s)
	if len(got) != 4 || got[2].Kind != upload.SettleFailed || got[2].Reason == "" || got[3].Kind != upload.Settled {
		t.Fatalf("%+v", got)
	}
}

func TestATrailIsBoundedAndStillTellsTheEnd(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 40).Session
	for range 300 {
		_, err := w.write(s.ID, core.Range{To: 16}, iotest.ErrReader(errors.New("gone")))
		wantReason(t, err, errs.ChunkShort)
	}
	must(t, w.engine.Abort(t.Context(), w.who, s.ID))
	got := told(w, s)
	if len(got) > 202 || len(got) < 100 || got[len(got)-1].Kind != upload.EventKind(upload.Aborted) {
		t.Fatalf("%d events, the last is %+v", len(got), got[len(got)-1])
	}
}

func TestAGoodUploadCostsTheTrailNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 40).Session
	w.sendAll(s, content(1, 40))
	rows, err := w.store.Upload().Events(t.Context(), s.ID)
	must(t, err)
	if len(rows) != 0 {
		t.Fatalf("%+v", rows)
	}
}
