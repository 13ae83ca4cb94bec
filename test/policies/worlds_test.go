package policies_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/test/emu/gateway"
	"github.com/wharfinger/wharfinger/test/emu/oss"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
	"github.com/wharfinger/wharfinger/test/emu/vendors"
)

// worlds are the kinds of stores. Each is started anew for each case.
var worlds = []struct {
	kind     string
	start    func(*testing.T, needs) store
	emulated bool // it can be told to misbehave: store.front
}{
	{"s3", startGateway("s3"), false},
	{"ks3", startEmulator("ks3", told), true},
	{"cos", startEmulator("cos", cosUses), true},
	{"obs", startEmulator("obs", tells), true},
	{"oss", startEmulator("oss", ossUses), true},
}

// needs is what a store may be made of.
type needs struct {
	clock core.Clock
	out   http.RoundTripper // to the server under test, for stores that call back
}

// store is one that runs, and how existing clients use it.
type store struct {
	policy  app.NewPolicy                                 // without what the case decides
	host    string                                        // that the names of policy lead to, if it is not where it listens
	addr    string                                        // where it listens
	calls   string                                        // the method of its callback
	itself  bool                                          // it makes the callback
	headers http.Header                                   // that the completion is sent with, beside the type of its content
	bare    bool                                          // the completion has no list of parts
	keys    string                                        // the host that has the keys of its callbacks
	sign    func(address string, body []byte) http.Header // that its callbacks have; nil where it does not sign
	objects func() int                                    // finished
	open    func() int                                    // unfinished uploads
	age     func(*place, time.Duration)                   // makes what it has older; it may be the clock that goes on
	front   *shelf.Front                                  // of an emulator
}

// startGateway starts a real store of the S3 family.
func startGateway(kind string) func(*testing.T, needs) store {
	return func(t *testing.T, _ needs) store {
		t.Helper()
		root := t.TempDir()
		dir := filepath.Join(root, "files")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		server, err := gateway.Start(root, "")
		if err != nil {
			t.Skip(err)
		}
		t.Cleanup(server.Stop)
		return store{
			policy: app.NewPolicy{
				Type: kind, Endpoint: "http://" + server.Addr, Region: gateway.Region, Bucket: "files", PathStyle: true,
				AccessKey: gateway.Access, SecretKey: gateway.Secret,
			},
			calls: http.MethodGet,
			age: func(p *place, by time.Duration) { // it compares our clock with its own
				count(p.T, dir, func(path string) bool {
					at := time.Now().Add(-by)
					return os.Chtimes(path, at, at) == nil
				})
			},
			objects: func() int { return count(t, dir, func(path string) bool { return !strings.Contains(path, ".sgwtmp") }) },
			open: func() int {
				return count(t, dir, func(path string) bool { return strings.Contains(path, ".sgwtmp/multipart") })
			},
		}
	}
}

// count counts the files below a folder; what goes meanwhile does not count.
func count(t *testing.T, dir string, of func(string) bool) (n int) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && of(path) {
			n++
		}
		return nil
	})
	return n
}

// startEmulator starts the emulator of a vendor, as existing clients use it.
func startEmulator(kind string, uses func(*store)) func(*testing.T, needs) store {
	return func(t *testing.T, n needs) store {
		t.Helper()
		e, err := vendors.Open(kind, vendors.Options{Clock: n.clock, Calls: n.out})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(e)
		t.Cleanup(server.Close)
		s := store{
			policy: app.NewPolicy{
				Type: kind, Endpoint: e.Endpoint, Region: e.Region, Bucket: e.Bucket, AccessKey: vendors.Access, SecretKey: vendors.Secret,
			},
			front: e.Front, host: e.Host(), addr: server.Listener.Addr().String(), sign: e.Sign,
			age:     func(p *place, by time.Duration) { p.later.Add(int64(by)) },
			objects: func() int { all, _ := e.Shelf.List("", "", 1000); return len(all) },
			open:    func() int { all, _ := e.Shelf.Uploads("", "", "", 1000); return len(all) },
		}
		uses(&s)
		return s
	}
}

// told is a store to which clients say that an upload is complete.
func told(s *store) { s.calls = http.MethodGet }

func cosUses(s *store) {
	told(s)
	s.headers = http.Header{"X-Cos-Forbid-Overwrite": {"true"}}
}

// tells is a store that makes the callback itself.
func tells(s *store) { s.calls, s.itself = http.MethodPost, true }

func ossUses(s *store) {
	tells(s)
	s.bare, s.headers = true, http.Header{"X-Oss-Complete-All": {"yes"}, "X-Oss-Forbid-Overwrite": {"true"}}
	s.keys = oss.KeyHost
}
