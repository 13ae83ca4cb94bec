package gateway

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Version of the server, as in the Makefile.
const Version = "v1.8.0"

// Who may do everything.
const (
	Access = "AKIAGATEWAYFORTESTS1"
	Secret = "tests+only/not=a=secret"
	Region = "us-east-1"
)

// ErrMissing says that the program is not there.
var ErrMissing = errors.New("no versitygw: set WHARF_TEST_S3GW to its path, or put it where scripts/tool does")

// Server is one that runs.
type Server struct {
	Addr string // host:port on loopback
	cmd  *exec.Cmd
}

// Path returns where the program is.
func Path() (string, error) {
	if p := os.Getenv("WHARF_TEST_S3GW"); p != "" {
		return p, nil
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		cache = filepath.Join(home, ".cache")
	}
	p := filepath.Join(cache, "wharfinger-tools", "versitygw@"+Version, "versitygw")
	if _, err := os.Stat(p); err != nil { //nolint:gosec // the user's own cache
		return "", fmt.Errorf("%w (%w)", ErrMissing, err)
	}
	return p, nil
}

// Start serves dir; a folder in it is a bucket. Where domain is not empty, a
// request to the host bucket.domain is for that bucket.
func Start(dir, domain string) (*Server, error) {
	path, err := Path()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	args := []string{"--access", Access, "--secret", Secret, "--region", Region, "--port", addr, "--quiet", "--keep-alive"}
	if domain != "" {
		args = append(args, "--virtual-domain", domain)
	}
	cmd := exec.Command(path, append(args, "posix", dir)...) //nolint:gosec // the program that was asked for
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &Server{Addr: addr, cmd: cmd}
	for range 200 {
		c, dialed := net.DialTimeout("tcp", addr, time.Second)
		if err = dialed; err == nil {
			return s, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.Stop()
	return nil, fmt.Errorf("versitygw does not answer: %w", err)
}

// Stop ends the server.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
