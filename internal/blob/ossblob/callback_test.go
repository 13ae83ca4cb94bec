package ossblob_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
)

const site = "https://drive.example/api/v4/callback/oss/sid/secret"

func (r *rig) read(req *http.Request) error {
	r.Helper()
	body, err := io.ReadAll(req.Body)
	r.must(err)
	return r.d.(blob.Caller).ReadCallback(r.Context(), blob.Callback{Target: req.URL.RequestURI(), Header: req.Header, Body: body})
}

func (r *rig) signed(to, body string) *http.Request {
	r.Helper()
	req, err := r.emu.Callback(r.Context(), to, "application/json", []byte(body))
	r.must(err)
	return req
}

func TestTheStoreCallsBackAndTheObjectStaysWhateverComesOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int // of the callback's answer; 0 is nobody there
		want   int // of the completion
		repeat int
	}{"heard": {200, 200, 1}, "doubled": {200, 200, 2}, "refused": {400, 203, 1}, "nobody there": {0, 203, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.emu.Calls.Repeat(c.repeat)
			var heard []string
			if c.status != 0 {
				var end http.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					body, _ := io.ReadAll(req.Body)
					heard = append(heard, req.Method+" "+req.URL.String()+" "+string(body))
					req.Body = io.NopCloser(strings.NewReader(string(body)))
					r.must(r.read(req))
					w.WriteHeader(c.status)
					_, _ = w.Write([]byte(`{"code":0,"msg":""}`))
				})
				r.calls.Store(&end)
			}
			a := ask(mib + 1)
			a.Callback = site
			h, s := r.grant(a)
			r.send(a, s, content(mib+1))
			status, answer := r.complete(s)
			if status != c.want || (status == 200 && answer != `{"code":0,"msg":""}`) {
				t.Errorf("completion: %d %s", status, answer)
			}
			if c.status != 0 {
				o, err := r.emu.Shelf.Get(key)
				r.must(err)
				var want []string
				for range c.repeat {
					want = append(want, "POST "+site+` {"object":"7f/a0b1-c2","size":1048577,"etag":"`+strings.ToUpper(o.ETag)+`"}`)
				}
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

// The store would refuse to complete an upload that asks for such a call.
func TestAnAddressInsideIsNotGivenToTheStore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := ask(10)
	a.Callback = "http://192.168.1.2:5212/api/v4/callback/oss/sid/secret"
	_, s := r.grant(a)
	r.send(a, s, content(10))
	if status, answer := r.complete(s); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	r.holds(content(10))
}

func TestACallbackThatTheStoreDidNotMakeIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const body = `{"size":1}`
	r.must(r.read(r.signed(site, body)))
	r.must(r.read(r.signed(site+"?a=%2Fb&c", body)))
	key := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, spoil := range map[string]func(*http.Request){
		"no signature":           func(q *http.Request) { q.Header.Del("Authorization") },
		"no key":                 func(q *http.Request) { q.Header.Del("X-Oss-Pub-Key-Url") },
		"another body":           func(q *http.Request) { q.Body = io.NopCloser(strings.NewReader(`{"size":2}`)) },
		"another path":           func(q *http.Request) { q.URL.Path += "x" },
		"another query":          func(q *http.Request) { q.URL.RawQuery = "a=1" },
		"a key of another host":  func(q *http.Request) { q.Header.Set("X-Oss-Pub-Key-Url", key("https://keys.example/k.pem")) },
		"a host that looks like": func(q *http.Request) { q.Header.Set("X-Oss-Pub-Key-Url", key("https://"+oss.KeyHost+".example/k.pem")) },
		"a host behind a name": func(q *http.Request) {
			q.Header.Set("X-Oss-Pub-Key-Url", key("https://"+oss.KeyHost+"@keys.example/k.pem"))
		},
		"a key that is none": func(q *http.Request) { q.Header.Set("X-Oss-Pub-Key-Url", key("https://"+oss.KeyHost+"/none.pem")) },
	} {
		q := r.signed(site, body)
		spoil(q)
		r.kind(name, r.read(q), errs.Forbidden)
	}
	// Another store's signature is not this one's.
	q := newRig(t).signed(site, body)
	r.kind("another key", r.read(q), errs.Forbidden)
}

// away is a way that leads nowhere, or to a page.
type away struct {
	http.RoundTripper
	page string
}

func (a away) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.page == "" {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(a.page)), Request: req}, nil
}

func TestAKeyThatCannotBeHadIsNoForgery(t *testing.T) {
	t.Parallel()
	for name, rt := range map[string]http.RoundTripper{"no way": away{}, "a hotel's page": away{page: "<html>"}} {
		r := newRig(t)
		q := r.signed(site, "{}")
		r.rt = rt
		r.d = r.open()
		err := r.read(q)
		r.kind(name, err, errs.Transient)
		if err != nil && !strings.Contains(err.Error(), "key of callbacks") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKeyIsFetchedOnceADay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for hour, want := range []int64{0: 1, 1: 1, 23: 1, 24: 2, 25: 2} {
		if want == 0 {
			continue
		}
		r.here.Store(int64(hour) * 3600)
		r.must(r.read(r.signed(site, "{}")))
		if got := r.asked.Load(); got != want {
			t.Errorf("hour %d: %d fetches, want %d", hour, got, want)
		}
	}
}
