package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestNothingAcknowledgedIsLostByAPowerCut cuts the power of a real file system at
// random moments, with four chunks at a time on their way. The client's memory and
// journal are on another disk.
func TestNothingAcknowledgedIsLostByAPowerCut(t *testing.T) {
	for _, c := range []struct {
		kind           string
		flag           uint32
		left           string
		short, release int
	}{
		{"ext4", nothing, "nothing", 12, 120},
		{"ext4", journalOnly, "the journal", 4, 40},
		{"xfs", nothing, "nothing", 8, 100},
		{"xfs", journalOnly, "the journal", 4, 40},
	} {
		t.Run(fmt.Sprintf("%s/%s is flushed", c.kind, c.left), func(t *testing.T) {
			processes(t)
			cuts(t, newWorld, c.kind, c.flag, amount(t, "CUTS", c.short, c.release))
		})
	}
}

// TestNoneOfManySmallFilesIsLostByAPowerCut does it to twelve clients who send nothing
// but files of one chunk, and so share flushes.
func TestNoneOfManySmallFilesIsLostByAPowerCut(t *testing.T) {
	for _, c := range []struct {
		kind           string
		flag           uint32
		left           string
		short, release int
	}{
		{"ext4", nothing, "nothing", 6, 60},
		{"ext4", journalOnly, "the journal", 3, 20},
		{"xfs", nothing, "nothing", 4, 40},
	} {
		t.Run(fmt.Sprintf("%s/%s is flushed", c.kind, c.left), func(t *testing.T) {
			processes(t)
			cuts(t, newSmallWorld, c.kind, c.flag, amount(t, "CUTS", c.short, c.release))
		})
	}
}

// cutWhileWorking takes the power away from the disk under working clients.
func (w *world) cutWhileWorking(d *disk, flag uint32) {
	w.t.Helper()
	gone := w.later(func() error {
		w.dark.Store(true)
		return d.cut(flag)
	})
	w.work(w.workers(), 1000)
	if err := <-gone; err != nil {
		w.t.Skipf("this %s cannot be shut down by ioctl: %v", d.kind, err)
	}
	w.dark.Store(false)
}

// maker is newWorld or newSmallWorld.
type maker func(t *testing.T, dir string, rnd *rand.Rand, seed uint64) *world

func (w *world) workers() int {
	if w.small {
		return smallWorkers
	}
	return 3
}

func cuts(t *testing.T, begin maker, kind string, flag uint32, n int) {
	rnd, seed := seeded(t)
	d := newDisk(t, kind, 512<<20)
	w := begin(t, d.dir, rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	defer w.srv.Kill() // before the disk is unmounted

	for cycle := range n {
		progress(t, cycle, n)
		w.cutWhileWorking(d, flag)
		w.srv.Kill()
		d.remount()
		w.srv.Start()
		w.count("power cuts", 1)
		w.judge()
		w.probe(50)
		w.fail(fmt.Sprintf("after cut %d of %s", cycle+1, kind))
	}
	w.enough(n)
	w.srv.Kill()
	d.check()
}

// enough sees that many cuts came after something that could be lost.
func (w *world) enough(cuts int) {
	w.t.Helper()
	if got := w.counts["acknowledged: chunk"] + w.counts["acknowledged: put"]; cuts > 4 && got < 2*cuts {
		w.t.Errorf("only %d chunks and files were acknowledged between %d cuts: too few to prove anything", got, cuts)
	}
}

// TestTheJudgeFindsWhatAPowerCutHasTaken asks for no durability at all: if the judge
// finds nothing then, its silence elsewhere is worth nothing.
func TestTheJudgeFindsWhatAPowerCutHasTaken(t *testing.T) {
	processes(t)
	rnd, seed := seeded(t)
	d := newDisk(t, "ext4", 512<<20)
	w := newWorld(t, d.dir, rnd, seed)
	defer w.srv.Kill()
	w.srv.Admin("policy", "set", "default", "--sync", "never")
	for cycle := range 10 {
		w.cutWhileWorking(d, nothing)
		w.srv.Kill()
		d.remount()
		w.srv.Start()
		w.judge()
		if len(w.broken) > 0 {
			t.Logf("found after cut %d, as it should: %s", cycle+1, w.broken[0])
			report(t, seed, map[string]int{"losses found": len(w.broken)})
			return
		}
	}
	t.Error("ten power cuts without a sync, and the judge has found no loss")
}
