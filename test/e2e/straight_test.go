package e2e_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/gateway"
	"github.com/wharfinger/wharfinger/test/emu/vendors"
	"github.com/wharfinger/wharfinger/test/rig"
)

// door is the way of a client to a store: a proxy of it, by its own address or as
// HTTP_PROXY. It notes the parts that pass.
type door struct {
	*proxy
	next  http.Handler
	close func()          // nobody gets through any more
	old   map[string]bool // parts that were told that their address has expired, as all are; nil: none is
}

func newDoor(t *testing.T, next http.Handler) *door {
	t.Helper()
	d := &door{proxy: &proxy{}, next: next}
	server := httptest.NewUnstartedServer(d)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	d.close = sync.OnceFunc(server.Close)
	t.Cleanup(d.close)
	d.url = server.URL
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number := r.URL.Query().Get("partNumber")
	switch {
	case r.Method != http.MethodPut || number == "":
		d.next.ServeHTTP(w, r)
		return
	case d.expired(number):
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
		return
	}
	s := &sending{session: r.URL.Query().Get("uploadId"), index: number}
	d.mu.Lock()
	d.seq++
	s.started = d.seq
	d.chunks = append(d.chunks, s)
	d.mu.Unlock()
	r.Body = &counted{ReadCloser: r.Body, count: func(n int) { d.count(s, n) }}
	d.next.ServeHTTP(&outcome{w, func(status int) { d.taken(s, status) }}, r)
}

// expire has each part refused once from now on.
func (d *door) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.old = map[string]bool{}
}

func (d *door) expired(part string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.old == nil || d.old[part] {
		return false
	}
	d.old[part] = true
	return true
}

// taken notes what the store says of a part.
func (d *door) taken(s *sending, status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq++
	s.answered, s.status = d.seq, status
}

// outcome reports a status before it is passed on.
type outcome struct {
	http.ResponseWriter
	told func(status int)
}

func (o *outcome) Unwrap() http.ResponseWriter { return o.ResponseWriter }

func (o *outcome) WriteHeader(status int) {
	o.told(status)
	o.ResponseWriter.WriteHeader(status)
}

// store is one of a kind: how a policy is made of it, and what is in it.
type store struct {
	kind    string
	door    *door
	policy  []string
	behind  string // where it listens, if it has an address
	proxy   string // HTTP_PROXY of the server; the client's is the door
	objects func(t *testing.T) int
}

