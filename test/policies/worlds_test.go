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
	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/gateway"
	"github.com/wharfinger/wharfinger/test/emu/ks3"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// worlds are the kinds of stores. Each is started anew for each case.
var worlds = []struct {
	kind     string
	start    func(*testing.T, needs) store
	emulated bool // it can be told to misbehave: store.front
}{
	{"s3", startGateway("s3"), false},
	{"ks3", startKS3, true},
	{"cos", startCOS, true},
	{"obs", startOBS, true},
	{"oss", startOSS, true},
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

func startCOS(t *testing.T, n needs) store {
	t.Helper()
	e := cos.New(cos.Options{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: "AKIDexample", SecretKey: "not a secret", Clock: n.clock})
	s := emulated(t, e.Front, e.Host(), e.Shelf)
	s.policy.Type, s.policy.Region, s.policy.Bucket = "cos", "ap-guangzhou", "files-1250000000"
	s.calls, s.headers = http.MethodGet, http.Header{"X-Cos-Forbid-Overwrite": {"true"}}
	return s
}

func startKS3(t *testing.T, n needs) store {
	t.Helper()
	e := ks3.New(ks3.Options{Bucket: "files", Region: "BEIJING", AccessKey: "AKIDexample", SecretKey: "not a secret", Clock: n.clock})
	s := emulated(t, e.Front, e.Host(), e.Shelf)
	s.policy.Type, s.policy.Region, s.policy.Bucket = "ks3", "BEIJING", "files"
	s.policy.Endpoint = "http://" + strings.TrimPrefix(e.Host(), "files.")
	s.calls = http.MethodGet
	return s
}

func startOBS(t *testing.T, n needs) store {
	t.Helper()
	e := obs.New(obs.Options{Bucket: "files", Region: "cn-north-4", AccessKey: "AKIDexample", SecretKey: "not a secret", Clock: n.clock, Calls: n.out})
	s := emulated(t, e.Front, e.Host(), e.Shelf)
	s.policy.Type, s.policy.Region, s.policy.Bucket = "obs", "cn-north-4", "files"
	s.calls, s.itself = http.MethodPost, true
	return s
}

func startOSS(t *testing.T, n needs) store {
	t.Helper()
	e := oss.New(oss.Options{Bucket: "files", Region: "cn-hangzhou", AccessKey: "AKIDexample", SecretKey: "not a secret", Clock: n.clock, Calls: n.out})
	s := emulated(t, e.Front, e.Host(), e.Shelf)
	s.policy.Type, s.policy.Region, s.policy.Bucket = "oss", "cn-hangzhou", "files"
	s.calls, s.itself = http.MethodPost, true
	s.bare, s.headers = true, http.Header{"X-Oss-Complete-All": {"yes"}, "X-Oss-Forbid-Overwrite": {"true"}}
	s.keys, s.sign = oss.KeyHost, e.Sign
	return s
}

func emulated(t *testing.T, e *shelf.Front, host string, s *shelf.Shelf) store {
	t.Helper()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return store{
		policy:  app.NewPolicy{Endpoint: "http://" + host, AccessKey: "AKIDexample", SecretKey: "not a secret"},
		front:   e,
		host:    host,
		addr:    server.Listener.Addr().String(),
		age:     func(p *place, by time.Duration) { p.later.Add(int64(by)) },
		objects: func() int { all, _ := s.List("", "", 1000); return len(all) },
		open:    func() int { all, _ := s.Uploads("", "", "", 1000); return len(all) },
	}
}
