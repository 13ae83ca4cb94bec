package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/test/emu/cos"
)

// stores are emulators of one vendor, by host, and the way to them.
type stores struct {
	addr  map[string]string // by host
	stuck atomic.Value      // the host that takes connections and never answers; ""
	hole  net.Listener
}

const storeRegion = "ap-guangzhou"

func newStores(t *testing.T, clock core.Clock, buckets ...string) *stores {
	t.Helper()
	s := &stores{addr: map[string]string{}}
	s.stuck.Store("")
	for _, b := range buckets {
		e := cos.New(cos.Options{Bucket: b, Region: storeRegion, AccessKey: "AKIDexample", SecretKey: "not a secret", Clock: clock})
		server := httptest.NewServer(e)
		t.Cleanup(server.Close)
		s.addr[e.Host()] = server.Listener.Addr().String()
	}
	var err error
	if s.hole, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.hole.Close() }) // the kernel takes connections that nobody accepts
	return s
}

// RoundTrip takes a new connection each time, so that being stuck counts at once.
func (s *stores) RoundTrip(r *http.Request) (*http.Response, error) {
	to, stuck := s.addr[r.URL.Host], s.stuck.Load() == r.URL.Host
	if stuck {
		to = s.hole.Addr().String()
	}
	return (&http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}).RoundTrip(r)
}

// TestAStoreThatDoesNotAnswerKeepsNobodyWaiting has uploads whose callbacks were
// lost in two stores, one of which takes connections and is silent: neither the
// start, nor the other store, nor what is at hand waits for it.
func TestAStoreThatDoesNotAnswerKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	var later atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	away := newStores(t, clock, "silent-1250000000", "well-1250000000")
	c := Config{
		Data: t.TempDir(), AdminEmail: testEmail, AdminPassword: testPassword, Clock: clock, Vendors: away,
		Sweep: 20 * time.Millisecond, Grace: time.Second,
	}
	a, stop := serve(t, c)
	token, _ := signIn(t, a, testEmail)
	for _, name := range []string{"silent", "well"} {
		_, err := a.AddPolicy(t.Context(), NewPolicy{
			Name: name, Type: "cos", Endpoint: "http://" + name + "-1250000000.cos." + storeRegion + ".myqcloud.com", Region: storeRegion,
			Bucket: name + "-1250000000", AccessKey: "AKIDexample", SecretKey: "not a secret",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string) {
		t.Helper()
		if code, r, _ := ask(t, "PUT", a.URL()+"/api/v4/file/content?uri=cloudreve://my/"+name, token, "some bytes"); code != 200 || r["code"] != 0.0 {
			t.Fatalf("%s: HTTP %d %v", name, code, r)
		}
	}
	put("at-hand")
	for _, name := range []string{"silent", "well"} {
		if _, err := a.SetGroupPolicy(t.Context(), "Admin", name); err != nil {
			t.Fatal(err)
		}
		put("deleted-at-" + name)
		away.upload(t, a, token, name)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	away.stuck.Store("silent-1250000000.cos." + storeRegion + ".myqcloud.com")
	later.Add(int64(2 * time.Minute)) // both are due
	opened := make(chan *App, 1)
	c.Listen = "127.0.0.1:0"
	go func() {
		again, err := Open(context.WithoutCancel(t.Context()), c)
		if err != nil {
			t.Error(err)
		}
		opened <- again
	}()
	select {
	case a = <-opened:
	case <-time.After(30 * time.Second):
		t.Fatal("the start waits for the store that is silent")
	}
	a.direct.Patience = time.Second
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()

	token, _ = signIn(t, a, testEmail)
	until(t, "the file in the other store", func() bool { return whole(t, a, token, "well") })
	for _, name := range []string{"at-hand", "deleted-at-silent", "deleted-at-well"} {
		ask(t, "DELETE", a.URL()+"/api/v4/file", token, `{"uris":["cloudreve://my/`+name+`"],"skip_soft_delete":true}`)
	}
	doomed := func(policy string) int {
		p, err := a.store.Catalog().PolicyByName(t.Context(), policy)
		if err != nil {
			t.Fatal(err)
		}
		list, err := a.store.Catalog().DoomedOf(t.Context(), p.ID, clock().Add(time.Hour), 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	until(t, "what was deleted elsewhere is unlinked", func() bool {
		return doomed("Default storage policy")+doomed("well") == 0
	})
	if doomed("silent") != 1 {
		t.Error("what was deleted in the silent store is forgotten")
	}
	if whole(t, a, token, "silent") {
		t.Error("the silent store was not silent")
	}

	away.stuck.Store("") // those who wait there wait on
	until(t, "the file in the store that was silent", func() bool {
		later.Add(int64(10 * time.Second))
		return whole(t, a, token, "silent")
	})
}

// upload sends a file straight to a store, ends it there and tells nobody.
func (s *stores) upload(t *testing.T, a *App, token, name string) {
	t.Helper()
	_, r, _ := ask(t, "PUT", a.URL()+"/api/v4/file/upload", token, `{"uri":"cloudreve://my/`+name+`","size":5}`)
	text, _ := json.Marshal(r["data"])
	var u struct {
		UploadURLs  []string `json:"upload_urls"`
		CompleteURL string
	}
	if err := json.Unmarshal(text, &u); err != nil || len(u.UploadURLs) != 1 {
		t.Fatalf("%s: %v %v", name, r, err)
	}
	send := func(method, to, body string) http.Header {
		req, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		if method == "POST" {
			req.Header.Set("X-Cos-Forbid-Overwrite", "true")
		}
		resp, err := s.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		_, _ = io.Copy(&text, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: HTTP %s %s", method, to, resp.Status, &text)
		}
		return resp.Header
	}
	tag := send("PUT", u.UploadURLs[0], "bytes").Get("ETag")
	send("POST", u.CompleteURL, fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>", tag))
}

// whole reports whether the file is complete.
func whole(t *testing.T, a *App, token, name string) bool {
	t.Helper()
	_, r, _ := ask(t, "GET", a.URL()+"/api/v4/file/info?uri=cloudreve://my/"+name, token, "")
	file, _ := r["data"].(map[string]any)
	return file["size"] == 5.0
}
