package chaos_test

import (
	"fmt"
	"testing"
)

// TestNothingAcknowledgedIsLostByKill9 kills the server at random moments.
func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	processes(t)
	n := amount(t, "KILLS", 30, 1000)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	w.kills(n, 3)
}

// TestNoneOfManySmallFilesIsLostByKill9 does it to twelve clients who send nothing but
// files of one chunk, that replace and delete each other's neighbours.
func TestNoneOfManySmallFilesIsLostByKill9(t *testing.T) {
	processes(t)
	n := amount(t, "KILLS", 15, 500)
	rnd, seed := seeded(t)
	w := newSmallWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	w.kills(n, smallWorkers)
}

// smallWorkers is how many clients share the flushes of a small world.
const smallWorkers = 12

func (w *world) kills(n, workers int) {
	w.t.Helper()
	for cycle := range n {
		progress(w.t, cycle, n)
		gone := w.later(func() error { w.srv.Kill(); return nil })
		w.work(workers, 1000)
		<-gone
		w.srv.Start()
		w.count("kill -9", 1)
		w.judge()
		w.probe(50)
		w.fail(fmt.Sprintf("after kill %d", cycle+1))
	}
}
