package upload_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func (w *world) whole(path string, data []byte, change ...func(*upload.Request)) upload.Whole {
	w.t.Helper()
	got, err := blob.Measure(blob.Write{Range: core.Range{To: int64(len(data))}, Body: bytes.NewReader(data)}, false)
	must(w.t, err)
	q := upload.Request{Ref: at(w.t, path), URI: "cloudreve://my" + path, Size: int64(len(data))}
	for _, c := range change {
		c(&q)
	}
	return upload.Whole{Request: q, Body: data, Want: []blob.Digest{blob.CRC(got.CRC64)}}
}

func (w *world) putMany(files ...upload.Whole) []upload.Outcome {
	w.t.Helper()
	return w.engine.PutMany(w.t.Context(), w.who, files)
}

func (w *world) wantReason(o upload.Outcome, want errs.Reason) {
	w.t.Helper()
	if got := errs.ReasonOf(o.Err); got != want {
		w.t.Errorf("got %v (%s), want %q", o.Err, got, want)
	}
}

func TestOneBadFileOfABatchDoesNotFailTheOthers(t *testing.T) {
	t.Parallel()
	w := setup(t)
	must(t, w.putMany(w.whole("/taken", content(9, 10)))[0].Err)
	wrong := w.whole("/wrong", content(1, 100))
	wrong.Body = content(2, 100)
	short := w.whole("/short", content(1, 100))
	short.Size = 99
	huge := w.whole("/huge", make([]byte, upload.MaxWhole+1))
	out := w.putMany(
		w.whole("/d/e/a", content(3, 4096)), wrong, short, huge, w.whole("/d/e/b", nil),
		w.whole("/taken", content(4, 10)), w.whole("/taken/under", content(4, 10)), w.whole("/d", content(4, 10)),
		w.whole("/bad:name", content(4, 10)), w.whole("/bad:dir/x", content(4, 10)), w.whole("/", content(4, 10)),
		w.whole("/d/e/a/c", content(4, 10)), w.whole("/d/E/z", content(5, 1)),
	)
	for i, want := range []errs.Reason{
		"", errs.DigestMismatch, errs.ChunkLength, errs.FileTooLarge, "", errs.NameTaken, errs.ParentIsFile, errs.NameTaken,
		errs.NameRejected, errs.NameRejected, errs.NameTaken, errs.ParentIsFile, "",
	} {
		w.wantReason(out[i], want)
	}
	if got := w.read("/d/e/a"); !bytes.Equal(got, content(3, 4096)) {
		t.Error("other bytes came back")
	}
	if got := w.read("/d/e/b"); len(got) != 0 {
		t.Errorf("the empty file has %d bytes", len(got))
	}
	if c := w.capacity(); c.Used != 10+4096+1 || c.Reserved != 0 {
		t.Errorf("the ledger says %+v", c)
	}
}

func TestABatchFillsTheQuotaToTheByte(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var files []upload.Whole
	for i := range 8 { // 8 × 200 KiB do not fit into 1 MiB, 5 do
		files = append(files, w.whole(fmt.Sprintf("/%d", i), content(uint64(i), 200<<10)))
	}
	files = append(files, w.whole("/rest", content(9, 24<<10)), w.whole("/one", content(9, 1)), w.whole("/none", nil))
	full := 0
	for _, o := range w.putMany(files...) {
		if o.Err != nil {
			w.wantReason(o, errs.QuotaFull)
			full++
		}
	}
	if c := w.capacity(); c.Used != 1<<20 || c.Reserved != 0 || full != 4 {
		t.Errorf("%d refused, the ledger says %+v", full, c)
	}
	w.wantReason(w.putMany(w.whole("/more", content(9, 1)))[0], errs.QuotaFull)
}

func TestAFileOfABatchThatIsThereIsTheSame(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a, b := w.whole("/a", content(1, 1000)), w.whole("/b", content(2, 1000))
	first := w.putMany(a, b)
	again := w.putMany(b, a)
	for i, o := range again {
		if o.Err != nil || !o.Same || o.Node.ID != first[1-i].Node.ID || o.Node.Version != first[1-i].Node.Version {
			t.Errorf("%d: %+v, first it was %+v", i, o, first[1-i])
		}
	}
	plain := a
	plain.Want = nil
	w.wantReason(w.putMany(plain)[0], errs.NameTaken)
	w.wantReason(w.putMany(w.whole("/a", content(3, 1000)))[0], errs.NameTaken)
	if o := w.engine.PutMany(t.Context(), w.other, []upload.Whole{a})[0]; o.Err != nil || o.Same {
		t.Errorf("of another user: %+v", o)
	}
	if c := w.capacity(); c.Used != 2000 || c.Reserved != 0 {
		t.Errorf("the ledger says %+v", c)
	}
}

