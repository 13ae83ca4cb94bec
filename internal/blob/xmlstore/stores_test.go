package xmlstore_test

import (
	"bytes"
	"context"
	"encoding/xml"
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
	"github.com/wharfinger/wharfinger/internal/blob/cosblob"
	"github.com/wharfinger/wharfinger/internal/blob/obsblob"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

const (
	mib    = 1 << 20
	key    = "7f/a0b1-c2"
	access = "AKIDexample"
	secret = "not a secret"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is a kind of stores that stands on the package. What the package does for all
// of them is tried on each.
type world struct {
	name   string
	config xmlstore.Config // what is its own
	sum    string          // what bodies are compared by
	ends   http.Header     // that a client ends an upload with, beside the type
	bare   bool            // it does so without a list of parts
	open   func(context.Context, xmlstore.Config, http.RoundTripper, core.Clock) (blob.Driver, error)
	start  func(core.Clock) emulator
}

// emulator is a store of a world.
type emulator struct {
	*shelf.Front
	*shelf.Shelf
	host string
}

var worlds = []world{
	{
		name: "cos", config: xmlstore.Config{Bucket: "files-1250000000", Region: "ap-guangzhou"}, sum: "CRC-64",
		ends: http.Header{"X-Cos-Forbid-Overwrite": {"true"}},
		open: func(ctx context.Context, c xmlstore.Config, rt http.RoundTripper, now core.Clock) (blob.Driver, error) {
			return cosblob.Open(ctx, cosblob.Config(c), rt, now)
		},
		start: func(now core.Clock) emulator {
			e := cos.New(cos.Options{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: access, SecretKey: secret, Clock: now})
			return emulator{e.Front, e.Shelf, e.Host()}
		},
	},
	{
		name: "obs", config: xmlstore.Config{Bucket: "files", Region: "cn-north-4"}, sum: "MD5",
		open: func(ctx context.Context, c xmlstore.Config, rt http.RoundTripper, now core.Clock) (blob.Driver, error) {
			return obsblob.Open(ctx, obsblob.Config(c), rt, now)
		},
		start: func(now core.Clock) emulator {
			e := obs.New(obs.Options{Bucket: "files", Region: "cn-north-4", AccessKey: access, SecretKey: secret, Clock: now})
			return emulator{e.Front, e.Shelf, e.Host()}
		},
	},
	{
		name: "oss", config: xmlstore.Config{Bucket: "files", Region: "cn-hangzhou"}, sum: "CRC-64",
		ends: http.Header{"X-Oss-Complete-All": {"yes"}, "X-Oss-Forbid-Overwrite": {"true"}}, bare: true,
		open: func(ctx context.Context, c xmlstore.Config, rt http.RoundTripper, now core.Clock) (blob.Driver, error) {
			return ossblob.Open(ctx, ossblob.Config(c), rt, now)
		},
		start: func(now core.Clock) emulator {
			e := oss.New(oss.Options{Bucket: "files", Region: "cn-hangzhou", AccessKey: access, SecretKey: secret, Clock: now})
			return emulator{e.Front, e.Shelf, e.Host()}
		},
	},
}

func onEach(t *testing.T, do func(*testing.T, world)) {
	t.Parallel()
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			do(t, w)
		})
	}
}

// rig is a driver and the store it talks to, with a clock each.
type rig struct {
	*testing.T
	world
	emu    emulator
	rt     http.RoundTripper
	config xmlstore.Config
	here   atomic.Int64 // seconds that the driver's clock is ahead
	there  atomic.Int64 // and the store's
	d      blob.Driver
}

func newRig(t *testing.T, w world, change ...func(*xmlstore.Config)) *rig {
	t.Helper()
	r := &rig{T: t, world: w, config: w.config}
	r.emu = w.start(func() time.Time { return start.Add(time.Duration(r.there.Load()) * time.Second) })
	r.config.Endpoint, r.config.AccessKey, r.config.SecretKey, r.config.PartSize = "http://"+r.emu.host, access, secret, mib
	for _, c := range change {
		c(&r.config)
	}
	server := httptest.NewServer(r.emu.Front)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	r.rt = transport
	r.d = r.open()
	return r
}

func (r *rig) open() blob.Driver {
	r.Helper()
	d, err := r.world.open(r.Context(), r.config, r.rt, func() time.Time { return start.Add(time.Duration(r.here.Load()) * time.Second) })
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

// ask is an upload of size bytes in parts of 1 MiB, with addresses for an hour.
func ask(size int64) blob.Ask {
	return blob.Ask{Key: key, Size: size, PartSize: mib, MIME: "text/plain", Now: start, Until: start.Add(time.Hour)}
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

func (r *rig) grant(a blob.Ask) (blob.Handle, blob.Signed) {
	r.Helper()
	h, err := r.direct().Grant(r.Context(), a)
	r.must(err)
	s, err := r.direct().Sign(r.Context(), h, a, 0, a.Parts())
	r.must(err)
	return h, s
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

// complete is the second half: the list of parts, where the store wants one.
func (r *rig) complete(s blob.Signed, etags []string) (status int, answer string) {
	r.Helper()
	type part struct {
		PartNumber int
		ETag       string
	}
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []part
	}
	for i, tag := range etags {
		in.Part = append(in.Part, part{i + 1, tag})
	}
	body, err := xml.Marshal(in)
	r.must(err)
	if r.bare {
		body = nil
	}
	header := s.Header.Clone()
	for name, values := range r.ends {
		header[name] = values
	}
	resp, answer := r.do(http.MethodPost, s.Complete, header, body)
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
