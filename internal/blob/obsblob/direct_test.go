package obsblob_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What existing clients do, from nothing to many parts.
func TestAClientUploadsByItself(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"nothing": 0, "one byte": 1, "one part": mib, "a part and a byte": mib + 1, "many parts": 12*mib + 345} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			data := content(size)
			a := ask(int64(size))
			h, s := r.grant(a)
			etags := r.send(a, s, data)
			seen, err := r.direct().Confirm(t.Context(), h)
			r.must(err)
			if seen.Stored || len(seen.Parts) != a.Parts() {
				t.Errorf("before completion: stored %v, %d parts of %d", seen.Stored, len(seen.Parts), a.Parts())
			}
			for i, p := range seen.Parts {
				if p.Number != i || p.Size != a.Part(i) || p.ETag != etags[i] || len(p.Sum) != 1 {
					t.Errorf("part %d: %+v", i, p)
				}
			}
			if status, answer := r.complete(s, etags); status != http.StatusOK {
				t.Fatalf("complete: %d %s", status, answer)
			}
			r.holds(data)
			seen, err = r.direct().Confirm(t.Context(), h)
			r.must(err)
			if !seen.Stored || seen.Info.Size != int64(size) || seen.Sum != nil {
				t.Errorf("after completion: %+v", seen)
			}
			// A second completion changes nothing, and we are told the same again.
			if status, _ := r.complete(s, etags); status == http.StatusOK {
				t.Errorf("a second completion: %d", status)
			}
			info, err := r.direct().Finish(t.Context(), h, nil)
			r.must(err)
			if diff := cmp.Diff(seen.Info, info); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheStoreRefusesWhatWasNotSigned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := content(2*mib + 10)
	a := ask(int64(len(data)))
	_, s := r.grant(a)
	swap := func(old, fresh string) string { return strings.Replace(s.Parts[0], old, fresh, 1) }
	for name, c := range map[string]struct {
		url    string
		header http.Header
	}{
		"another number":       {swap("partNumber=1", "partNumber=2"), s.Header},
		"another object":       {swap("a0b1", "a0b2"), s.Header},
		"a later end":          {swap("Expires=1795352400", "Expires=1795359999"), s.Header},
		"no type":              {s.Parts[0], nil},
		"another type":         {s.Parts[0], http.Header{"Content-Type": {"text/html"}}},
		"public for everybody": {s.Parts[0], http.Header{"Content-Type": s.Header["Content-Type"], "X-Obs-Acl": {"public-read"}}},
		"a callback elsewhere": {s.Parts[0] + "&x-obs-callback=e30%3D", s.Header},
	} {
		if resp, answer := r.do(http.MethodPut, c.url, c.header, data[:mib]); resp.StatusCode != http.StatusForbidden || !strings.Contains(answer, "SignatureDoesNotMatch") {
			t.Errorf("%s: %s %s", name, resp.Status, answer)
		}
	}
	r.there.Store(3601)
	if resp, answer := r.do(http.MethodPut, s.Parts[0], s.Header, data[:mib]); resp.StatusCode != http.StatusForbidden || !strings.Contains(answer, "expired") {
		t.Errorf("an expired address: %s %s", resp.Status, answer)
	}
	r.absent()
}

// The store would replace: it is asked before.
func TestNothingIsReplaced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(mib)
	h, s := r.grant(a)
	etags := r.send(a, s, content(mib))
	_, err := r.d.Put(t.Context(), key, blobtest.Bytes([]byte("first")), blob.PutOptions{})
	r.must(err)
	_, err = r.direct().Finish(t.Context(), h, []blob.StoredPart{{Size: mib, ETag: etags[0]}})
	r.kind("Finish over an object", err, errs.Exists)
	_, err = r.direct().Grant(t.Context(), a)
	r.kind("Grant over an object", err, errs.Exists)
	r.holds([]byte("first"))
}

