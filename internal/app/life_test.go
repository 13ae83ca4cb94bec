package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	testEmail    = "admin@life.test"
	testPassword = "a long enough password 1"
)

// serve opens and serves a server; stop ends it as SIGTERM would.
func serve(t *testing.T, c Config) (a *App, stop func() error) {
	t.Helper()
	if c.Data == "" {
		c.Data = t.TempDir()
	}
	c.Listen = "127.0.0.1:0"
	a, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-served
		if closed := a.Close(); err == nil {
			err = closed
		}
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return a, stop
}

func ask(t *testing.T, method, url, token, body string) (int, map[string]any, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&out) // not everything is JSON
	return resp.StatusCode, out, resp.Header
}

func signIn(t *testing.T, a *App, email string) (token string, code any) {
	t.Helper()
	_, r, _ := ask(t, "POST", a.URL()+"/api/v4/session/token", "", fmt.Sprintf(`{"email":%q,"password":%q}`, email, testPassword))
	if data, ok := r["data"].(map[string]any); ok {
		token, _ = data["token"].(map[string]any)["access_token"].(string)
	}
	return token, r["code"]
}

func TestTwoServersOnOneDataDirectoryAreRefused(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, Config{})
	_, err := Open(t.Context(), Config{Data: a.dir, Listen: "127.0.0.1:0"})
	if !errs.Has(err, errs.Locked) || !strings.Contains(err.Error(), "Another server runs on the data directory "+a.dir) {
		t.Errorf("the second server says %v", err)
	}
	if code, _, _ := ask(t, "GET", a.URL()+"/healthz", "", ""); code != http.StatusOK {
		t.Errorf("the first is not well: HTTP %d", code)
	}
}

// TestBadConfigurationsSayWhatToChange: each error names the value, and what to do.
func TestBadConfigurationsSayWhatToChange(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"site without scheme": {Config{SiteURL: "files.test"}, `"files.test" is not an http or https address`},
		"site with query":     {Config{SiteURL: "https://files.test/?a=b"}, "is not an http or https address"},
		"site of javascript":  {Config{SiteURL: "javascript://x"}, "is not an http or https address"},
		"proxy":               {Config{Proxies: []string{"everybody"}}, `"everybody" is neither an address nor a network`},
		"data is a file":      {Config{Data: file}, "--data"},
		"data below a file":   {Config{Data: filepath.Join(file, "x")}, "--data"},
		"admin's address":     {Config{AdminEmail: "nobody", AdminPassword: testPassword}, `"nobody" is not an e-mail address`},
		"listen":              {Config{Listen: "127.0.0.1:99999"}, "--listen"},
	} {
		if c.cfg.Data == "" {
			c.cfg.Data = t.TempDir()
		}
		if c.cfg.Listen == "" {
			c.cfg.Listen = "127.0.0.1:0"
		}
		a, err := Open(t.Context(), c.cfg)
		if err == nil {
			t.Errorf("%s: is taken", what)
			_ = a.Close()
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: says %q, want %q in it", what, err, c.says)
		}
	}
}

