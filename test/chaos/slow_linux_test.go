package chaos_test

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestASlowDiskMakesAnswersWaitAndLosesNothing lets the disk take a few writes a second.
// Chunks and files wait for their flush and are answered then; who reads meanwhile is
// answered while they wait; and a kill in the middle loses nothing that was answered.
func TestASlowDiskMakesAnswersWaitAndLosesNothing(t *testing.T) {
	processes(t)
	n := amount(t, "SLOW", 1, 20)
	rnd, seed := seeded(t)
	d := newDisk(t, "ext4", 256<<20)
	g := newGroup(t, "blkio", "io")
	var st unix.Stat_t
	if err := unix.Stat(d.dir, &st); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, d.dir, rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	defer w.srv.Kill()

	// What is read while others wait is there before the disk is slow.
	k := &worker{world: w, id: 8} // nobody else's: it is there at the end too
	about := stored(k)
	w.fail("before the disk was slow")
	w.srv.Kill()
	w.srv.Wrap = g.wrap
	device := fmt.Sprintf("%d:%d ", unix.Major(st.Dev), unix.Minor(st.Dev))
	for cycle := range n {
		progress(t, cycle, n)
		w.srv.Start()
		perSecond := 10 + w.roll(30)
		g.set("blkio.throttle.write_iops_device", "io.max", device+map[bool]string{false: "", true: "wiops="}[g.v2]+fmt.Sprint(perSecond))
		waited, read := w.slowly(about)
		w.count("reads answered while a write waited", int(read))
		if read < 5 {
			w.violated("while writes waited for %v, %d reads were answered", waited, read)
		}
		w.live = true
		w.judge()
		w.live = false
		gone := w.later(func() error { w.srv.Kill(); return nil })
		w.work(3, 1000)
		<-gone
		g.set("blkio.throttle.write_iops_device", "io.max", device+map[bool]string{false: "0", true: "wiops=max"}[g.v2])
		w.srv.Start()
		w.count("kill -9 on a slow disk", 1)
		w.judge()
		w.probe(50)
		w.fail(fmt.Sprintf("on a disk of %d writes a second, time %d", perSecond, cycle+1))
		w.srv.Kill()
	}
	if longest := w.counts["longest wait for an answer, ms"]; longest < 100 {
		t.Errorf("the longest answer took %d ms: the disk was not slow", longest)
	}
}

// slowly writes with three clients and reads with another. It returns how long writes
// were waited for, and how many reads were begun and answered while one was.
func (w *world) slowly(about *file) (time.Duration, int64) {
	var reads, waits atomic.Int64
	var waiting atomic.Int64
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			before := waiting.Load()
			if _, err := w.api.Sum(about.uri(about.names[0])); err != nil {
				w.violated("a read while the disk is slow: %v", err)
				return
			}
			if err := w.api.Try(http.MethodGet, "/file?uri=cloudreve%3A%2F%2Fmy", nil, nil); err != nil {
				w.violated("a listing while the disk is slow: %v", err)
				return
			}
			if before > 0 && waiting.Load() == before { // the same write waits still
				reads.Add(1)
			}
		}
	})
	k := &worker{world: w, id: 7}
	for i := range 6 {
		from := time.Now()
		waiting.Store(int64(i + 1))
		f := k.begin(nil, 2*chunkSize+k.roll(chunkSize))
		if f != nil {
			k.send(f, 100)
		}
		waiting.Store(0)
		took := time.Since(from)
		waits.Add(int64(took))
		w.mu.Lock()
		w.counts["longest wait for an answer, ms"] = max(w.counts["longest wait for an answer, ms"], int(took.Milliseconds()))
		w.mu.Unlock()
		if k.dead.Load() {
			w.violated("a slow disk was told as an error")
			break
		}
	}
	close(stop)
	reader.Wait()
	return time.Duration(waits.Load()), reads.Load()
}

// TestAServerThatIsStoppedAndGoesOnLosesNothing stops the process with SIGSTOP in the
// middle of uploads, as a suspended machine does, and lets it go on. Nobody is refused:
// clients wait, and what was on its way arrives.
func TestAServerThatIsStoppedAndGoesOnLosesNothing(t *testing.T) {
	processes(t)
	n := amount(t, "STOPS", 10, 200)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	for cycle := range n {
		progress(t, cycle, n)
		pause := time.Duration(w.roll(600)) * time.Millisecond
		if release() && cycle == n/2 {
			pause = 65 * time.Second // longer than a body may stand still
		}
		w.stopFor(pause)
		w.fail(fmt.Sprintf("after stop %d, of %v", cycle+1, pause))
		if cycle%10 == 9 {
			w.srv.Kill()
			w.srv.Start()
			w.judge()
			w.fail(fmt.Sprintf("after stop %d and a start", cycle+1))
		}
	}
}

func (w *world) stopFor(pause time.Duration) {
	w.t.Helper()
	pid := w.srv.PID()
	cont := func() {
		if err := unix.Kill(pid, unix.SIGCONT); err != nil {
			w.violated("the server cannot go on: %v", err)
		}
	}
	went := w.later(func() error {
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			return err
		}
		defer cont()
		if state := processState(pid); state != "T" {
			return fmt.Errorf("the server is in state %q, not stopped", state)
		}
		time.Sleep(pause)
		return nil
	})
	w.work(3, 25)
	if err := <-went; err != nil {
		w.violated("stopping: %v", err)
	}
	w.count("SIGSTOP", 1)
	if pause > time.Minute {
		w.count("SIGSTOP of 65 s", 1)
	}
	w.live = true
	w.judge()
	w.probe(50)
	w.live = false
}

// processState is the letter of proc(5), once a stop has been carried out.
func processState(pid int) (state string) {
	for range 500 {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return err.Error()
		}
		var id int
		var name string
		if _, err := fmt.Sscanf(string(text), "%d %s %s", &id, &name, &state); err != nil || state == "T" {
			return state
		}
		time.Sleep(time.Millisecond)
	}
	return state
}
