package chaos_test

import (
	"fmt"
	"testing"
	"time"
)

// TestNothingAcknowledgedIsLostByKill9 kills the server at random moments.
func TestNothingAcknowledgedIsLostByKill9(t *testing.T) {
	processes(t)
	n := amount(t, "KILLS", 30, 1000)
	rnd, seed := seeded(t)
	w := newWorld(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()

	for cycle := range n {
		after := time.Duration(2+w.roll(150)) * time.Millisecond
		gone := make(chan struct{})
		time.AfterFunc(after, func() { w.srv.Kill(); close(gone) })
		w.work(3, 1000)
		<-gone
		w.srv.Start()
		w.count("kill -9", 1)
		w.judge()
		w.probe(50)
		if cycle%20 == 19 {
			w.integrity()
		}
		w.fail(fmt.Sprintf("after kill %d", cycle+1))
	}
}
