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

	for cycle := range n {
		gone := w.later(func() error { w.srv.Kill(); return nil })
		w.work(3, 1000)
		<-gone
		w.srv.Start()
		w.count("kill -9", 1)
		w.judge()
		w.probe(50)
		w.fail(fmt.Sprintf("after kill %d", cycle+1))
	}
}
