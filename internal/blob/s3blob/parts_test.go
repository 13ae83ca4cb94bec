package s3blob_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var options = blob.PutOptions{Sync: blob.SyncAnswer}

func span(from, to int64) core.Range { return core.Range{From: from, To: to} }

func TestPartsThatPassThroughUsComeInAnyOrderAndSurviveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := blobtest.Content(7, 16*mib)
	h, err := d.Begin(w.Context(), "k", 16*mib, options)
	w.must(err)
	if _, err := d.Begin(w.Context(), "k", 16*mib, options); d.Classify(err) != errs.Exists {
		t.Errorf("begin twice: %v", err)
	}
	var wg sync.WaitGroup
	for _, at := range []core.Range{span(15*mib, 16*mib), span(5*mib, 15*mib)} {
		wg.Go(func() {
			if err := d.WriteAt(w.Context(), h, at, bytes.NewReader(data[at.From:at.To]), options); err != nil {
				t.Errorf("write %v: %v", at, err)
			}
		})
	}
	wg.Wait()
	if _, err := d.Commit(w.Context(), h, options); d.Classify(err) != errs.Invalid {
		t.Errorf("commit of less: %v", err)
	}
	// Bodies that are not whole go to an upload of their own: this store may take one that
	// broke off for a part, later than what is sent after it.
	spoilt, err := d.Begin(w.Context(), "spoilt", 16*mib, options)
	w.must(err)
	// The part size of the policy is another now; the upload keeps its own.
	d = w.with(func(c *s3blob.Config) { c.PartSize = 8 << 20 })
	broken := errors.New("the sender went away")
	for what, src := range map[string]io.Reader{
		"short":  bytes.NewReader(data[:5*mib-1]),
		"long":   bytes.NewReader(data[:5*mib+1]),
		"broken": io.MultiReader(bytes.NewReader(data[:mib]), iotest.ErrReader(broken)),
	} {
		if err := d.WriteAt(w.Context(), spoilt, span(0, 5*mib), src, options); err == nil {
			t.Errorf("a %s body: no error", what)
		} else if what == "broken" && !errors.Is(err, broken) {
			t.Errorf("a broken body: %v", err)
		}
	}
	for _, at := range []core.Range{span(0, mib), span(mib, 5*mib), span(5*mib, 7*mib), span(0, 17*mib), span(-1, 5*mib)} {
		if err := d.WriteAt(w.Context(), h, at, bytes.NewReader(nil), options); d.Classify(err) != errs.Invalid {
			t.Errorf("write %v: %v", at, err)
		}
	}
	_ = d.Abort(w.Context(), spoilt) // the store may still be at what broke off, and fail
	if _, err := d.Staged(w.Context(), h, span(0, 1)); d.Classify(err) != errs.Unsupported {
		t.Errorf("staged: %v", err)
	}
	w.must(d.WriteAt(w.Context(), h, span(0, 5*mib), bytes.NewReader(data[:5*mib]), options))
	first, err := d.Commit(w.Context(), h, options)
	w.must(err)
	again, err := w.open().Commit(w.Context(), h, options)
	if err != nil || again != first || first.Size != 16*mib {
		t.Errorf("commit again: %+v, %v, want %+v", again, err, first)
	}
	w.must(d.Abort(w.Context(), h))
	w.holds(d, "k", data)
}

func TestAnEmptyUploadAndAnAbortedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	h, err := d.Begin(w.Context(), "none", 0, options)
	w.must(err)
	info, err := d.Commit(w.Context(), h, options)
	if err != nil || info.Size != 0 {
		t.Errorf("nothing: %+v, %v", info, err)
	}
	h, err = d.Begin(w.Context(), "k", 1000, options)
	w.must(err)
	pending, err := d.Pending(w.Context(), "", 10)
	if err != nil || len(pending) != 1 || pending[0].Key != "k" {
		t.Fatalf("pending: %v, %v", pending, err)
	}
	w.must(d.Abort(w.Context(), pending[0]))
	w.must(d.Abort(w.Context(), h))
	if err := d.WriteAt(w.Context(), h, span(0, 1000), bytes.NewReader(make([]byte, 1000)), options); d.Classify(err) != errs.NotFound {
		t.Errorf("write: %v", err)
	}
	if _, err := d.Commit(w.Context(), h, options); d.Classify(err) != errs.NotFound {
		t.Errorf("commit: %v", err)
	}
}

// once cannot go back, as the body of a request.
type once struct{ blob.Source }

func (once) Rewind() error { return errors.New("no way back") }

func TestALargePutGoesInPartsAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := blobtest.Content(8, 12*mib)
	broken := errors.New("the sender went away")
	for what, src := range map[string]blob.Source{
		"short":  sized{bytes.NewReader(data[:12*mib-1]), 12 * mib},
		"long":   sized{bytes.NewReader(data), 12*mib - 1},
		"broken": sized{io.MultiReader(bytes.NewReader(data[:6*mib]), iotest.ErrReader(broken)), 12 * mib},
	} {
		if _, err := d.Put(w.Context(), "k", src, options); err == nil {
			t.Errorf("a %s source: no error", what)
		}
		if _, err := d.Stat(w.Context(), "k"); d.Classify(err) != errs.NotFound {
			t.Errorf("after a %s source: %v", what, err)
		}
		w.swept(d)
	}
	info, err := d.Put(w.Context(), "k", once{blobtest.Bytes(data)}, options)
	if err != nil || info.Size != 12*mib {
		t.Fatalf("%+v, %v", info, err)
	}
	w.holds(d, "k", data)
	if _, err := d.Put(w.Context(), "k", blobtest.Bytes(data), options); d.Classify(err) != errs.Exists {
		t.Errorf("put over: %v", err)
	}
}

// swept asks that no upload is open, but for one whose last part the store had not
// put down yet when it was told to forget it: that one can be forgotten again.
func (w *world) swept(d all) {
	w.Helper()
	for range 100 {
		left, err := d.Pending(w.Context(), "", 10)
		w.must(err)
		if len(left) == 0 {
			return
		}
		for _, h := range left {
			_ = d.Abort(w.Context(), h)
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.Error("an upload stays open")
}

type sized struct {
	io.Reader
	size int64
}

func (s sized) Size() int64 { return s.size }
func (sized) Rewind() error { return errors.New("no way back") }

func TestFaultsOfTheStoreHaveTheirKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for what, c := range map[string]struct {
		d    all
		want errs.Kind
		says string
	}{
		"wrong key":    {w.with(func(c *s3blob.Config) { c.SecretKey = "wrong" }), errs.Forbidden, "SignatureDoesNotMatch"},
		"unknown key":  {w.with(func(c *s3blob.Config) { c.AccessKey = "AKIANOBODY" }), errs.Forbidden, "access key"},
		"wrong bucket": {w.with(func(c *s3blob.Config) { c.Bucket = "not-there" }), errs.Forbidden, "NoSuchBucket"},
	} {
		_, err := c.d.List(w.Context(), "", "", 1)
		if c.d.Classify(err) != c.want || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v is %v", what, err, c.d.Classify(err))
		}
	}
	for _, off := range []time.Duration{-20 * time.Minute, 20 * time.Minute} {
		w.now = time.Now().Add(off)
		d := w.open()
		if _, err := d.List(w.Context(), "", "", 1); d.Classify(err) != errs.Forbidden || !strings.Contains(err.Error(), "clock") {
			t.Errorf("a clock %v off: %v", off, err)
		}
		if _, err := d.Stat(w.Context(), "k"); d.Classify(err) != errs.Forbidden || !strings.Contains(err.Error(), "clock") {
			t.Errorf("a clock %v off: %v", off, err)
		}
	}
}

// waits is what an error tells of when to come again.
type waits interface{ RetryAfter() time.Duration }

func TestATroubledStoreIsTransientAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.proxy()
	d := w.open()
	data := blobtest.Content(9, 6*mib)
	small := data[:1000]

	p.next(1, "PUT ", slowDown)
	_, err := d.Put(w.Context(), "small", blobtest.Bytes(small), options)
	var ask waits
	if d.Classify(err) != errs.Transient || !errors.As(err, &ask) || ask.RetryAfter() != 7*time.Second {
		t.Errorf("busy: %v", err)
	}
	for key, spoil := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"busy":   storedThen(slowDown),
		"hangup": storedThen(hangUp),
		"html":   storedThen(page(http.StatusBadGateway)),
	} {
		p.next(1, "PUT ", spoil)
		info, err := d.Put(w.Context(), key, blobtest.Bytes(small), options)
		if err != nil || info.Size != 1000 || p.seen != 1 {
			t.Errorf("stored, then %s: %+v, %v", key, info, err)
		}
		// The same of a completion.
		h, err := d.Begin(w.Context(), "large-"+key, 6*mib, options)
		w.must(err)
		w.must(d.WriteAt(w.Context(), h, span(0, 6*mib), bytes.NewReader(data), options))
		p.next(1, "POST uploadId", spoil)
		info, err = d.Commit(w.Context(), h, options)
		if err != nil || info.Size != 6*mib || p.seen != 1 {
			t.Errorf("completed, then %s: %+v, %v", key, info, err)
		}
		w.holds(d, "large-"+key, data)
	}
	for what, spoil := range map[string]func(http.ResponseWriter, *http.Request, http.Handler){
		"a hang-up": hangUp, "a page": page(http.StatusOK), "a page of 404": page(http.StatusNotFound), "a page of 503": page(http.StatusServiceUnavailable),
		"an error after 200": func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			_, _ = io.WriteString(w, strings.Replace(busy, "SlowDown", "InternalError", 1))
		},
	} {
		h, err := d.Grant(w.Context(), w.ask("k", data))
		w.must(err)
		s, err := d.Sign(w.Context(), h, w.ask("k", data), 0, 2)
		w.must(err)
		w.send(s, w.ask("k", data), data, 0, 1)
		got, err := d.Confirm(w.Context(), h)
		w.must(err)
		p.next(1, "POST uploadId", spoil)
		if _, err := d.Finish(w.Context(), h, got.Parts); d.Classify(err) != errs.Transient {
			t.Errorf("%s at completion: %v", what, err)
		}
		p.next(100, "GET uploadId", spoil) // transports ask again after a hang-up
		if _, err := d.Confirm(w.Context(), h); d.Classify(err) != errs.Transient {
			t.Errorf("%s for a list: %v", what, err)
		}
		p.next(100, "GET ", spoil)
		if page, err := d.List(w.Context(), "", "", 10); d.Classify(err) != errs.Transient {
			t.Errorf("%s for a list of objects: %v, %v", what, page, err)
		}
		p.next(100, "GET uploads", spoil)
		if found, _, err := d.Unfinished(w.Context(), "", 10); d.Classify(err) != errs.Transient {
			t.Errorf("%s for a list of uploads: %v, %v", what, found, err)
		}
		p.next(0, "", nil)
		w.must(d.Revoke(w.Context(), h))
	}
	p.next(1, "GET ", func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.Header().Set("Content-Length", "1000")
		rw.Header().Set("Content-Range", "bytes 0-999/1000")
		rw.WriteHeader(http.StatusPartialContent)
		_, _ = rw.Write(small[:500])
		rw.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	body, err := d.Open(w.Context(), "busy", span(0, 1000))
	w.must(err)
	if got, err := io.ReadAll(body); d.Classify(err) != errs.Transient {
		t.Errorf("a body that breaks off: %d bytes, %v", len(got), err)
	}
	body.Close()
}

func TestAStoreThatKnowsNoConditionsIsLookedAtBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.proxy()
	d := w.open()
	p.next(1, "PUT ", func(rw http.ResponseWriter, _ *http.Request, _ http.Handler) {
		rw.WriteHeader(http.StatusNotImplemented)
		_, _ = io.WriteString(rw, strings.Replace(busy, "SlowDown", "NotImplemented", 1))
	})
	_, err := d.Put(w.Context(), "k", blobtest.Bytes([]byte("one")), options)
	w.must(err)
	if _, err := d.Put(w.Context(), "k", blobtest.Bytes([]byte("two")), options); d.Classify(err) != errs.Exists {
		t.Errorf("put over: %v", err)
	}
	w.holds(d, "k", []byte("one"))
}

func TestACopyIsMadeInsideTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	for i, from := range []string{"aa/plain", "b c+d%2F"} {
		data := bytes.Repeat([]byte{byte(i)}, 1000)
		_, err := d.Put(t.Context(), from, blobtest.Bytes(data), blob.PutOptions{})
		w.must(err)
		info, err := d.(blob.Copier).Copy(t.Context(), from, from+"-copy")
		w.must(err)
		if info.Size != 1000 || info.Key != from+"-copy" {
			t.Errorf("%+v", info)
		}
		w.holds(d, from+"-copy", data)
		if _, err := d.(blob.Copier).Copy(t.Context(), from, from+"-copy"); d.Classify(err) != errs.Exists {
			t.Errorf("over what is there: %v", err)
		}
	}
	if _, err := d.(blob.Copier).Copy(t.Context(), "nothing", "b"); d.Classify(err) != errs.NotFound {
		t.Errorf("of nothing: %v", err)
	}
}

// TestAPartThatCameOverOursIsNotTaken: it is as if the upload had been ended, so that all
// of it is sent again.
func TestAPartThatCameOverOursIsNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := bytes.Repeat([]byte("right"), 7*mib/5)
	h, err := d.Begin(w.Context(), "k", int64(len(data)), blob.PutOptions{})
	w.must(err)
	w.must(d.WriteAt(w.Context(), h, core.Range{To: int64(len(data))}, bytes.NewReader(data), blob.PutOptions{}))
	other := bytes.Repeat([]byte("other"), mib)
	w.must(w.open().WriteAt(w.Context(), h, core.Range{To: 5 * mib}, bytes.NewReader(other), blob.PutOptions{}))
	if _, err := d.Commit(w.Context(), h, blob.PutOptions{}); d.Classify(err) != errs.NotFound {
		t.Errorf("the other part was taken: %v", err)
	}
	if _, err := d.Stat(w.Context(), "k"); d.Classify(err) != errs.NotFound {
		t.Errorf("there is an object: %v", err)
	}
}
