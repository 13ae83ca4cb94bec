//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wharfinger/wharfinger/test/bench/load"
)

const ours = "wharf"

// peer is a server that can be started. DIR and ADDR stand for its folder and address.
type peer struct {
	name  string
	proto load.Proto
	modes []string
	ping  string // what any answer to shows that it serves; "": it speaks no HTTP
	cmd   []string
	env   []string
	prep  func(dir, addr string) error
	tls   bool
}

func peers(o options) []peer {
	stick := func(name, kind string, modes ...string) peer {
		p := peer{
			name: name, proto: load.Floor, modes: modes, ping: "/dl/none",
			cmd: []string{o.bin + "/floor", "-kind", kind, "-listen", "ADDR", "-dir", "DIR"},
		}
		if strings.HasPrefix(kind, "raw-") {
			p.proto, p.ping = load.Raw, ""
		}
		return p
	}
	wharf := peer{
		name: ours, proto: load.V4, modes: []string{"big", "small", "get", "hold", "start", "batch"}, ping: "/api/v4/site/ping",
		cmd: []string{o.bin + "/wharf", "serve", "--data", "DIR/data", "--listen", "ADDR", "--site-url", "http://ADDR", "--log", "warn"},
		env: []string{"WHARF_ADMIN_EMAIL=" + load.Email, "WHARF_ADMIN_PASSWORD=" + load.Password},
	}
	hashing := wharf
	hashing.name, hashing.modes = "wharf, SHA-256 too", []string{"big"}
	hashing.prep = func(dir, _ string) error {
		out, err := exec.Command(o.bin+"/wharf", "policy", "set", "local", "--sha256", "--data", dir+"/data").CombinedOutput()
		if err != nil {
			return fmt.Errorf("policy set: %w: %s", err, out)
		}
		return nil
	}
	nginx := peer{
		name: "nginx", proto: load.Put, modes: []string{"big", "small", "get", "hold", "start"}, ping: "/", prep: nginxConf,
		cmd: []string{o.nginx, "-e", "DIR/error.log", "-c", "DIR/nginx.conf"},
	}
	return []peer{
		stick("raw-splice-fsync", "raw-splice-fsync", "big"),
		stick("floor:splice-fsync", "splice-fsync", "big", "small"),
		stick("floor:group", "group", "big", "small"),
		stick("floor:seg", "seg", "small"),
		stick("floor:splice", "splice", "get", "hold"),
		nginx,
		{
			name: "versitygw", proto: load.S3, modes: []string{"big", "small", "get", "hold", "start"}, ping: "/",
			prep: func(dir, _ string) error { return os.MkdirAll(dir+"/gw", 0o755) },
			cmd: []string{
				o.bin + "/versitygw", "--access", load.S3Key, "--secret", load.S3Secret, "--port", "ADDR",
				"--quiet", "--keep-alive", "posix", "DIR/gw",
			},
		},
		wharf,
		hashing,
		secured(nginx),
		secured(wharf, "--tls-cert", "DIR/chain.pem", "--tls-key", "DIR/key.pem"),
	}
}

// secured is p with a certificate, for the one mode in which encryption is measured.
func secured(p peer, flags ...string) peer {
	prep := p.prep
	p.modes, p.tls, p.cmd = []string{"tls"}, true, slices.Concat(p.cmd, flags)
	for i, a := range p.cmd {
		p.cmd[i] = strings.Replace(a, "http://", "https://", 1)
	}
	p.prep = func(dir, addr string) error {
		if err := certify(dir); err != nil || prep == nil {
			return err
		}
		return prep(dir, addr)
	}
	return p
}

// certify writes a certificate of its own for the loopback, of the kind that is usual
// today: an elliptic curve, P-256.
func certify(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, b []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600)
	}
	return errors.Join(write("chain.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", secret))
}

