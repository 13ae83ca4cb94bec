package policies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/test/rig"
)

// siteHost is the public name of the server, which stores call back.
const siteHost = "drive.test"

// place is a server whose files go to a store of one kind, and somebody who uploads
// as existing clients do.
type place struct {
	*testing.T
	store  store
	relay  bool
	later  atomic.Int64 // nanoseconds that the clock is ahead
	deaf   atomic.Bool  // callbacks do not arrive
	config app.Config
	a      *app.App
	stop   func()
	api    *rig.API
}

func newPlace(t *testing.T, start func(*testing.T, needs) store, relay bool) *place {
	t.Helper()
	p := &place{T: t, relay: relay}
	clock := func() time.Time { return time.Now().Add(time.Duration(p.later.Load())) }
	p.store = start(t, needs{clock: clock, out: outward{p}})
	p.config = app.Config{
		Data: t.TempDir(), Listen: freeAddress(t), SiteURL: "http://" + siteHost, Clock: clock, Vendors: p.way(),
		AdminEmail: rig.AdminEmail, AdminPassword: core.Secret(rig.AdminPassword), Grace: time.Second, Sweep: 20 * time.Millisecond,
	}
	p.begin()
	t.Cleanup(func() { p.stop() })
	n := p.store.policy
	n.Name, n.Relay, n.ChunkSize = "Bucket", relay, 5<<20
	if relay {
		n.ChunkSize = 1 << 20
	}
	_, err := p.a.AddPolicy(t.Context(), n)
	if err == nil {
		_, err = p.a.SetGroupPolicy(t.Context(), "Admin", "Bucket")
	}
	if err != nil {
		t.Fatal(err)
	}
	p.api = rig.NewAPI(t, "http://"+p.config.Listen)
	p.api.HTTP.Transport = p.way()
	p.api.Call(http.MethodPatch, "/admin/settings", map[string]any{"settings": map[string]string{"upload_session_timeout": "300"}}, nil)
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// way leads names to where they listen here, and speaks without TLS to all.
func (p *place) way() *http.Transport {
	dial := func(ctx context.Context, network, to string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(to)
		switch host {
		case siteHost:
			to = p.config.Listen
		case p.store.host, p.store.keys:
			to = p.store.addr
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}
	way := &http.Transport{DialContext: dial, DialTLSContext: dial}
	p.Cleanup(way.CloseIdleConnections)
	return way
}

// outward is the way of callbacks.
type outward struct{ *place }

func (o outward) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.deaf.Load() {
		return nil, errors.New("the callback is lost")
	}
	return o.api.HTTP.Transport.RoundTrip(r)
}

func (p *place) begin() {
	p.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.Open(ctx, p.config)
	if err != nil {
		cancel()
		p.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	p.a, p.stop = a, func() {
		p.stop = func() {} // once
		cancel()
		if err := errors.Join(<-served, a.Close()); err != nil {
			p.Error(err)
		}
		if p.api != nil {
			p.api.HTTP.CloseIdleConnections()
		}
	}
}

func (p *place) restart() {
	p.Helper()
	p.stop()
	p.begin()
}

func noise(n int) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{7})
	_, _ = src.Read(b)
	return b
}

// size is that of what is sent: two parts, or three chunks.
func (p *place) size() int {
	if p.relay {
		return 2<<20 + 7
	}
	return 5<<20 + 7
}

// ticket is a session as clients of the contract read it.
type ticket struct {
	SessionID      string   `json:"session_id"`
	ChunkSize      int      `json:"chunk_size"`
	UploadURLs     []string `json:"upload_urls"`
	CompleteURL    string   `json:"completeURL"`
	CallbackSecret string   `json:"callback_secret"`
	StoragePolicy  struct {
		Type  string
		Relay bool
	} `json:"storage_policy"`
	size int
}

func (u ticket) parts() int { return (u.size + u.ChunkSize - 1) / u.ChunkSize }

func uri(name string) string { return "cloudreve://my/" + url.PathEscape(name) }

func (p *place) create(name string) ticket {
	p.Helper()
	u := ticket{size: p.size()}
	p.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": uri(name), "size": u.size, "policy_id": ""}, &u)
	if u.StoragePolicy.Type != p.store.policy.Type || u.StoragePolicy.Relay != p.relay || (len(u.UploadURLs) == 0) != p.relay {
		p.Fatalf("ticket: %+v", u)
	}
	return u
}

// part is the body of part n.
func (u ticket) part(data []byte, n int) []byte {
	return data[n*u.ChunkSize : min((n+1)*u.ChunkSize, len(data))]
}

// send sends part n, and returns its tag if it went to the store.
func (p *place) send(u ticket, data []byte, n int) string {
	p.Helper()
	if p.relay {
		if err := p.api.Send(u.SessionID, n, u.part(data, n), nil); err != nil {
			p.Fatalf("chunk %d: %v", n, err)
		}
		return ""
	}
	status, header, text := p.ask(http.MethodPut, u.UploadURLs[n], u.part(data, n), nil)
	if status != http.StatusOK || header.Get("ETag") == "" {
		p.Fatalf("part %d: HTTP %d %s", n, status, text)
	}
	return header.Get("ETag")
}

