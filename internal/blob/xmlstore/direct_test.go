package xmlstore_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

func TestExpiredAddressesAreSignedAnew(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(3 * mib)
		a := ask(int64(len(data)))
		h, s := r.grant(a)
		etags := r.send(a, s, data, 0)
		r.there.Store(7200)
		r.here.Store(7200)
		a.Now, a.Until = start.Add(2*time.Hour), start.Add(3*time.Hour)
		rest, err := r.direct().Sign(t.Context(), h, a, 1, 3)
		r.must(err)
		for i, url := range rest.Parts {
			resp, answer := r.do(http.MethodPut, url, rest.Header, data[(i+1)*mib:(i+2)*mib])
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("part %d: %s %s", i+1, resp.Status, answer)
			}
			etags = append(etags, resp.Header.Get("ETag"))
		}
		if status, answer := r.complete(rest, etags); status != http.StatusOK {
			t.Fatalf("complete: %d %s", status, answer)
		}
		r.holds(data)
	})
}

// The client vanished after its last part: another process ends the upload.
func TestAnUploadIsFinishedByEvidence(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		for name, fault := range map[string]shelf.Kind{
			"no fault": 0, "answer lost": shelf.Lost, "answer cut": shelf.Cut, "503 and done": shelf.BusyDone,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, w)
				data := content(2*mib + 77)
				a := ask(int64(len(data)))
				h, s := r.grant(a)
				r.send(a, s, data)
				r.d = r.open()
				seen, err := r.direct().Confirm(t.Context(), h)
				r.must(err)
				if fault != 0 {
					r.emu.Front.Fail(shelf.Fault{Kind: fault, Method: http.MethodPost, Query: "uploadId", Times: 1})
				}
				info, err := r.direct().Finish(t.Context(), h, seen.Parts)
				r.must(err)
				r.holds(data)
				for range 2 {
					again, err := r.direct().Finish(t.Context(), h, seen.Parts)
					r.must(err)
					if diff := cmp.Diff(info, again); diff != "" {
						t.Errorf("again: %s", diff)
					}
				}
			})
		}
	})
}

func TestWhatIsNotAllThereIsNotFinished(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(3 * mib)
		a := ask(int64(len(data)))
		h, s := r.grant(a)
		r.send(a, s, data, 0)
		r.send(a, s, data, 2)
		seen, err := r.direct().Confirm(t.Context(), h)
		r.must(err)
		_, err = r.direct().Finish(t.Context(), h, seen.Parts)
		r.kind("Finish without the middle", err, errs.Invalid)
		_, err = r.direct().Finish(t.Context(), h, seen.Parts[:1])
		r.kind("Finish with the first", err, errs.Invalid)
		_, err = r.direct().Finish(t.Context(), h, nil)
		r.kind("Finish with nothing", err, errs.Invalid)
		r.absent()

		r.send(a, s, data, 1)
		seen, err = r.direct().Confirm(t.Context(), h)
		r.must(err)
		forged := append([]blob.StoredPart(nil), seen.Parts...)
		forged[1].ETag = seen.Parts[0].ETag
		_, err = r.direct().Finish(t.Context(), h, forged)
		r.kind("Finish with another's ETag", err, errs.Invalid)
		r.absent()
		r.emu.Front.Fail(shelf.Fault{Kind: shelf.Busy, Method: http.MethodPost, Times: 1})
		_, err = r.direct().Finish(t.Context(), h, seen.Parts)
		r.kind("Finish while the store is busy", err, errs.Transient)
		_, err = r.direct().Finish(t.Context(), h, seen.Parts)
		r.must(err)
		r.holds(data)
	})
}

// A completion of fewer parts than signed makes a smaller object: the store
// cannot know, and Confirm tells the size.
func TestAnObjectOfAnotherSizeIsToldAsItIs(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(2 * mib)
		a := ask(int64(len(data)))
		h, s := r.grant(a)
		etags := r.send(a, s, data, 0)
		if status, _ := r.complete(s, etags); status != http.StatusOK {
			t.Fatal(status)
		}
		seen, err := r.direct().Confirm(t.Context(), h)
		r.must(err)
		if !seen.Stored || seen.Info.Size != mib {
			t.Errorf("%+v", seen)
		}
		_, err = r.direct().Finish(t.Context(), h, nil)
		r.kind("Finish", err, errs.Exists)
	})
}

func TestRevokeForgetsPartsAndLeavesObjects(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		a := ask(2 * mib)
		h, s := r.grant(a)
		etags := r.send(a, s, content(2*mib))
		r.must(r.direct().Revoke(t.Context(), h))
		r.must(r.direct().Revoke(t.Context(), h))
		r.must(r.direct().Revoke(t.Context(), blob.Handle{Key: "never"}))
		_, err := r.direct().Confirm(t.Context(), h)
		r.kind("Confirm", err, errs.NotFound)
		_, err = r.direct().Finish(t.Context(), h, nil)
		r.kind("Finish", err, errs.NotFound)
		if resp, _ := r.do(http.MethodPut, s.Parts[0], s.Header, content(mib)); resp.StatusCode != http.StatusNotFound {
			t.Errorf("a part after: %s", resp.Status)
		}
		if status, _ := r.complete(s, etags); status != http.StatusNotFound {
			t.Errorf("a completion after: %d", status)
		}
		r.absent()

		h, s = r.grant(a)
		if status, _ := r.complete(s, r.send(a, s, content(2*mib))); status != http.StatusOK {
			t.Fatal(status)
		}
		r.must(r.direct().Revoke(t.Context(), h))
		r.holds(content(2 * mib))
	})
}

func TestStraysAreListedInPages(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		want := map[string]bool{}
		for _, k := range []string{"a", "a", "a", "b b", "腾", "c"} {
			h, err := r.direct().Grant(t.Context(), blob.Ask{Key: k, Size: 1})
			r.must(err)
			want[h.Key+" "+h.Upload] = true
		}
		strays := r.d.(blob.Strays)
		for _, limit := range []int{1, 2, 5, 6, 7} {
			got := map[string]bool{}
			for after, pages := "", 0; ; pages++ {
				found, next, err := strays.Unfinished(t.Context(), after, limit)
				r.must(err)
				for _, f := range found {
					if got[f.Handle.Key+" "+f.Handle.Upload] = true; !f.Began.Equal(start) {
						t.Errorf("began %v", f.Began)
					}
				}
				if after = next; next == "" || pages > 9 {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("limit %d: %s", limit, diff)
			}
		}
	})
}