func nginxConf(dir, addr string) error {
	for _, d := range []string{"root", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return err
		}
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // its workers write into our folder
	}
	if _, err := os.Stat(filepath.Join(dir, "chain.pem")); err == nil {
		addr += fmt.Sprintf(" ssl; ssl_certificate %[1]s/chain.pem; ssl_certificate_key %[1]s/key.pem", dir)
	}
	return os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, `%[3]s
worker_processes 2;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  client_max_body_size 0;
  client_body_temp_path %[1]s/tmp;
  client_body_buffer_size 64k;
  proxy_temp_path %[1]s/tmp1; fastcgi_temp_path %[1]s/tmp2; uwsgi_temp_path %[1]s/tmp3; scgi_temp_path %[1]s/tmp4;
  keepalive_requests 1000000;
  server {
    listen %[2]s;
    root %[1]s/root;
    location / { dav_methods PUT DELETE; create_full_put_path on; }
  }
}
`, dir, addr, user), 0o644)
}

// server is a peer that runs.
type server struct {
	peer
	dir, addr string
	target    load.Target
	cmd       *exec.Cmd
	ended     chan struct{}
	startMs   float64 // from exec to the first answer
}

// folder tells peers apart that have one name.
func (p peer) folder() string {
	if p.tls {
		return p.name + " tls"
	}
	return p.name
}

func (p peer) has(mode string) bool { return slices.Contains(p.modes, mode) }

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start starts the peer on a folder, made if it is not there.
func (p peer) start(dir string) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	_, err = os.Stat(dir)
	if fresh := errors.Is(err, os.ErrNotExist); fresh || p.name == "nginx" { // its file holds the address
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		if p.prep != nil {
			if err := p.prep(dir, addr); err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	s := &server{peer: p, dir: dir, addr: addr, ended: make(chan struct{})}
	if s.target, err = load.New(p.proto, s.at()); err != nil {
		return nil, err
	}
	return s, s.exec()
}

// at is the address as the generator takes it.
func (s *server) at() string {
	if s.tls {
		return load.Secure + s.addr
	}
	return s.addr
}

func (s *server) exec() error {
	argv := make([]string, len(s.peer.cmd))
	for i, a := range s.peer.cmd {
		argv[i] = strings.NewReplacer("DIR", s.dir, "ADDR", s.addr).Replace(a)
	}
	out, err := os.Create(filepath.Join(s.dir, "server.log"))
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, out, out
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + os.TempDir()}, s.env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	t0 := time.Now()
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	go func() { _ = s.cmd.Wait(); close(s.ended) }() // how it ended is in its log
	if err := s.await(t0.Add(30 * time.Second)); err != nil {
		s.stop()
		log, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", s.name, err, log)
	}
	s.startMs = float64(time.Since(t0).Microseconds()) / 1000
	return nil
}

// await returns when the server answers.
func (s *server) await(deadline time.Time) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}}
	scheme := "http://"
	if s.tls {
		scheme = "https://"
	}
	for ; time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		select {
		case <-s.ended:
			return errors.New("ended while starting")
		default:
		}
		c, err := net.DialTimeout("tcp", s.addr, time.Second)
		if err != nil {
			continue
		}
		_ = c.Close()
		if !load.OwnsPort(load.Processes(s.cmd.Process.Pid), s.addr) {
			return fmt.Errorf("somebody else listens on %s", s.addr)
		}
		if s.ping == "" {
			return nil
		}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, scheme+s.addr+s.ping, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if s.proto != load.V4 || resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("no answer")
}

func (s *server) stop() {
	select {
	case <-s.ended:
		return
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *server) run(dir string, round int) load.Run {
	return load.Run{Target: s.target, Addr: s.at(), PID: s.cmd.Process.Pid, Dir: dir, Round: round}
}

// sweep removes large files of earlier rounds. Our own server keeps its files: what it
// has acknowledged is not taken away behind its back.
func (s *server) sweep() error {
	if s.proto == load.V4 {
		return nil
	}
	return filepath.WalkDir(s.dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.Contains(name, ".db") || d.Name() == "segment" || d.Name() == "server.log" {
			return err
		}
		i, err := d.Info()
		if err == nil && i.Size() >= 512<<10 {
			err = os.Remove(name)
		}
		return err
	})
}