func (p *place) sendAll(u ticket, data []byte) (tags []string) {
	p.Helper()
	for n := range u.parts() {
		tags = append(tags, p.send(u, data, n))
	}
	return tags
}

func (p *place) ask(method, address string, body []byte, header http.Header) (int, http.Header, []byte) {
	p.Helper()
	r, err := http.NewRequestWithContext(p.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := p.api.HTTP.Do(r)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return resp.StatusCode, resp.Header, text
}

// complete ends a direct upload at the store and returns the status of the answer.
func (p *place) complete(u ticket, tags []string) int {
	p.Helper()
	if p.store.bare {
		status, _, _ := p.ask(http.MethodPost, u.CompleteURL, []byte{}, p.store.headers)
		return status
	}
	var body strings.Builder
	body.WriteString("<CompleteMultipartUpload>")
	for i, tag := range tags {
		fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, tag)
	}
	body.WriteString("</CompleteMultipartUpload>")
	status, _, _ := p.ask(http.MethodPost, u.CompleteURL, []byte(body.String()), p.store.headers)
	return status
}

// finish is complete, and what a client does then.
func (p *place) finish(u ticket, tags []string) {
	p.Helper()
	if status := p.complete(u, tags); status != http.StatusOK {
		p.Fatalf("completion: HTTP %d", status)
	}
	if !p.store.itself {
		p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "200 0")
	}
}

// wantCall makes a callback and checks its answer: HTTP status and code.
func (p *place) wantCall(u ticket, method, kind, secret, want string) {
	p.Helper()
	address := "http://" + siteHost + "/api/v4/callback/" + kind + "/" + u.SessionID + "/" + url.PathEscape(secret)
	var header http.Header
	if method == http.MethodPost && p.store.sign != nil {
		header = p.store.sign(address, nil)
	}
	status, _, text := p.ask(method, address, nil, header)
	code, _, _ := strings.Cut(strings.TrimPrefix(string(text), `{"code":`), ",")
	if got := fmt.Sprint(status, " ", code); got != want {
		p.Errorf("callback %s %s: answered with %s, want %s", method, kind, got, want)
	}
}

// until waits for what the server does by itself. The clock goes on.
func (p *place) until(what string, step time.Duration, fn func() bool) {
	p.Helper()
	for range 150 {
		if fn() {
			return
		}
		p.later.Add(int64(step))
		time.Sleep(100 * time.Millisecond)
	}
	p.Fatalf("never: %s", what)
}

// one checks that there is this file, and nothing else anywhere.
func (p *place) one(name string, data []byte) {
	p.Helper()
	_, got := p.download(name, nil)
	if !bytes.Equal(got, data) {
		p.Errorf("%s: %d other bytes came back", name, len(got))
	}
	if files := p.api.List(uri("")); len(files) != 1 {
		p.Errorf("there are %d files: %+v", len(files), files)
	}
	used, reserved := p.api.Capacity()
	if used != int64(len(data)) || reserved != 0 {
		p.Errorf("used %d, reserved %d; the file has %d", used, reserved, len(data))
	}
	p.until("one object is in the store, and nothing unfinished", 0, func() bool { return p.store.objects() == 1 && p.store.open() == 0 })
}

// none checks that nothing is left.
func (p *place) none() {
	p.Helper()
	if files := p.api.List(uri("")); len(files) != 0 {
		p.Errorf("there are files: %+v", files)
	}
	if used, reserved := p.api.Capacity(); used != 0 || reserved != 0 {
		p.Errorf("used %d, reserved %d", used, reserved)
	}
	p.until("the store is empty", time.Second, func() bool { return p.store.objects()+p.store.open() == 0 })
}

// address is where the file is to be read.
func (p *place) address(name string) string {
	p.Helper()
	var links struct{ URLs []struct{ URL string } }
	p.api.Call(http.MethodPost, "/file/url", map[string]any{"uris": []string{uri(name)}, "download": true}, &links)
	if len(links.URLs) != 1 {
		p.Fatalf("%s: %d addresses", name, len(links.URLs))
	}
	return links.URLs[0].URL
}

func (p *place) download(name string, header http.Header) (http.Header, []byte) {
	p.Helper()
	status, got, text := p.ask(http.MethodGet, p.address(name), nil, header)
	if !slices.Contains([]int{http.StatusOK, http.StatusPartialContent}, status) || got.Get("Content-Disposition") == "" {
		p.Fatalf("%s: HTTP %d %.200s", name, status, text)
	}
	return got, text
}

func (p *place) cancel(u ticket, name string) {
	p.Helper()
	p.api.Call(http.MethodDelete, "/file/upload", map[string]string{"id": u.SessionID, "uri": uri(name)}, nil)
}
