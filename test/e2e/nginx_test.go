package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// nginx starts one in front of a server and returns its address. Nothing is set
// that it does not need to start: its limits are those it comes with.
func nginx(t *testing.T, srv *rig.Server) string {
	t.Helper()

	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx" // not in everybody's PATH
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("there is no nginx on this machine: scripts/setup packages installs it")
	}
	dir := t.TempDir()
	addr := rig.FreeAddr(t)
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // the folder of the test is root's alone
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(`%s
daemon off;
pid %s/pid;
error_log %s/error.log;
events {}
http {
access_log off;
%s
server { listen %s; location / { proxy_pass %s; } }
}
`, user, dir, dir, temp.String(), addr, srv.URL())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", conf)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // the master takes its workers along
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx says:\n%s", rig.Tail(filepath.Join(dir, "error.log"), 2<<10))
		}
	})
	for range 500 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return "http://" + addr
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nginx does not listen")
	return ""
}

// TestThroughNginxAsItComes sends a file in chunks of 25 MiB through a proxy that
// takes bodies of 1 MiB. What went directly before is not sent again.
func TestThroughNginxAsItComes(t *testing.T) {
	long(t)

	size := int64(64 << 20)
	if os.Getenv("WHARF_E2E_SIZE") != "" {
		size = bigSize(t)
	}
	size += 4097
	dir := t.TempDir()
	big := filepath.Join(dir, "big.bin")
	want := randomFile(t, big, size, seed(t))

	srv := rig.NewServer(t)
	srv.Start()
	direct := newProxy(t, srv.URL())
	front := newProxy(t, nginx(t, srv))
	person := newCLI(t, direct.url)
	direct.at(size/8, person.kill)
	if r := person.run("put", big, "/"); r.code == 0 {
		t.Fatalf("the first run sent the whole:\n%s", r.output)
	}
	before := direct.safe()

	other := newCLI(t, front.url)
	began := time.Now()
	said := other.must("put", big, "/")
	took := time.Since(began)
	acknowledged, posts, passed := front.totals()
	t.Logf("%d bytes: %d were safe before; through nginx %d in %d pieces and %d tries, %.1f s (%.0f MB/s)\n%s",
		size, before, passed, acknowledged, posts, took.Seconds(), float64(passed)/1e6/took.Seconds(), said)

	if !strings.Contains(said, "(nginx") || !strings.Contains(said, "pieces of 960 KiB are used") {
		t.Errorf("does not say what limits it:\n%s", said)
	}
	if !strings.Contains(said, "goes on at") {
		t.Errorf("began anew:\n%s", said)
	}
	// What nginx refuses it reads all the same.
	if most := size - before + int64(posts-acknowledged)*(2<<20); passed > most {
		t.Errorf("%d bytes passed, %d were missing", passed, size-before)
	}
	if posts-acknowledged > 10 {
		t.Errorf("%d of %d bodies were for nothing", posts-acknowledged, posts)
	}
	for _, p := range []*proxy{direct, front} {
		for _, line := range p.sentAgain() {
			t.Error(line)
		}
	}
	api := rig.NewAPI(t, srv.URL())
	if got, err := api.Sum("cloudreve://my/big.bin"); err != nil || got != want {
		t.Errorf("the API gives SHA-256 %s, %v; sent was %s", got, err, want)
	}
	if n := len(api.Unfinished()); n != 0 {
		t.Errorf("%d uploads are unfinished", n)
	}

	// The next command knows the limit: nothing is refused any more.
	small := filepath.Join(dir, "next.bin")
	randomFile(t, small, 8<<20, seed(t)+1)
	_, posts, _ = front.totals()
	was := acknowledged
	said = other.must("put", small, "/")
	acknowledged, again, _ := front.totals()
	if again-posts != acknowledged-was || !strings.Contains(said, "(nginx") {
		t.Errorf("%d bodies for %d pieces; says\n%s", again-posts, acknowledged-was, said)
	}
}
