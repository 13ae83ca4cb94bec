package s3blob_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const mib = 1 << 20

func TestClientsSendPartsAndCompleteByThemselves(t *testing.T) {
	t.Parallel()
	for what, style := range map[string]func(*s3blob.Config){
		"path style": func(*s3blob.Config) {},
		"virtual host": func(c *s3blob.Config) {
			c.PathStyle, c.Endpoint = false, "http://"+domain
		},
		"KS3 in AWS4 mode": func(c *s3blob.Config) { c.Flavour = "ks3" },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			d := w.with(style)
			for key, size := range map[string]int{"none": 0, "one": 1, "a part/ü+%": 5 * mib, "more!'()*": 11*mib + 7} {
				data := blobtest.Content(3, size)
				a := w.ask(key, data)
				h, err := d.Grant(w.Context(), a)
				w.must(err)
				s, err := d.Sign(w.Context(), h, a, 0, a.Parts())
				w.must(err)
				var all []int
				for n := range a.Parts() {
					all = append([]int{n}, all...)
				}
				tags := w.send(s, a, data, all...)
				for i, j := 0, len(tags)-1; i < j; i, j = i+1, j-1 {
					tags[i], tags[j] = tags[j], tags[i]
				}
				if status, text, _ := w.do(http.MethodPost, s.Complete, completion(tags)); status != http.StatusOK {
					t.Fatalf("complete %q: %d %s", key, status, text)
				}
				got, err := d.Confirm(w.Context(), h)
				w.must(err)
				if !got.Stored || got.Info.Size != int64(size) {
					t.Errorf("evidence of %q: %+v", key, got)
				}
				w.holds(d, key, data)
				info, err := d.Finish(w.Context(), h, got.Parts)
				w.must(err)
				if diff := cmp.Diff(got.Info, info); diff != "" {
					t.Errorf("finish again: %s", diff)
				}
				w.must(d.Revoke(w.Context(), h))
				w.holds(d, key, data)
				if _, err := d.Grant(w.Context(), a); d.Classify(err) != errs.Exists {
					t.Errorf("a key that exists: %v", err)
				}
			}
		})
	}
}

func TestAnUploadWhoseCompletionWasLostIsFinishedByEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := blobtest.Content(4, 11*mib)
	a := w.ask("k", data)
	h, err := d.Grant(w.Context(), a)
	w.must(err)
	s, err := d.Sign(w.Context(), h, a, 0, 3)
	w.must(err)
	w.send(s, a, data, 2, 0)
	d = w.open() // another process goes on
	got, err := d.Confirm(w.Context(), h)
	w.must(err)
	if got.Stored || len(got.Parts) != 2 || got.Parts[0].Number != 0 || got.Parts[1].Number != 2 || got.Parts[1].Size != mib ||
		strings.Trim(got.Parts[0].ETag, `"`) != md5Hex(data[:5*mib]) {
		t.Fatalf("evidence: %+v", got)
	}
	if _, err := d.Finish(w.Context(), h, got.Parts); d.Classify(err) != errs.Invalid {
		t.Errorf("finish without a part: %v", err)
	}
	s, err = d.Sign(w.Context(), h, a, 1, 2)
	w.must(err)
	b := a
	if status, text, _ := w.do(http.MethodPut, s.Parts[0], data[5*mib:10*mib]); status != http.StatusOK {
		t.Fatalf("part 1 of %d: %d %s", b.Parts(), status, text)
	}
	got, err = d.Confirm(w.Context(), h)
	w.must(err)
	for range 3 {
		_, err = d.Finish(w.Context(), h, got.Parts)
		w.must(err)
	}
	w.holds(d, "k", data)
	found, next, err := d.Unfinished(w.Context(), "", 10)
	if err != nil || len(found) != 0 || next != "" {
		t.Errorf("left over: %v, %q, %v", found, next, err)
	}
}

func TestARevokedUploadIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := blobtest.Content(5, 6*mib)
	a := w.ask("k", data)
	h, err := d.Grant(w.Context(), a)
	w.must(err)
	s, err := d.Sign(w.Context(), h, a, 0, 2)
	w.must(err)
	w.send(s, a, data, 0)
	for range 2 {
		w.must(d.Revoke(w.Context(), h))
	}
	if _, err := d.Confirm(w.Context(), h); d.Classify(err) != errs.NotFound {
		t.Errorf("evidence: %v", err)
	}
	if _, err := d.Finish(w.Context(), h, []blob.StoredPart{{Size: 6 * mib, ETag: `"x"`}}); d.Classify(err) != errs.NotFound {
		t.Errorf("finish: %v", err)
	}
	if status, text := w.refused(http.MethodPut, s.Parts[1], data[5*mib:]); status != 0 && (status != http.StatusNotFound || !strings.Contains(text, "NoSuchUpload")) {
		t.Errorf("a part after: %d %s", status, text)
	}
	if _, err := d.Confirm(w.Context(), h); d.Classify(err) != errs.NotFound {
		t.Errorf("evidence after a late part: %v", err)
	}
}

func TestAddressesServeNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	data := blobtest.Content(6, 6*mib)
	a := w.ask("k", data)
	h, err := d.Grant(w.Context(), a)
	w.must(err)
	s, err := d.Sign(w.Context(), h, a, 0, 2)
	w.must(err)
	late := a
	late.Now, late.Until = a.Now.Add(-time.Hour), a.Now.Add(-time.Minute)
	expired, err := d.Sign(w.Context(), h, late, 0, 1)
	w.must(err)
	for what, c := range map[string]struct {
		address string
		body    []byte
	}{
		"a longer part":     {s.Parts[0], data},
		"a shorter part":    {s.Parts[0], data[:100]},
		"another part":      {strings.Replace(s.Parts[0], "partNumber=1", "partNumber=2", 1), data[:5*mib]},
		"another signature": {s.Parts[0][:len(s.Parts[0])-4] + "0000", data[:5*mib]},
		"expired":           {expired.Parts[0], data[:5*mib]},
	} {
		if status, text := w.refused(http.MethodPut, c.address, c.body); status != http.StatusForbidden && status != 0 {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	got, err := d.Confirm(w.Context(), h)
	w.must(err)
	if len(got.Parts) != 0 {
		t.Errorf("it was stored: %+v", got)
	}
	// What is wrong with a completion is told by the store.
	tags := w.send(s, a, data, 0)
	status, text, _ := w.do(http.MethodPost, s.Complete, completion([]string{`"00000000000000000000000000000000"`}))
	if status != http.StatusBadRequest || !strings.Contains(text, "InvalidPart") {
		t.Errorf("a wrong tag: %d %s", status, text)
	}
	// Less than was said is there, and Confirm tells.
	if status, text, _ := w.do(http.MethodPost, s.Complete, completion(tags)); status != http.StatusOK {
		t.Fatalf("complete: %d %s", status, text)
	}
	got, err = d.Confirm(w.Context(), h)
	w.must(err)
	if !got.Stored || got.Info.Size != 5*mib {
		t.Errorf("evidence: %+v", got)
	}
	if _, err := d.Finish(w.Context(), h, nil); d.Classify(err) != errs.Exists {
		t.Errorf("finish of an object of another size: %v", err)
	}
}

func TestLinksServeTheNameRangesAndTypeUntilTheyExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	_, err := d.Put(w.Context(), "k", blobtest.Bytes([]byte("0123456789")), blob.PutOptions{})
	w.must(err)
	link, err := d.Link(w.Context(), "k", blob.LinkOptions{Now: w.now, Until: w.now.Add(time.Hour), Name: `ü "b".txt`, Attachment: true, MIME: "text/x-test"})
	w.must(err)
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, link, http.NoBody)
	w.must(err)
	req.Header.Set("Range", "bytes=2-4")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	w.must(err)
	defer resp.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(resp.Body)
	w.must(err)
	if resp.StatusCode != http.StatusPartialContent || text.String() != "234" || resp.Header.Get("Content-Type") != "text/x-test" ||
		!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment; filename*=utf-8''%C3%BC") {
		t.Errorf("%d %s %v", resp.StatusCode, text.String(), resp.Header)
	}
	link, err = d.Link(w.Context(), "k", blob.LinkOptions{Now: w.now.Add(-time.Hour), Until: w.now.Add(-time.Minute)})
	w.must(err)
	if status, text, _ := w.do(http.MethodGet, link, nil); status != http.StatusForbidden {
		t.Errorf("expired: %d %s", status, text)
	}
}

func TestStrayUploadsAreListedInPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.open()
	var want []string
	for _, key := range []string{"a", "b", "c/d", "e"} {
		_, err := d.Grant(w.Context(), w.ask(key, nil))
		w.must(err)
		want = append(want, key)
	}
	for _, limit := range []int{1, 3, 4, 10} {
		var got []string
		for mark := ""; len(got) <= len(want); {
			found, next, err := d.Unfinished(w.Context(), mark, limit)
			w.must(err)
			for _, s := range found {
				got = append(got, s.Handle.Key)
				if s.Began.IsZero() || s.Handle.Upload == "" {
					t.Errorf("%+v", s)
				}
			}
			if mark = next; mark == "" {
				break
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pages of %d: %s", limit, diff)
		}
	}
}
