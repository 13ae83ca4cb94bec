package rig

import (
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
)

// The administrator of every server here.
const (
	AdminEmail    = "admin@wharf.test"
	AdminPassword = "a long enough password 1"
)

// Server is a wharf serve process that can be killed and started again on the same
// data and the same port.
type Server struct {
	Data     string
	Database string                       // address of a PostgreSQL database; "": SQLite in Data
	Wrap     func(argv []string) []string // what to run instead of the plain command; nil: the command
	Pause    time.Duration                // between two looks whether it answers yet
	t        *testing.T
	addr     string
	log      *os.File

	mu    sync.Mutex
	cmd   *exec.Cmd
	exit  chan struct{} // closed when cmd has ended
	kills int
	over  bool // the test has ended: do not start again
}

// NewServer prepares a server with empty data. It ends with the test.
func NewServer(t *testing.T) *Server {
	t.Helper()

	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Data: filepath.Join(dir, "data"), Pause: 20 * time.Millisecond, addr: FreeAddr(t), log: log}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.over = true
		s.killLocked()
		_ = log.Close()
		if t.Failed() {
			t.Logf("the server's log ends with:\n%s", Tail(log.Name(), 6<<10))
		}
	})
	return s
}

// URL is where the server answers.
func (s *Server) URL() string { return "http://" + s.addr }

// Kills is how often Kill was called.
func (s *Server) Kills() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kills
}

// Log returns the end of what the server wrote.
func (s *Server) Log(n int) string { return Tail(s.log.Name(), n) }

// PID is the process of the server, or of what wraps it.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Start starts the process and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.TryStart(); err != nil {
		s.t.Fatal(err)
	}
}

// TryStart is Start where the process may well die.
func (s *Server) TryStart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startLocked()
}

func (s *Server) startLocked() error {
	argv := []string{Binary, "serve", "--data", s.Data, "--listen", s.addr}
	if s.Wrap != nil {
		argv = s.Wrap(argv)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(Environment(s.t), "WHARF_DATABASE="+s.Database, "WHARF_ADMIN_EMAIL="+AdminEmail, "WHARF_ADMIN_PASSWORD="+AdminPassword)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return err
	}
	exit := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exit) }()
	s.cmd, s.exit = cmd, exit

	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(s.Pause) {
		select {
		case <-exit:
			return fmt.Errorf("the server ended while starting: %v\n%s", cmd.ProcessState, Tail(s.log.Name(), 4<<10))
		default:
		}
		resp, err := client.Get(s.URL() + "/api/v4/site/ping") //nolint:noctx // the client has a deadline
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

// Exited is closed when the running process has ended.
func (s *Server) Exited() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit
}

// Kill ends the process with SIGKILL: it gets no chance to tidy up.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kills++
	s.killLocked()
}

func (s *Server) killLocked() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exit
	s.cmd = nil
}

// Bounce kills the process and, after the pause, starts it again on its own.
func (s *Server) Bounce(pause time.Duration) {
	s.Kill()
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

// Admin runs a server-side command on the data folder.
func (s *Server) Admin(args ...string) {
	s.t.Helper()

	cmd := exec.Command(Binary, append(args, "--data", s.Data)...)
	cmd.Env = append(Environment(s.t), "WHARF_DATABASE="+s.Database)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("wharf %v: %v\n%s", args, err, out)
	}
}

// Environment is what a process of ours gets: nothing of the machine's own settings.
func Environment(t *testing.T) []string {
	t.Helper()
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()}
}

// FreeAddr returns an address that nobody listens on.
func FreeAddr(t *testing.T) string {
	t.Helper()

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// Tail returns the last n bytes of a file, or why it cannot be read.
func Tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-n):])
}