// The store says of which upload an object was made.
func TestAnotherUploadOfTheSameSizeIsNotOurs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(mib)
	ours, _ := r.grant(a)
	_, s := r.grant(a)
	if status, answer := r.complete(s, r.send(a, s, content(mib))); status != http.StatusOK {
		t.Fatal(status, answer)
	}
	r.must(r.direct().Revoke(t.Context(), ours))
	_, err := r.direct().Finish(t.Context(), ours, nil)
	r.kind("Finish", err, errs.Exists)
}

// What a longer part was sent as is told by Confirm: lengths are not signed.
func TestALongerPartIsSeen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(mib)
	h, s := r.grant(a)
	if resp, _ := r.do(http.MethodPut, s.Parts[0], s.Header, content(mib+1)); resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	seen, err := r.direct().Confirm(t.Context(), h)
	r.must(err)
	if len(seen.Parts) != 1 || seen.Parts[0].Size != mib+1 {
		t.Errorf("%+v", seen)
	}
	_, err = r.direct().Finish(t.Context(), h, seen.Parts)
	r.kind("Finish", err, errs.Invalid)
	r.absent()
}

func TestTheStoreCallsBackAndTheObjectStaysWhateverComesOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int // of the callback's answer; 0 is nobody there
		want   int // of the completion
	}{"heard": {200, 200}, "refused": {400, 203}, "nobody there": {0, 203}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var heard []string
			if c.status != 0 {
				var end http.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					body, _ := io.ReadAll(req.Body)
					heard = append(heard, req.Method+" "+req.URL.String()+" "+string(body))
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(`{"code":0,"msg":""}`))
				})
				r.calls.Store(&end)
			}
			a := ask(mib + 1)
			a.Callback = "https://drive.example/api/v4/callback/obs/sid/secret"
			h, s := r.grant(a)
			status, answer := r.complete(s, r.send(a, s, content(mib+1)))
			if status != c.want || (status == 200 && answer != `{"code":0,"msg":""}`) {
				t.Errorf("completion: %d %s", status, answer)
			}
			if c.status != 0 {
				o, err := r.emu.Shelf.Get(key)
				r.must(err)
				want := []string{`POST https://drive.example/api/v4/callback/obs/sid/secret {"size":1048577,"etag":"` + o.ETag + `"}`}
				if diff := cmp.Diff(want, heard); diff != "" {
					t.Error(diff)
				}
			}
			seen, err := r.direct().Confirm(t.Context(), h)
			r.must(err)
			if !seen.Stored || seen.Info.Size != mib+1 {
				t.Errorf("%+v", seen)
			}
			r.holds(content(mib + 1))
		})
	}
}

func TestPlansTheStoreWouldRefuseAreRefusedFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, a := range map[string]blob.Ask{
		"too many parts":  {Key: key, Size: 10_001 * mib, PartSize: mib},
		"too small parts": {Key: key, Size: 2 * mib, PartSize: 100<<10 - 1},
		"too large parts": {Key: key, Size: 12 << 30, PartSize: 6 << 30},
		"one of 6 GiB":    {Key: key, Size: 6 << 30},
	} {
		_, err := r.direct().Grant(t.Context(), a)
		r.kind(name, err, errs.Invalid)
	}
	_, err := r.direct().Sign(t.Context(), blob.Handle{Key: key}, ask(mib), 0, 2)
	r.kind("Sign of parts that are none", err, errs.Invalid)
	if n := len(r.emu.Front.Log()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

func TestAPageOfAnotherOriginMaySend(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(10)
	_, s := r.grant(a)
	resp, _ := r.do(http.MethodOptions, s.Parts[0], http.Header{
		"Origin": {"https://drive.example"}, "Access-Control-Request-Method": {"PUT"}, "Access-Control-Request-Headers": {"content-type"},
	}, nil)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Allow-Headers") != "content-type" {
		t.Errorf("preflight: %s %v", resp.Status, resp.Header)
	}
	header := s.Header.Clone()
	header.Set("Origin", "https://drive.example")
	resp, _ = r.do(http.MethodPut, s.Parts[0], header, content(10))
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Access-Control-Expose-Headers") != "ETag" {
		t.Errorf("PUT: %s %v", resp.Status, resp.Header)
	}
}