// TestReadOnlyDataDirectorySaysSo uses a directory where not even root may write.
func TestReadOnlyDataDirectorySaysSo(t *testing.T) {
	t.Parallel()
	dir := "/sys/kernel"
	if err := os.WriteFile(filepath.Join(dir, "probe"), nil, 0o600); err == nil || !exists(dir) {
		t.Skip("there is no read-only directory here")
	}
	_, err := Open(t.Context(), Config{Data: dir, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), dir) && !strings.Contains(err.Error(), "master.key") {
		t.Errorf("says %v", err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestSetUpLinkWorksOnce(t *testing.T) {
	t.Parallel()
	a, stop := serve(t, Config{})
	link := a.SetupURL()
	_, secret, ok := strings.Cut(link, "/setup?token=")
	if !ok || len(secret) < 22 {
		t.Fatalf("the link is %q", link)
	}
	try := func(token string) any {
		_, r, _ := ask(t, "POST", a.URL()+"/api/v4/site/setup", "", fmt.Sprintf(`{"token":%q,"email":%q,"password":%q,"group_id":1,"is_admin":true}`, token, testEmail, testPassword))
		return r["code"]
	}
	for _, wrong := range []string{"", "x", secret[:len(secret)-1], secret + "x", strings.ToLower(secret) + "a"} {
		if code := try(wrong); code != 403.0 {
			t.Errorf("token %q: code %v, want 403", wrong, code)
		}
	}
	if code := try(secret); code != 0.0 {
		t.Fatalf("the right token: code %v", code)
	}
	if code := try(secret); code != 403.0 {
		t.Errorf("the token again: code %v, want 403", code)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	again, _ := serve(t, Config{Data: a.dir, AdminEmail: "other@life.test", AdminPassword: testPassword})
	if again.SetupURL() != "" {
		t.Error("there is an administrator, and a new link")
	}
	if _, code := signIn(t, again, "other@life.test"); code != 40080.0 {
		t.Errorf("the configuration made a second administrator: code %v", code)
	}
	if _, code := signIn(t, again, testEmail); code != 0.0 {
		t.Errorf("the first cannot sign in: code %v", code)
	}
}

// TestStopLetsARunningChunkFinish: who is in the middle of a chunk gets its answer,
// and the bytes are there after the next start.
func TestStopLetsARunningChunkFinish(t *testing.T) {
	t.Parallel()
	a, stop := serve(t, Config{AdminEmail: testEmail, AdminPassword: testPassword, Grace: 20 * time.Second})
	token, _ := signIn(t, a, testEmail)
	_, r, _ := ask(t, "PUT", a.URL()+"/api/v4/file/upload", token, `{"uri":"cloudreve://my/f","size":4}`)
	id, _ := r["data"].(map[string]any)["session_id"].(string)

	conn, err := net.Dial("tcp", a.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST /api/v4/file/upload/%s/0 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\nContent-Length: 4\r\n\r\n", id, token)
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q, %v", line, err)
	}
	_, _ = answers.ReadString('\n')
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // until nobody new is let in
		c, err := net.Dial("tcp", a.ln.Addr().String())
		if err != nil {
			break
		}
		_ = c.Close()
	}
	_, _ = io.WriteString(conn, "abcd")
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(text), `"code":0`) {
		t.Errorf("the chunk was answered %q, %v", text, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	again, _ := serve(t, Config{Data: a.dir})
	token, _ = signIn(t, again, testEmail)
	_, r, _ = ask(t, "GET", again.URL()+"/api/v4/file/info?uri=cloudreve://my/f", token, "")
	if size := r["data"].(map[string]any)["size"]; size != 4.0 {
		t.Errorf("after the next start the file has %v bytes", size)
	}
}

// TestGraceEnds: who never finishes does not keep the server from ending.
func TestGraceEnds(t *testing.T) {
	t.Parallel()
	a, stop := serve(t, Config{Grace: 100 * time.Millisecond})
	conn, err := net.Dial("tcp", a.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "POST /api/v4/session/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	if code, _, _ := ask(t, "GET", a.URL()+"/healthz", "", ""); code != http.StatusOK {
		t.Errorf("health: HTTP %d", code)
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
}

// TestFilesGoOutByTheKernel: what wraps the answer hands a file on whole, so that
// net/http can give it to sendfile.
func TestFilesGoOutByTheKernel(t *testing.T) {
	t.Parallel()
	f, err := os.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	under := &sink{}
	rec := &recorder{ResponseWriter: under}
	if _, err := io.CopyN(rec, f, 100); err != nil {
		t.Fatal(err)
	}
	if l, ok := under.src.(*io.LimitedReader); !ok || l.R != f || rec.bytes != 100 {
		t.Errorf("net/http is given %T of %d bytes, and not the file", under.src, rec.bytes)
	}
	var counted net.Conn = &guest{}
	if _, ok := counted.(io.ReaderFrom); !ok {
		t.Error("a counted connection takes no files")
	}
}

type sink struct {
	http.ResponseWriter
	src io.Reader
}

func (s *sink) WriteHeader(int)             {}
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) ReadFrom(r io.Reader) (int64, error) {
	s.src = r
	return io.Copy(io.Discard, r)
}

// TestConnectionsOfOneAddressAreBounded is a part of H28.
func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := bounded(l, 2, nil).(*crowd)
	defer func() { _ = c.Close() }()
	in := make(chan net.Conn, 8)
	go func() {
		for {
			conn, err := c.Accept()
			if err != nil {
				return
			}
			in <- conn
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	dial()
	first := <-in
	dial()
	second := <-in
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("the third is let in")
	}
	_ = first.Close()
	_ = first.Close() // counts once
	dial()
	third := <-in
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("closing twice made two places")
	}
	_, _ = second.Close(), third.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.here) != 0 {
		t.Errorf("left behind: %v", c.here)
	}
}

func TestPageAnswersEveryPath(t *testing.T) {
	t.Parallel()
	a, _ := serve(t, Config{})
	get := func(path, encoding string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", a.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", encoding)
		resp, err := (&http.Transport{DisableKeepAlives: true, DisableCompression: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return resp
	}
	if get("/", "").StatusCode == http.StatusNotFound {
		t.Skip("the page is not built")
	}
	for _, path := range []string{"/", "/setup?token=x", "/home/anything", "/%2e%2e/%2e%2e/etc/passwd"} {
		r := get(path, "")
		if kind := r.Header.Get("Content-Type"); r.StatusCode != 200 || !strings.HasPrefix(kind, "text/html") || r.Header.Get("Cache-Control") != "public, no-cache" {
			t.Errorf("%s: HTTP %d %s, %s", path, r.StatusCode, kind, r.Header.Get("Cache-Control"))
		}
		if !strings.Contains(r.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s may be framed", path)
		}
	}
	if r := get("/", "gzip"); r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("gzip: %v", r.Header)
	}
	if r := get("/assets/none.js", ""); r.StatusCode != http.StatusNotFound || strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("a missing asset: HTTP %d %v", r.StatusCode, r.Header)
	}
}
