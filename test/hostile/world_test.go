package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
)

const (
	admin    = "admin@h.test"
	bob      = "bob@h.test"
	password = "a long enough password 1"
)

// world is a server with an administrator, one file of hers and one open upload.
type world struct {
	client string // id that requests carry; "": none
	t      *testing.T
	app    *app.App
	dir    string
	url    string
	http   *http.Client
	tokens map[string]string // address → access token
	log    *safeBuffer
	stop   func() // tells the server to
}

// safeBuffer takes the log of a server.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// open starts a server. Its goroutines and descriptors must be gone at the end.
func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), tokens: map[string]string{}, log: &safeBuffer{}}
	var err error
	w.app, err = app.Open(t.Context(), app.Config{
		Data: w.dir, Listen: "127.0.0.1:0", AdminEmail: admin, AdminPassword: password, Grace: time.Second,
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	w.stop = stop
	served := make(chan error, 1)
	go func() { served <- w.app.Serve(ctx) }()
	w.url = w.app.URL()
	w.http = &http.Client{
		Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := w.app.Close(); err != nil {
			t.Error(err)
		}
		if _, p, panicked := strings.Cut(w.log.String(), `"msg":"panic"`); panicked {
			t.Errorf("the server panicked: %s", p)
		}
	})
	if _, err := w.app.AddUser(t.Context(), app.NewUser{Email: bob, Password: core.Secret(password), Quota: app.GroupQuota}); err != nil {
		t.Fatal(err)
	}
	w.signIn(admin)
	w.signIn(bob)
	return w
}

func (w *world) signIn(email string) {
	w.t.Helper()
	var login struct {
		Token struct {
			AccessToken string `json:"access_token"`
		}
	}
	w.must("", "POST", "/session/token", map[string]string{"email": email, "password": password}, &login)
	w.tokens[email] = login.Token.AccessToken
}

// reply is an answer: the code of its envelope, or its HTTP status below zero
// where it has none.
type reply struct {
	status int
	header http.Header
	code   int
	body   string
	data   json.RawMessage
}

// sent is a request in full.
type sent struct {
	who, method, path string
	body              io.Reader
	header            map[string]string
	length            int64 // 0: what body has
}

func (w *world) send(s sent) reply {
	w.t.Helper()
	path := s.path
	if !strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "/api") {
		path = "/api/v4" + path
	}
	req, err := http.NewRequestWithContext(w.t.Context(), s.method, w.url+path, s.body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", s.method, s.path, err)
	}
	if s.length != 0 {
		req.ContentLength = s.length
	}
	if token := w.tokens[s.who]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if w.client != "" {
		req.Header.Set("X-Cr-Client-Id", w.client)
	}
	for k, v := range s.header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatalf("%s %.80s: no answer: %v", s.method, s.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %.80s: %v", s.method, s.path, err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, code: -resp.StatusCode, body: string(text)}
	var envelope struct {
		Code *int
		Data json.RawMessage
	}
	if json.Unmarshal(text, &envelope) == nil && envelope.Code != nil {
		r.code, r.data = *envelope.Code, envelope.Data
	}
	return r
}

// call sends JSON; body may be JSON text already.
func (w *world) call(who, method, path string, body any) reply {
	w.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		r = bytes.NewReader(text)
	}
	return w.send(sent{who: who, method: method, path: path, body: r, header: map[string]string{"Content-Type": "application/json"}})
}

func (w *world) must(who, method, path string, body, out any) {
	w.t.Helper()
	r := w.call(who, method, path, body)
	if r.code != 0 {
		w.t.Fatalf("%s %s: %s", method, path, r.body)
	}
	if out != nil {
		if err := json.Unmarshal(r.data, out); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) begin(who, uri string, size int64) (session string) {
	w.t.Helper()
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	w.must(who, "PUT", "/file/upload", map[string]any{"uri": uri, "size": size}, &ticket)
	return ticket.SessionID
}

func (w *world) put(who, uri, content string) {
	w.t.Helper()
	if r := w.send(sent{who: who, method: "PUT", path: "/file/content?uri=" + uri, body: strings.NewReader(content)}); r.code != 0 {
		w.t.Fatal(r.body)
	}
}

// state is everything that a refused request must leave as it was.
func (w *world) state() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	for _, who := range []string{admin, bob} {
		list := w.call(who, "GET", "/file?uri=cloudreve://my", nil)
		var l struct{ Files any }
		if err := json.Unmarshal(list.data, &l); err != nil {
			w.t.Fatalf("the server is not well: %s", list.body)
		}
		out[who+" files"] = fmt.Sprint(l.Files)
		out[who+" capacity"] = w.call(who, "GET", "/user/capacity", nil).body
		out[who+" uploads"] = w.call(who, "GET", "/file/upload", nil).body
	}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "wharf.db") {
			return err
		}
		i, err := d.Info()
		if err == nil {
			out["file "+strings.TrimPrefix(path, w.dir)] = fmt.Sprint(i.Size())
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// unchanged returns a check that nothing was stored since it was made.
func (w *world) unchanged() func() {
	w.t.Helper()
	before := w.state()
	return func() {
		w.t.Helper()
		if diff := cmp.Diff(before, w.state()); diff != "" {
			w.t.Errorf("something was stored (-before +after):\n%s", diff)
		}
	}
}

// want is the set of answers that a hostile value may get.
func want(t *testing.T, what string, r reply, codes ...int) {
	t.Helper()
	for _, c := range codes {
		if r.code == c {
			return
		}
	}
	t.Errorf("%.100s: answer %d (HTTP %d), want %v: %.200s", what, r.code, r.status, codes, r.body)
}

// descriptors is how many this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no /proc here")
	}
	return len(all)
}

// settles waits until count is at most bound again.
func settles(t *testing.T, what string, bound int, count func() int) {
	t.Helper()
	var n int
	for range 100 {
		if n = count(); n <= bound {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%s: %d are left, there were %d\n%s", what, n, bound, buf[:runtime.Stack(buf, true)])
}
