package chaos_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// postgres is a server of its own, whose data is wherever a test wants it.
type postgres struct {
	t    *testing.T
	bin  string
	data string
	port string
	log  *os.File
	as   *syscall.SysProcAttr
	cmd  *exec.Cmd
	exit chan struct{}
}

// newPostgres makes the data directory in dir; it skips the test where PostgreSQL is not
// installed.
func newPostgres(t *testing.T, dir string) *postgres {
	t.Helper()

	p := &postgres{t: t, data: filepath.Join(dir, "pg")}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) == 0 {
		t.Skip("PostgreSQL is not installed")
	}
	slices.Sort(all)
	p.bin = filepath.Dir(all[len(all)-1])
	p.as = &syscall.SysProcAttr{}
	if err := os.Mkdir(p.data, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // it refuses to run as root
		owner, err := user.Lookup("postgres")
		if err != nil {
			t.Skipf("there is no user for PostgreSQL: %v", err)
		}
		uid, _ := strconv.Atoi(owner.Uid)
		gid, _ := strconv.Atoi(owner.Gid)
		p.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.data, uid, gid); err != nil {
			t.Fatal(err)
		}
		p.walkable(dir)
	}
	var err error
	if p.log, err = os.Create(filepath.Join(t.TempDir(), "postgres.log")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		_ = p.log.Close()
		if t.Failed() {
			t.Logf("PostgreSQL's log ends with:\n%s", rig.Tail(p.log.Name(), 4<<10))
		}
	})
	initdb := exec.Command(filepath.Join(p.bin, "initdb"), "-D", p.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
	initdb.Dir, initdb.SysProcAttr = "/", p.as
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	_, p.port, err = net.SplitHostPort(rig.FreeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	p.start()
	return p
}

// walkable lets the server's user walk to dir. Only what tests have made is changed.
func (p *postgres) walkable(dir string) {
	p.t.Helper()
	ours := []string{os.TempDir(), os.Getenv("WHARF_CHAOS_DIR")}
	for up := dir; len(up) > 1; up = filepath.Dir(up) {
		st, err := os.Stat(up)
		if err != nil {
			p.t.Fatal(err)
		}
		if st.Mode()&0o001 != 0 {
			continue
		}
		if !slices.ContainsFunc(ours, func(base string) bool { return base != "" && strings.HasPrefix(up, base+"/") }) {
			p.t.Skipf("the user of PostgreSQL cannot walk through %s", up)
		}
		if err := os.Chmod(up, st.Mode()|0o011); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *postgres) url() string {
	return "postgres://postgres@127.0.0.1:" + p.port + "/postgres?sslmode=disable"
}

// start runs it and waits until it has recovered and answers.
func (p *postgres) start() {
	p.t.Helper()
	_ = os.Remove(filepath.Join(p.data, "postmaster.pid")) // of a machine that has lost its power
	p.cmd = exec.Command(filepath.Join(p.bin, "postgres"), "-D", p.data, "-p", p.port,
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=on", "-c", "full_page_writes=on",
		"-c", "synchronous_commit=on", "-c", "shared_buffers=16MB", "-c", "max_wal_size=48MB", "-c", "min_wal_size=32MB")
	p.cmd.Dir, p.cmd.SysProcAttr, p.cmd.Stdout, p.cmd.Stderr = "/", p.as, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.exit = make(chan struct{})
	go func(cmd *exec.Cmd, exit chan struct{}) { _ = cmd.Wait(); close(exit) }(p.cmd, p.exit)
	for range 600 {
		ready := exec.Command(filepath.Join(p.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", p.port)
		if ready.Run() == nil {
			return
		}
		select {
		case <-p.exit:
			p.t.Fatalf("PostgreSQL has ended:\n%s", rig.Tail(p.log.Name(), 4<<10))
		case <-time.After(50 * time.Millisecond):
		}
	}
	p.t.Fatal("PostgreSQL does not answer")
}

// kill ends it and all its children with SIGKILL.
func (p *postgres) kill() {
	if p.cmd == nil {
		return
	}
	all := append(children(p.cmd.Process.Pid), p.cmd.Process.Pid)
	for _, pid := range all {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			p.t.Errorf("killing PostgreSQL: %v", err)
		}
	}
	<-p.exit
	p.cmd = nil
}

// children are the processes whose parent is pid.
func children(pid int) (all []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
		f := strings.Fields(rest)
		if len(f) > 1 && f[1] == strconv.Itoa(pid) {
			id, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			all = append(all, id)
		}
	}
	return all
}

// TestOnPostgreSQLNothingAcknowledgedIsLostByAPowerCut cuts the power of the
// disk that has both the bytes and the data directory of PostgreSQL.
func TestOnPostgreSQLNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	for _, c := range []struct {
		flag           uint32
		left           string
		short, release int
	}{{nothing, "nothing", 2, 35}, {journalOnly, "the journal", 1, 15}} {
		t.Run(c.left+" is flushed", func(t *testing.T) {
			processes(t)
			n := amount(t, "PGCUTS", c.short, c.release)
			rnd, seed := seeded(t)
			d := newDisk(t, "ext4", 768<<20)
			p := newPostgres(t, d.dir)
			w := prepareWorld(t, d.dir, rnd, seed)
			w.srv.Database = p.url()
			w.begin()
			defer func() { report(t, seed, w.counts) }()
			defer func() { // before the disk is unmounted
				w.srv.Kill()
				p.kill()
			}()
			for cycle := range n {
				progress(t, cycle, n)
				w.cutWhileWorking(d, c.flag)
				w.srv.Kill()
				p.kill()
				d.remount()
				p.start()
				w.srv.Start()
				w.count("power cuts", 1)
				w.judge()
				w.probe(50)
				w.fail(fmt.Sprintf("after cut %d", cycle+1))
			}
			w.enough(n)
			w.srv.Kill()
			p.kill()
			d.check()
		})
	}
}

// TestOnPostgreSQLNothingAcknowledgedIsLostByKill9 kills our server only.
func TestOnPostgreSQLNothingAcknowledgedIsLostByKill9(t *testing.T) {
	processes(t)
	n := amount(t, "PGKILLS", 5, 200)
	rnd, seed := seeded(t)
	dir := workspace(t)
	p := newPostgres(t, dir)
	w := prepareWorld(t, dir, rnd, seed)
	w.srv.Database = p.url()
	w.begin()
	defer func() { report(t, seed, w.counts) }()
	w.kills(n, 3)
}
