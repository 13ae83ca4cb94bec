package s3blob_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/test/emu/gateway"
)

const domain = "s3.test"

// server is the one of all tests here; nil where there is none, and why.
var (
	server *gateway.Server
	why    error
	count  atomic.Int64
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "s3blob")
	if err != nil {
		panic(err)
	}
	server, why = gateway.Start(dir, domain)
	code := m.Run()
	if server != nil {
		server.Stop()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// transport leads every host to the server.
var transport = &http.Transport{
	DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.Contains(addr, domain) {
			addr = server.Addr
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	},
}

// world is a bucket of its own.
type world struct {
	*testing.T
	config s3blob.Config
	now    time.Time
}

// newWorld skips where there is no server.
func newWorld(t *testing.T) *world {
	t.Helper()
	if server == nil {
		t.Skip(why)
	}
	w := &world{T: t, now: time.Now(), config: s3blob.Config{
		Endpoint: "http://" + server.Addr, Region: gateway.Region, Bucket: fmt.Sprintf("bucket-%d", count.Add(1)),
		AccessKey: gateway.Access, SecretKey: gateway.Secret, PathStyle: true, PartSize: 5 << 20,
	}}
	api := s3.New(s3.Options{
		BaseEndpoint: &w.config.Endpoint, Region: gateway.Region, UsePathStyle: true, HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: gateway.Access, SecretAccessKey: gateway.Secret}, nil
		}),
	})
	_, err := api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &w.config.Bucket})
	w.must(err)
	return w
}

// all is every ability of the driver.
type all interface {
	blob.Driver
	blob.Parts
	blob.Direct
	blob.Linker
	blob.Strays
}

func (w *world) open() all { return w.with(func(*s3blob.Config) {}) }

func (w *world) with(change func(*s3blob.Config)) all {
	w.Helper()
	c := w.config
	change(&c)
	d, err := s3blob.Open(w.Context(), c, transport, func() time.Time { return w.now })
	w.must(err)
	return d.(all)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("unexpected: %v", err)
	}
}

func (w *world) ask(key string, data []byte) blob.Ask {
	return blob.Ask{Key: key, Size: int64(len(data)), PartSize: 5 << 20, MIME: "image/png", Now: w.now, Until: w.now.Add(time.Hour)}
}

// do makes a request as a client does, and returns its status, body and ETag.
func (w *world) do(method, address string, body []byte) (int, string, http.Header) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, address, bytes.NewReader(body))
	w.must(err)
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := (&http.Client{Transport: transport}).Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return resp.StatusCode, string(text), resp.Header
}

// refused is do, of which the store may hang up before it took the body: then the
// status is 0.
func (w *world) refused(method, address string, body []byte) (int, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, address, bytes.NewReader(body))
	w.must(err)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// send puts the parts as a client does and returns their tags, with quotes.
func (w *world) send(s blob.Signed, a blob.Ask, data []byte, parts ...int) (tags []string) {
	w.Helper()
	for _, n := range parts {
		from := int64(n) * a.PartSize
		status, text, h := w.do(http.MethodPut, s.Parts[n], data[from:from+a.Part(n)])
		if status != http.StatusOK || h.Get("Etag") == "" {
			w.Fatalf("part %d: %d %s", n, status, text)
		}
		tags = append(tags, h.Get("Etag"))
	}
	return tags
}

// completion is the body as clients write it.
func completion(tags []string) []byte {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i, tag := range tags {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, tag)
	}
	b.WriteString("</CompleteMultipartUpload>")
	return []byte(b.String())
}

func (w *world) holds(d blob.Driver, key string, data []byte) {
	w.Helper()
	body, err := d.Open(w.Context(), key, core.Range{To: int64(len(data))})
	w.must(err)
	got, err := io.ReadAll(body)
	w.must(err)
	w.must(body.Close())
	if !bytes.Equal(got, data) {
		w.Errorf("%s: %d other bytes, want %d", key, len(got), len(data))
	}
}

func md5Hex(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

// proxy stands before the server and spoils the next exchanges that match.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	match string // method and a piece of the query
	left  int
	spoil func(w http.ResponseWriter, r *http.Request, next http.Handler)
	seen  int
}

func (w *world) proxy() *proxy {
	target, err := url.Parse("http://" + server.Addr)
	w.must(err)
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p := &proxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		method, query, _ := strings.Cut(p.match, " ")
		hit := p.left > 0 && r.Method == method && strings.Contains(r.URL.RawQuery, query)
		if hit {
			p.left--
			p.seen++
		}
		spoil := p.spoil
		p.mu.Unlock()
		if hit {
			spoil(rw, r, pass)
			return
		}
		pass.ServeHTTP(rw, r)
	}))
	w.Cleanup(p.Close)
	w.config.Endpoint = p.URL
	return p
}

// next spoils the next n exchanges that match.
func (p *proxy) next(n int, match string, spoil func(http.ResponseWriter, *http.Request, http.Handler)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left, p.match, p.spoil, p.seen = n, match, spoil, 0
}

const busy = `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`

func slowDown(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, busy)
}

// storedThen does what was asked and tells another story.
func storedThen(tell func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		tell(w, r, next)
	}
}

func hangUp(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

func page(status int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<html><body><h1>gateway</h1></body></html>")
	}
}