func openStore(t *testing.T, kind string) *store {
	t.Helper()
	s := &store{kind: kind}
	secret := filepath.Join(t.TempDir(), "secret")
	words := vendors.Secret
	if kind == "s3" {
		b := newBucket(t)
		words, s.behind = gateway.Secret, b.Addr
		to, err := url.Parse("http://" + b.Addr)
		if err != nil {
			t.Fatal(err)
		}
		s.door = newDoor(t, &httputil.ReverseProxy{
			Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
			ErrorLog:     log.New(io.Discard, "", 0),
		})
		s.policy = []string{
			"--endpoint", "http://" + b.Addr, "--public-endpoint", s.door.url, "--region", gateway.Region, "--bucket", "files",
			"--access-key", gateway.Access, "--path-style",
		}
		s.objects = func(t *testing.T) int { return len(b.objects(t)) }
	} else {
		e, err := vendors.Open(kind, vendors.Options{Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		direct := httptest.NewServer(e)
		t.Cleanup(direct.Close)
		s.proxy, s.door = direct.URL, newDoor(t, e)
		s.policy = []string{"--endpoint", e.Endpoint, "--region", e.Region, "--bucket", e.Bucket, "--access-key", vendors.Access}
		s.objects = func(*testing.T) int { all, _ := e.Shelf.List("", "", 1000); return len(all) }
	}
	if err := os.WriteFile(secret, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	s.policy = append([]string{"policy", "add", "Bucket", "--type", kind, "--secret-key-file", secret}, s.policy...)
	return s
}

// shop is a server whose files are in that store, and a person before it.
type shop struct {
	*testing.T
	*store
	srv    *rig.Server
	line   *proxy // between the person and the server
	person *cli
	api    *rig.API
	file   string
	sum    string
}

func openShop(t *testing.T, kind string) *shop {
	t.Helper()
	x := &shop{T: t, store: openStore(t, kind), srv: rig.NewServer(t)}
	if x.proxy != "" {
		x.srv.Wrap = func(argv []string) []string { return append([]string{"env", "HTTP_PROXY=" + x.proxy}, argv...) }
	}
	x.srv.Admin(x.policy...)
	x.srv.Admin("group", "set", "Admin", "--policy", "Bucket")
	x.srv.Start()
	x.line = newProxy(t, x.srv.URL())
	x.person = newCLI(t, x.line.url)
	x.person.env = []string{"HTTP_PROXY=" + x.door.url}
	x.api = rig.NewAPI(t, x.srv.URL())
	if to, err := url.Parse(x.proxy); err == nil && x.proxy != "" {
		x.api.HTTP.Transport = &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Host == strings.TrimPrefix(x.srv.URL(), "http://") {
				return nil, nil
			}
			return to, nil
		}}
	}
	x.file = filepath.Join(t.TempDir(), "big")
	x.sum = randomFile(t, x.file, straightSize, seed(t))
	return x
}

const (
	straightSize = 300<<20 + 12345
	straightPart = 25 << 20
)

// arrived checks that the file is there, once, with the right bytes, which all went
// straight and of which none were sent again that the store had said it has; more is
// how many bytes may have been on their way in vain.
func (x *shop) arrived(more int64) {
	x.Helper()
	if got := download(x.T, x.api, "cloudreve://my")["big"]; got != x.sum {
		x.Errorf("SHA-256 %s came back, %s was sent", got, x.sum)
	}
	if n := x.objects(x.T); n != 1 {
		x.Errorf("%d objects in the bucket", n)
	}
	if _, posts, _ := x.line.totals(); posts > 0 {
		x.Errorf("%d chunks went through the server", posts)
	}
	if _, _, passed := x.door.totals(); passed < straightSize || passed > straightSize+more {
		x.Errorf("%d bytes went straight, of %d:\n%s", passed, straightSize, x.door.history())
	}
	if x.Failed() {
		x.Logf("files: %+v\nparts:\n%s", x.api.List("cloudreve://my"), x.door.history())
	}
	// A part that breaks off may come over one that versitygw had answered before.
	if again := x.door.sentAgain(); len(again) > 0 && x.kind != "s3" {
		x.Errorf("sent again: %s", strings.Join(again, "\n"))
	}
	if used, reserved := x.api.Capacity(); used != straightSize || reserved != 0 {
		x.Errorf("used %d, reserved %d", used, reserved)
	}
}

// TestTheCommandLineGoesStraightToEachStore sends a file of 300 MiB past the server.
func TestTheCommandLineGoesStraightToEachStore(t *testing.T) {
	long(t)
	for _, kind := range []string{"s3", "ks3", "cos", "obs", "oss"} {
		t.Run(kind, func(t *testing.T) {
			t.Run("the_callback_is_lost", func(t *testing.T) {
				x := openShop(t, kind)
				x.line.deaf.Store(2) // calls of the client; the store's own are lost too
				x.person.must("put", x.file, "/")
				x.arrived(0)
			})
			t.Run("the_server_is_killed", func(t *testing.T) {
				x := openShop(t, kind)
				x.door.at(straightSize/3, func() { x.srv.Bounce(0) })
				x.door.at(straightSize-1, func() { x.srv.Bounce(0) })
				x.person.must("put", x.file, "/")
				x.arrived(0)
				if n := x.srv.Kills(); n != 2 {
					t.Errorf("the server was killed %d times", n)
				}
			})
			t.Run("the_client_is_killed", func(t *testing.T) {
				x := openShop(t, kind)
				x.door.at(straightSize/3, x.person.kill)
				x.door.at(straightSize*2/3, x.person.kill)
				if runs := putUntilDone(t, x.person, x.file, "/"); runs != 3 {
					t.Errorf("it took %d runs", runs)
				}
				x.arrived(2 * 16 * straightPart)
			})
		})
	}
}

// TestExpiredAddressesOfAStoreAreRenewedOnTheWay has some parts refused as too late.
func TestExpiredAddressesOfAStoreAreRenewedOnTheWay(t *testing.T) {
	long(t)
	for _, kind := range []string{"s3", "cos", "obs", "oss"} {
		t.Run(kind, func(t *testing.T) {
			x := openShop(t, kind)
			x.door.at(straightSize/4, x.door.expire)
			x.person.must("put", x.file, "/")
			x.arrived(0)
			if len(x.door.old) == 0 {
				t.Error("no address was refused")
			}
		})
	}
}

// TestTheCommandLineGoesThroughTheServerWhereTheStoreIsOutOfReach, says so, and does not
// where it is told not to.
func TestTheCommandLineGoesThroughTheServerWhereTheStoreIsOutOfReach(t *testing.T) {
	long(t)
	x := openShop(t, "s3")
	x.door.close()
	r := x.person.run("put", "--way", "straight", "--give-up-after", "1s", x.file, "/")
	if r.code == 0 || !strings.Contains(r.output, "the store cannot be reached") {
		t.Errorf("told to go straight it ended with %d:\n%s", r.code, r.output)
	}
	out := x.person.must("put", x.file, "/")
	x.api.HTTP.Transport = &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		if "http://"+to == x.door.url {
			to = x.behind // we are where the store can be reached
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}}
	if !strings.Contains(out, "the bytes go through the server: ") || !strings.Contains(out, "connection refused") {
		t.Errorf("it does not say why the bytes go through the server:\n%s", out)
	}
	if got := download(t, x.api, "cloudreve://my")["big"]; got != x.sum {
		t.Errorf("SHA-256 %s came back, %s was sent", got, x.sum)
	}
	if chunks, _, _ := x.line.totals(); chunks == 0 {
		t.Error("no chunk went through the server")
	}
	if n := x.objects(t); n != 1 {
		t.Errorf("%d objects in the bucket", n)
	}
}

// TestTheCommandLineGoesThroughTheServerWhenToldTo also where the store is in reach.
func TestTheCommandLineGoesThroughTheServerWhenToldTo(t *testing.T) {
	long(t)
	x := openShop(t, "s3")
	x.person.must("put", "--way", "relay", x.file, "/")
	if got := download(t, x.api, "cloudreve://my")["big"]; got != x.sum {
		t.Errorf("SHA-256 %s came back, %s was sent", got, x.sum)
	}
	if _, parts, _ := x.door.totals(); parts > 0 {
		t.Errorf("%d parts went straight", parts)
	}
	if chunks, _, _ := x.line.totals(); chunks == 0 {
		t.Error("no chunk went through the server")
	}
	if n := x.objects(t); n != 1 {
		t.Errorf("%d objects in the bucket", n)
	}
}