func TestABatchMakesVersions(t *testing.T) {
	t.Parallel()
	w := setup(t)
	first := w.putMany(w.whole("/a", content(1, 10)))[0]
	must(t, first.Err)
	when := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	next := w.putMany(w.whole("/a", content(2, 20), asVersion, func(q *upload.Request) { q.Modified = when }), w.whole("/n", content(2, 20), asVersion))
	must(t, next[0].Err)
	must(t, next[1].Err)
	if next[0].Node.ID != first.Node.ID || next[0].Node.Version == first.Node.Version || !bytes.Equal(w.read("/a"), content(2, 20)) {
		t.Errorf("%+v after %+v", next[0], first)
	}
	n, err := w.catalog.Find(t.Context(), w.who, at(t, "/a"))
	must(t, err)
	if !n.Updated.Equal(when) || n.Rev != next[0].Node.Rev {
		t.Errorf("%+v, answered was %+v", n, next[0].Node)
	}
	same := w.putMany(w.whole("/a", content(2, 20), asVersion))[0]
	if same.Err != nil || !same.Same {
		t.Errorf("the same again: %+v", same)
	}
	w.capacity()
}

func TestABatchGivesWayToLiveUploadsAndTakesOverIdleOnes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.create("/live", 100)
	out := w.putMany(w.whole("/live", content(1, 10)), w.whole("/live", content(1, 10), asVersion), w.whole("/free", content(1, 10)))
	w.wantReason(out[0], errs.NameTaken)
	w.wantReason(out[1], errs.Locked)
	must(t, out[2].Err)
	w.pass(2 * time.Minute)
	must(t, w.putMany(w.whole("/live", content(1, 10)))[0].Err)
	if c := w.capacity(); c.Used != 20 || c.Reserved != 0 {
		t.Errorf("the ledger says %+v", c)
	}
}

func TestABatchIsEncryptedWhereThePolicySaysSo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.setPolicy(func(p *catalog.Policy) { p.Encrypt = true })
	must(t, w.putMany(w.whole("/a", content(1, 1000)), w.whole("/e", nil))[0].Err)
	if !bytes.Equal(w.read("/a"), content(1, 1000)) || len(w.read("/e")) != 0 {
		t.Error("other bytes came back")
	}
}

func TestBatchesThatRaceForTheSameNamesMakeEachFileOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const batches, names = 8, 40
	results := make([][]upload.Outcome, batches)
	var wg sync.WaitGroup
	for b := range batches {
		var files []upload.Whole
		for i := range names {
			k := i
			if b%2 == 1 {
				k = names - 1 - i
			}
			files = append(files, w.whole(fmt.Sprintf("/r/%d/%d", k%3, k), content(uint64(b), 64)))
		}
		wg.Go(func() { results[b] = w.engine.PutMany(t.Context(), w.who, files) })
	}
	wg.Wait()
	won := 0
	for _, r := range results {
		for _, o := range r {
			if o.Err == nil {
				won++
			} else {
				w.wantReason(o, errs.NameTaken)
			}
		}
	}
	if c := w.capacity(); won != names || c.Used != names*64 || c.Reserved != 0 {
		t.Errorf("%d files were made of %d names; the ledger says %+v", won, names, c)
	}
}

func TestRefusedFilesOfABatchLeaveNoBytes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	must(t, w.putMany(w.whole("/a", content(1, 10)))[0].Err)
	before, _ := w.blobs()
	w.wantReason(w.putMany(w.whole("/a", content(2, 10)))[0], errs.NameTaken)
	w.putMany(w.whole("/a", content(1, 10)))
	if after, pending := w.blobs(); after != before || pending != 0 {
		t.Errorf("%d blobs became %d, and %d half ones", before, after, pending)
	}
}
