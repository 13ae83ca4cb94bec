package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

var (
	flagTarget        = flag.String("target", "", "address of the server to test; one is started in this process if empty")
	flagAdminEmail    = flag.String("admin-email", "", "administrator of the target")
	flagAdminPassword = flag.String("admin-password", "", "its password")
	flagUserEmail     = flag.String("user-email", "", "a second, ordinary user of the target; cases with bob are skipped without one")
	flagUserPassword  = flag.String("user-password", "", "its password")
	flagStrict        = flag.Bool("strict", true, "run the cases where we leave the reference on purpose, and compare with the description")
)

// user is somebody who makes calls. anonymous has no token.
type user struct{ email, password, token, refresh string }

// server is what cases are run against.
type server struct {
	url     string
	chunk   int64
	users   map[string]*user
	running *process // nil for a -target
}

// connect gives the server of a theme: the target, or a fresh one in this
// process with the theme's settings.
func connect(t *testing.T, settings map[string]string) *server {
	t.Helper()
	s := &server{users: map[string]*user{"anonymous": {}}}
	if *flagTarget == "" {
		s.running = start(t, settings)
		s.url = s.running.url
		s.users["admin"] = &user{email: adminEmail, password: adminPassword}
		s.users["bob"] = &user{email: bobEmail, password: bobPassword}
	} else {
		if len(settings) > 0 {
			t.Skip("needs a server with its own settings")
		}
		s.url = strings.TrimSuffix(*flagTarget, "/")
		s.users["admin"] = &user{email: *flagAdminEmail, password: *flagAdminPassword}
		if *flagUserEmail != "" {
			s.users["bob"] = &user{email: *flagUserEmail, password: *flagUserPassword}
		}
	}
	if _, ok := settings["setup"]; ok {
		delete(s.users, "admin")
		delete(s.users, "bob")
		return s
	}
	for name, u := range s.users {
		if u.email == "" {
			continue
		}
		login := call[wire.Login](t, s, "anonymous", "POST", "/session/token", wire.LoginRequest{Email: u.email, Password: u.password})
		if login.Data == nil {
			t.Fatalf("%s cannot sign in: %+v", name, login)
		}
		u.token, u.refresh = login.Data.Token.AccessToken, login.Data.Token.RefreshToken
	}
	s.chunk = s.probeChunk(t)
	return s
}

// connectLocal gives a fresh server in this process, for tests that would leave
// traces on another one.
func connectLocal(t *testing.T, settings map[string]string) *server {
	t.Helper()
	if *flagTarget != "" {
		t.Skip("needs a server in this process")
	}
	return connect(t, settings)
}

// probeChunk asks for the chunk size by beginning an upload.
func (s *server) probeChunk(t *testing.T) int64 {
	t.Helper()
	uri := "cloudreve://my/probe" + strings.Map(func(r rune) rune { return 'a' + r - '0' }, fmt.Sprint(time.Now().UnixNano())) + ".txt"
	r := call[wire.UploadTicket](t, s, "admin", "PUT", "/file/upload", wire.CreateUploadRequest{URI: uri, Size: 1})
	if r.Data == nil {
		t.Fatalf("cannot begin an upload: %+v", r)
	}
	call[wire.None](t, s, "admin", "DELETE", "/file/upload", wire.DeleteUploadRequest{ID: r.Data.SessionID, URI: uri})
	return r.Data.ChunkSize
}

// advance moves the server's clock and lets it do what is due.
func (s *server) advance(t *testing.T, d time.Duration) {
	t.Helper()
	s.running.advance(t, d)
	s.url = s.running.url
}

// restart ends the server and starts another one on the same data.
func (s *server) restart(t *testing.T) {
	t.Helper()
	s.running.restart(t)
	s.url = s.running.url
}

// call makes a JSON call outside of the cases.
func call[T any](t *testing.T, s *server, as, method, path string, body any) wire.Reply[T] {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, s.url+prefix+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token := s.users[as].token; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	got, err := send(req)
	if err != nil {
		t.Fatal(err)
	}
	var r wire.Reply[T]
	if err := json.Unmarshal(got.body, &r); err != nil {
		t.Fatalf("%s %s: %d %.300s: %v", method, path, got.status, got.body, err)
	}
	return r
}

// folders makes a folder of n empty ones.
func (s *server) folders(t *testing.T, n int, uri string) {
	t.Helper()
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < n; i += 8 {
				r := call[wire.File](t, s, "admin", "POST", "/file/create", wire.CreateFileRequest{Type: "folder", URI: fmt.Sprintf("%s/%d", uri, i)})
				if r.Code != 0 {
					t.Errorf("cannot make folder %d: %+v", i, r)
				}
			}
		})
	}
	all.Wait()
}
