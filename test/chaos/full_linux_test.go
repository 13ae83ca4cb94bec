package chaos_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAFullDiskIsToldAndRecoversWithoutARestart leaves less and more room on a small
// disk, works until a request fails, reads everything while the disk is full, makes
// room, and goes on with the same process.
func TestAFullDiskIsToldAndRecoversWithoutARestart(t *testing.T) {
	processes(t)
	n := amount(t, "FULL", 6, 128)
	for _, kind := range []string{"ext4", "xfs"} {
		t.Run(kind, func(t *testing.T) {
			size, options := int64(64<<20), []string{"-m", "0"}
			if kind == "xfs" {
				size, options = 320<<20, nil
			}
			d := newDisk(t, kind, size, options...)
			ballast := filepath.Join(d.dir, "ballast")
			exhausted(t, d, n, func(w *world) {
				var st unix.Statfs_t
				if err := unix.Statfs(d.dir, &st); err != nil {
					t.Fatal(err)
				}
				take := int64(st.Bavail)*st.Bsize - int64(w.roll(32))*64<<10
				f, err := os.Create(ballast)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = f.Close() }()
				for ; take > 0; take -= 64 << 10 { // fallocate fails as a whole
					if unix.Fallocate(int(f.Fd()), 0, 0, take) == nil {
						break
					}
				}
			}, func() { _ = os.Remove(ballast) })
		})
	}
}

// TestNoInodesIsToldAndRecoversWithoutARestart is the same with room for bytes and none
// for names.
func TestNoInodesIsToldAndRecoversWithoutARestart(t *testing.T) {
	processes(t)
	n := amount(t, "FULL", 6, 128)
	d := newDisk(t, "ext4", 64<<20, "-m", "0", "-N", "1024")
	ballast := filepath.Join(d.dir, "ballast")
	exhausted(t, d, n, func(w *world) {
		if err := os.MkdirAll(ballast, 0o700); err != nil {
			t.Fatal(err)
		}
		var st unix.Statfs_t
		if err := unix.Statfs(d.dir, &st); err != nil {
			t.Fatal(err)
		}
		for i := range max(0, int(st.Ffree)-w.roll(12)) {
			if os.WriteFile(filepath.Join(ballast, fmt.Sprint(i)), nil, 0o600) != nil {
				return
			}
		}
	}, func() { _ = os.RemoveAll(ballast) })
}

// exhausted fills the disk, works, frees it, n times.
func exhausted(t *testing.T, d *disk, n int, fill func(*world), free func()) {
	rnd, seed := seeded(t)
	w := newWorld(t, d.dir, rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	defer w.srv.Kill()

	for cycle := range n {
		progress(t, cycle, n)
		w.work(2, 2)
		w.room(3)
		fill(w)
		w.work(2, 40)
		w.live = true
		w.judge()
		free()
		w.judge()
		w.probe(70)
		w.live = false
		w.count("times full", 1)
		w.fail(fmt.Sprintf("when full, time %d", cycle+1))
		if cycle%4 == 3 || cycle == n-1 {
			w.srv.Kill()
			w.srv.Start()
			w.judge()
			w.fail(fmt.Sprintf("after a start, time %d", cycle+1))
		}
	}
	if w.counts["failed with a code"] == 0 {
		t.Error("nothing has failed: the disk was never full")
	}
}

// room deletes until each worker has at most that many files.
func (w *world) room(most int) {
	for id := range 2 {
		k := &worker{world: w, id: id}
		for k.owned() > most {
			f := k.mine((*file).settled)
			if f == nil {
				break
			}
			k.remove(f)
		}
	}
}

// TestNoDescriptorsIsToldAndRecoversWithoutARestart leaves the server a few descriptors
// and takes them away and gives them back.
func TestNoDescriptorsIsToldAndRecoversWithoutARestart(t *testing.T) {
	processes(t)
	prlimit := tool(t, "prlimit")
	n := amount(t, "FULL", 6, 128)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	w.srv.Kill()
	const limit = 64
	w.srv.Wrap = func(argv []string) []string {
		return append([]string{prlimit, fmt.Sprintf("--nofile=%d", limit)}, argv...)
	}
	w.srv.Start()
	for cycle := range n {
		progress(t, cycle, n)
		w.work(2, 2)
		w.room(6)
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.srv.PID()))
		if err != nil {
			t.Fatal(err)
		}
		var idle []net.Conn
		for range limit - len(open) - w.roll(6) {
			c, err := net.Dial("tcp", w.srv.URL()[len("http://"):])
			if err != nil {
				break
			}
			idle = append(idle, c)
		}
		// Whoever is not let in waits; a little later there is room again.
		time.AfterFunc(300*time.Millisecond, func() {
			for _, c := range idle {
				_ = c.Close()
			}
		})
		w.work(2, 20)
		time.Sleep(350 * time.Millisecond)
		w.live = true
		w.judge()
		w.probe(70)
		w.live = false
		w.count("times without descriptors", 1)
		w.fail(fmt.Sprintf("without descriptors, time %d", cycle+1))
		if cycle%4 == 3 || cycle == n-1 {
			w.srv.Kill()
			w.srv.Start()
			w.judge()
			w.fail(fmt.Sprintf("after a start, time %d", cycle+1))
		}
	}
}
