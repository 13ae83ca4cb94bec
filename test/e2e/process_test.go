package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

const (
	adminEmail    = "admin@wharf.test"
	adminPassword = "a long enough password 1"
)

// server is a wharf serve process that can be killed and started again on the same
// data and the same port.
type server struct {
	t    *testing.T
	data string
	addr string
	db   string // address of a PostgreSQL database; "": SQLite in data
	log  *os.File

	mu    sync.Mutex
	cmd   *exec.Cmd
	exit  chan struct{} // closed when cmd has ended
	kills int
	over  bool // the test has ended: do not start again
}

func newServer(t *testing.T) *server {
	t.Helper()

	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, data: filepath.Join(dir, "data"), addr: freeAddr(t), log: log}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.over = true
		s.killLocked()
		_ = log.Close()
		if t.Failed() {
			t.Logf("the server's log ends with:\n%s", tail(log.Name(), 6<<10))
		}
	})
	return s
}

func (s *server) url() string { return "http://" + s.addr }

// start starts the process and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.startLocked(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) startLocked() error {
	cmd := exec.Command(wharfBin, "serve", "--data", s.data, "--listen", s.addr)
	cmd.Env = environment(s.t, "WHARF_DATABASE="+s.db, "WHARF_ADMIN_EMAIL="+adminEmail, "WHARF_ADMIN_PASSWORD="+adminPassword)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	exit := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exit) }()
	s.cmd, s.exit = cmd, exit

	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-exit:
			return fmt.Errorf("the server ended while starting: %v\n%s", cmd.ProcessState, tail(s.log.Name(), 4<<10))
		default:
		}
		resp, err := http.Get(s.url() + "/api/v4/site/ping") //nolint:noctx // the loop has the deadline
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("the server did not answer within a minute")
}

// kill ends the process with SIGKILL: it gets no chance to tidy up.
func (s *server) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills++
	s.killLocked()
}

func (s *server) killLocked() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exit
	s.cmd = nil
}

// bounce kills the process and, after the pause, starts it again on its own.
func (s *server) bounce(pause time.Duration) {
	s.kill()
	go func() {
		time.Sleep(pause)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.over {
			return
		}
		if err := s.startLocked(); err != nil {
			s.t.Errorf("starting again after a kill: %v", err)
		}
	}()
}

// admin runs a server-side command on the data folder.
func (s *server) admin(args ...string) {
	s.t.Helper()

	cmd := exec.Command(wharfBin, append(args, "--data", s.data)...)
	cmd.Env = environment(s.t, "WHARF_DATABASE="+s.db)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("wharf %v: %v\n%s", args, err, out)
	}
}

// databases runs a test on SQLite and, where there is a server for tests, on PostgreSQL.
func databases(t *testing.T, run func(t *testing.T, db string)) {
	t.Run("SQLite", func(t *testing.T) { run(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, storetest.PostgresURL(t).Reveal()) })
}

// cli is one person's client: its sign-in is kept in a file of its own.
type cli struct {
	t      *testing.T
	config string

	mu      sync.Mutex
	running *exec.Cmd
}

func newCLI(t *testing.T, url string) *cli {
	t.Helper()

	dir := t.TempDir()
	c := &cli{t: t, config: filepath.Join(dir, "config.json")}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(adminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must("login", url, "--email", adminEmail, "--password-file", password)
	return c
}

// result is how a client process ended.
type result struct {
	code   int // −1: killed
	output string
}

// run runs one command to its end.
func (c *cli) run(args ...string) result {
	c.t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, wharfBin, args...)
	cmd.Env = environment(c.t, "WHARF_CONFIG="+c.config)
	cmd.Stdout, cmd.Stderr = &out, &out

	c.mu.Lock()
	err := cmd.Start()
	c.running = cmd
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	_ = cmd.Wait()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = nil
	return result{cmd.ProcessState.ExitCode(), out.String()}
}

// must runs one command that has to succeed.
func (c *cli) must(args ...string) string {
	c.t.Helper()

	r := c.run(args...)
	if r.code != 0 {
		c.t.Fatalf("wharf %v: exit %d\n%s", args, r.code, r.output)
	}
	return r.output
}

// kill ends the running command with SIGKILL.
func (c *cli) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		_ = c.running.Process.Kill()
	}
}

// environment is what a process of ours gets: nothing of the machine's own settings.
func environment(t *testing.T, extra ...string) []string {
	t.Helper()
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()}, extra...)
}

func freeAddr(t *testing.T) string {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}
