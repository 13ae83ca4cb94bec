package chaos_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// scenario is one thing that a client does. ready happens before the counting.
type scenario struct {
	name  string
	ready func(k *worker) *file
	run   func(k *worker, f *file)
}

func stored(k *worker) *file {
	f := k.begin(nil, 3000)
	k.send(f, 100)
	return f
}

func halfSent(k *worker) *file {
	f := k.begin(nil, 5*chunkSize+77)
	k.send(f, 50)
	return f
}

func newFile(*worker) *file { return nil }

// sendAll opens an upload and sends it whole.
func sendAll(size int) func(*worker, *file) {
	return func(k *worker, f *file) {
		if f = k.begin(f, size); f != nil {
			k.send(f, 100)
		}
	}
}

var scenarios = []scenario{
	{"an empty file", newFile, sendAll(0)},
	{"a small file", newFile, sendAll(5000)},
	{"exactly one chunk", newFile, sendAll(chunkSize)},
	{"five chunks, four at a time", newFile, sendAll(4*chunkSize + 1)},
	{"three chunks, one after the other", newFile, func(k *worker, _ *file) {
		f := k.begin(nil, 2*chunkSize+500)
		if f == nil {
			return
		}
		b := f.up.bytes()
		for _, i := range []int{2, 0, 1} {
			if !k.dead.Load() {
				k.chunk(f, f.up, i, f.up.part(b, i))
			}
		}
		k.send(f, 100) // counts it as complete
	}},
	{"a small new version", stored, sendAll(4000)},
	{"a new version of five chunks", stored, sendAll(4*chunkSize + 9)},
	{"cancel a new file", halfSent, func(k *worker, f *file) { k.cancel(f) }},
	{"cancel a new version", func(k *worker) *file {
		f := stored(k)
		k.begin(f, 3*chunkSize)
		k.send(f, 60)
		return f
	}, func(k *worker, f *file) { k.cancel(f) }},
	{"rename", stored, func(k *worker, f *file) { k.rename(f) }},
	{"delete", stored, func(k *worker, f *file) { k.remove(f) }},
	{"put a new file", newFile, func(k *worker, _ *file) { k.putSize(k.add(), 7000) }},
	{"put a new version of 400 KiB", stored, func(k *worker, f *file) { k.putSize(f, 400<<10) }},
	{"go on with a half sent file", halfSent, func(k *worker, f *file) { k.send(f, 100) }},
	{"chunks that are in already", halfSent, func(k *worker, f *file) {
		b := f.up.bytes()
		for i, m := range f.up.chunks {
			if m == yes && !k.dead.Load() {
				k.chunk(f, f.up, i, f.up.part(b, i))
			}
		}
	}},
	{"two files at once", newFile, func(k *worker, _ *file) {
		done := make(chan struct{})
		go func() { sendAll(2*chunkSize+5)(k, nil); close(done) }()
		sendAll(3*chunkSize-5)(k, nil)
		<-done
	}},
}

// TestNothingIsLostWhicheverSystemCallIsTheLast kills the server right before its first,
// second, third … system call that writes, syncs, renames, unlinks, makes a directory,
// reserves room or answers, until the scenario is over before the turn comes.
func TestNothingIsLostWhicheverSystemCallIsTheLast(t *testing.T) {
	processes(t)
	most := amount(t, "POINTS", 2, 400)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	w.srv.Kill()

	for i, s := range scenarios {
		progress(t, i, len(scenarios))
		step, n := 1, 1
		if most < 50 { // a few of them, somewhere
			step, n = 11, 1+w.roll(11)
		}
		for range most {
			if !w.point(s, n) {
				break
			}
			n += step
		}
		t.Logf("%-35s points up to %d", s.name, n-1)
		w.count("scenarios", 1)
	}
}

// point runs s and kills the server before its nth call. It reports whether that came.
func (w *world) point(s scenario, n int) bool {
	w.t.Helper()
	x := w.under(w.t, "kill", plan{nth: n, count: 1})
	w.srv.Start()
	w.judge()
	w.probe(100)
	w.tidy()
	k := &worker{world: w}
	f := s.ready(k)
	w.fail(fmt.Sprintf("before %q, point %d", s.name, n))
	x.arm()
	s.run(k, f)
	if !k.dead.Load() {
		select {
		case <-w.srv.Exited():
		case <-time.After(30 * time.Millisecond): // what it does after the answer
		}
	}
	_, hits := x.end()
	if len(hits) > 0 {
		w.count("kill -9 before "+strings.SplitN(hits[0], ":", 2)[0], 1)
		w.count("crash points", 1)
	}
	w.srv.Start()
	w.judge()
	w.fail(fmt.Sprintf("after %q, killed before call %d, %v", s.name, n, hits))
	w.srv.Kill()
	return len(hits) > 0
}

// tidy deletes most of what is complete, so that a verdict stays quick.
func (w *world) tidy() {
	k := &worker{world: w}
	for k.owned() > 12 {
		f := k.mine((*file).settled)
		if f == nil {
			return
		}
		k.remove(f)
	}
}

// TestAStartThatIsKilledIsMadeGoodByTheNext kills the server before each system call of
// its start, on data that a crash has left in the middle of everything.
func TestAStartThatIsKilledIsMadeGoodByTheNext(t *testing.T) {
	processes(t)
	most := amount(t, "POINTS", 2, 400)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()

	step := 1
	if most < 50 {
		step = 5
	}
	for n := 1; n <= most*step; n += step {
		progress(t, n, most*step)
		time.AfterFunc(time.Duration(20+w.roll(60))*time.Millisecond, w.srv.Kill)
		w.work(3, 1000)
		<-w.srv.Exited()
		w.srv.Kill()
		x := w.under(t, "killstart", plan{nth: n, count: 1})
		err := w.srv.TryStart()
		_, hits := x.end()
		if len(hits) > 0 {
			w.count("kill -9 before "+strings.SplitN(hits[0], ":", 2)[0], 1)
			w.count("crash points", 1)
		}
		w.srv.Start()
		w.judge()
		w.probe(30)
		w.fail(fmt.Sprintf("after a start killed before call %d, %v", n, hits))
		if err == nil && len(hits) == 0 {
			break
		}
	}
}
