package ossblob_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

const (
	mib = 1 << 20
	key = "7f/a0b1-c2"
)

// rig is a driver and the store it talks to, with a clock each.
type rig struct {
	*testing.T
	emu    *oss.Emulator
	rt     http.RoundTripper
	config ossblob.Config
	calls  atomic.Pointer[http.Handler] // who is called back; nil is nobody
	here   atomic.Int64                 // seconds that the driver's clock is ahead
	there  atomic.Int64                 // and the store's
	asked  atomic.Int64                 // fetches of the key of callbacks
	d      blob.Driver
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newRig(t *testing.T, change ...func(*ossblob.Config)) *rig {
	t.Helper()
	r := &rig{T: t, config: ossblob.Config{
		Bucket: "files", Region: "cn-hangzhou", Endpoint: "http://files.oss-cn-hangzhou.aliyuncs.com",
		AccessKey: "AKIDexample", SecretKey: core.Secret("not a secret"), PartSize: mib,
	}}
	for _, c := range change {
		c(&r.config)
	}
	r.emu = oss.New(oss.Options{
		Bucket: "files", Region: "cn-hangzhou", AccessKey: "AKIDexample", SecretKey: "not a secret",
		Clock: func() time.Time { return start.Add(time.Duration(r.there.Load()) * time.Second) },
		Calls: hook{&r.calls},
		CORS:  []shelf.Rule{{Origins: []string{"*"}, Methods: []string{"PUT", "POST"}, Headers: []string{"*"}, Expose: []string{"ETag"}, MaxAge: 3600}},
	})
	server := httptest.NewServer(r.emu)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	r.rt = plain{transport, &r.asked}
	r.d = r.open()
	return r
}

// plain speaks plain HTTP to the host of the keys, which is asked for by TLS.
type plain struct {
	http.RoundTripper
	asked *atomic.Int64 // how often
}

func (p plain) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "https" && req.URL.Host == oss.KeyHost {
		req = req.Clone(req.Context())
		req.URL.Scheme = "http"
		p.asked.Add(1)
	}
	return p.RoundTripper.RoundTrip(req)
}

func (r *rig) open() blob.Driver {
	r.Helper()
	d, err := ossblob.Open(r.Context(), r.config, r.rt, func() time.Time { return start.Add(time.Duration(r.here.Load()) * time.Second) })
	r.must(err)
	return d
}

func (r *rig) direct() blob.Direct { return r.d.(blob.Direct) }
func (r *rig) parts() blob.Parts   { return r.d.(blob.Parts) }

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatalf("unexpected: %v", err)
	}
}

func (r *rig) kind(what string, err error, want errs.Kind) {
	r.Helper()
	if err == nil || r.d.Classify(err) != want {
		r.Errorf("%s: %v, want kind %v", what, err, want)
	}
}

// hook carries callbacks to whoever stands at their end.
type hook struct{ to *atomic.Pointer[http.Handler] }

func (h hook) RoundTrip(req *http.Request) (*http.Response, error) {
	to := h.to.Load()
	if to == nil {
		return nil, io.ErrUnexpectedEOF
	}
	w := httptest.NewRecorder()
	(*to).ServeHTTP(w, req)
	resp := w.Result()
	resp.ContentLength = int64(w.Body.Len())
	return resp, nil
}

// ask is an upload of size bytes in parts of 1 MiB, with addresses for an hour.
func ask(size int64) blob.Ask {
	return blob.Ask{Key: key, Size: size, PartSize: mib, MIME: "text/plain", Now: start, Until: start.Add(time.Hour)}
}

func (r *rig) grant(a blob.Ask) (blob.Handle, blob.Signed) {
	r.Helper()
	h, err := r.direct().Grant(r.Context(), a)
	r.must(err)
	s, err := r.direct().Sign(r.Context(), h, a, 0, a.Parts())
	r.must(err)
	return h, s
}

// do makes a request as a client does: without a key, and with these headers.
func (r *rig) do(method, url string, header http.Header, body []byte) (*http.Response, string) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, url, bytes.NewReader(body))
	r.must(err)
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := r.rt.RoundTrip(req)
	r.must(err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	r.must(err)
	return resp, string(answer)
}

// send is the first half of what existing clients do: the parts.
func (r *rig) send(a blob.Ask, s blob.Signed, data []byte, only ...int) (etags []string) {
	r.Helper()
	for n, url := range s.Parts {
		if len(only) > 0 && n != only[0] {
			continue
		}
		from := int64(n) * a.PartSize
		resp, answer := r.do(http.MethodPut, url, s.Header, data[from:from+a.Part(n)])
		if resp.StatusCode != http.StatusOK || resp.Header.Get("ETag") == "" {
			r.Fatalf("part %d: %s %s", n, resp.Status, answer)
		}
		etags = append(etags, resp.Header.Get("ETag"))
	}
	return etags
}

// complete is the second half: all that is there, without a list.
func (r *rig) complete(s blob.Signed) (status int, answer string) {
	r.Helper()
	resp, answer := r.do(http.MethodPost, s.Complete, http.Header{
		"Content-Type": {"application/octet-stream"}, "X-Oss-Complete-All": {"yes"}, "X-Oss-Forbid-Overwrite": {"true"},
	}, nil)
	return resp.StatusCode, answer
}

func (r *rig) holds(want []byte) {
	r.Helper()
	o, err := r.emu.Shelf.Get(key)
	r.must(err)
	if !bytes.Equal(o.Data, want) {
		r.Errorf("the store holds %d bytes, others than the %d sent", len(o.Data), len(want))
	}
}

func (r *rig) absent() {
	r.Helper()
	if o, err := r.emu.Shelf.Get(key); err == nil {
		r.Errorf("the store holds an object of %d bytes", len(o.Data))
	}
}

// count says how many requests the store saw that begin so.
func (r *rig) count(prefix string) (n int) {
	for _, line := range r.emu.Front.Log() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

func content(n int) []byte { return blobtest.Content(3, n) }
