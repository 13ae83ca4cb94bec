package chaos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// fault is a system call that fails once.
type fault struct {
	name  string
	errno string
	plan  plan
	fatal bool // a flush that failed: read-only until the next start
}

// database is part of the names of the database's files.
const database = "/data/wharf.db"

var faults = []fault{
	{"EIO on writing bytes", "EIO", plan{kinds: []string{"pwrite64", "write"}, path: "/data/storage/"}, false},
	{"ENOSPC on writing bytes", "ENOSPC", plan{kinds: []string{"pwrite64", "write"}, path: "/data/storage/"}, false},
	{"EIO on fdatasync of bytes", "EIO", plan{kinds: []string{"fdatasync"}, path: "/data/storage/"}, true},
	{"EIO on fsync of bytes and directories", "EIO", plan{kinds: []string{"fsync"}, path: "/data/storage/"}, true},
	{"ENOSPC on fallocate", "ENOSPC", plan{kinds: []string{"fallocate"}, path: "/data/storage/"}, false},
	{"EDQUOT on mkdir", "EDQUOT", plan{kinds: []string{"mkdirat"}, path: "/data/storage"}, false},
	{"EIO on rename", "EIO", plan{kinds: []string{"renameat2", "renameat"}, path: "/data/storage/"}, false},
	{"EIO on unlink", "EIO", plan{kinds: []string{"unlinkat"}, path: "/data/storage/"}, false},
	{"EIO on writing the database", "EIO", plan{kinds: []string{"pwrite64", "write"}, path: database}, false},
	{"ENOSPC on writing the database", "ENOSPC", plan{kinds: []string{"pwrite64", "write"}, path: database}, false},
	{"EIO on flushing the database", "EIO", plan{kinds: []string{"fsync", "fdatasync"}, path: database}, true},
}

// TestAFaultFailsItsRequestAndNothingElse fails one system call in the middle of each
// scenario, at its first, second … occurrence. The server must live, say so with a code,
// keep what it has acknowledged, and do the same thing right when asked again; only
// after a flush that failed it takes nothing more until it is started anew.
func TestAFaultFailsItsRequestAndNothingElse(t *testing.T) {
	processes(t)
	most := amount(t, "FAULTS", 1, 40)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	w.srv.Kill()

	for i, f := range faults {
		progress(t, i, len(faults))
		hit := 0
		for i, s := range scenarios {
			if most == 1 && (i+len(f.name))%3 > 0 { // the short form
				continue
			}
			for n := 1; n <= most && w.faulty(f, s, n); n++ {
				hit++
			}
		}
		t.Logf("%-40s hit %d times", f.name, hit)
		w.count(f.name, hit)
	}
}

// faulty runs s with the nth call that f names failing. It reports whether one did.
func (w *world) faulty(f fault, s scenario, n int) bool {
	w.t.Helper()
	p := f.plan
	p.nth, p.count = n, 1
	x := w.under(w.t, f.errno, p)
	w.srv.Start()
	w.judge()
	w.probe(100)
	w.tidy()
	k := &worker{world: w}
	about := s.ready(k)
	when := fmt.Sprintf("%s, call %d, in %q", f.name, n, s.name)
	w.fail("before " + when)
	x.arm()
	s.run(k, about)
	if !k.dead.Load() {
		time.Sleep(30 * time.Millisecond) // what it does after the answer
	}
	if f.ends() && k.dead.Load() {
		hits := w.ended(x)
		w.fail("after " + when + fmt.Sprint(" ", hits))
		w.again(when)
		return true
	}
	select {
	case <-w.srv.Exited():
		w.violated("the server has ended")
		w.fail(when)
	default:
	}
	x.disarm()
	w.live = true
	switch failed := k.dead.Load(); {
	case f.fatal && failed:
		w.judge() // reads go on
		w.stopped()
	default:
		w.judge()
		w.probe(100)
	}
	w.live = false
	_, hits := x.end()
	w.fail("after " + when + fmt.Sprint(" ", hits))
	if len(hits) > 0 {
		w.count("faults", 1)
	}
	w.again(when)
	return len(hits) > 0
}

// again starts the server on what the fault has left.
func (w *world) again(when string) {
	w.t.Helper()
	w.srv.Start()
	w.judge()
	w.fail("after " + when + ", and a start")
	w.srv.Kill()
}

// ends reports whether the server must end itself: only a start can tell what of a
// database is on the disk after a flush that failed.
func (f *fault) ends() bool { return f.fatal && f.plan.path == database }

// ended waits until the server has ended itself, with a failure that says why. Requests
// that still reach it must be refused, reads too.
func (w *world) ended(x *traced) (hits []string) {
	w.t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case <-w.srv.Exited():
			_, hits = x.end()
			if x.code != 1 {
				w.violated("the server has ended with code %d", x.code)
			}
			if log := w.srv.Log(20 << 10); !strings.Contains(log, "flush failed") || !strings.Contains(log, "restart") {
				w.violated("the log does not say why it ended:\n%s", log[max(0, len(log)-1500):])
			}
			w.count("faults", 1)
			w.count("ended itself", 1)
			return hits
		case <-late:
			w.violated("the server goes on after a flush of the database that failed")
			_, hits = x.end()
			return hits
		default:
			if err := w.api.Try("GET", "/file?uri=cloudreve%3A%2F%2Fmy", nil, nil); err == nil {
				w.violated("after a flush of the database that failed, a read was answered")
			}
		}
	}
}

// stopped sees that a server whose flush has failed takes nothing and says why.
func (w *world) stopped() {
	err := w.api.Try("PUT", "/file/upload", map[string]any{"uri": "cloudreve://my/w0/stopped.bin", "size": 5 * chunkSize}, nil)
	switch code := rig.Code(err); {
	case err == nil:
		w.violated("after a flush that failed, a new upload was accepted")
		_ = w.api.Try("DELETE", "/file", map[string]any{"uris": []string{"cloudreve://my/w0/stopped.bin"}}, nil)
	case code < 50000:
		w.violated("after a flush that failed, a new upload got %v", err)
	}
	log := w.srv.Log(20 << 10)
	if !strings.Contains(log, "restart") {
		w.violated("the log does not say that a restart is needed:\n%s", log[max(0, len(log)-1500):])
	}
	w.count("refused until the next start", 1)
}
