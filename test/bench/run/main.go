//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// options are what differs between the long and the short form.
type options struct {
	bin, nginx, work string
	short, write     bool

	rounds      int
	bigSize     int64
	getSize     int64
	smallFor    time.Duration
	holdRounds  int
	holdFor     time.Duration
	folders     []int
	listReps    int
	quietBudget time.Duration
	space       uint64 // bytes that the disk must have
}

const (
	bigFiles    = 4
	smallMost   = 2000
	holdUploads = 1000
	holdRate    = 64 << 10
	rangesEach  = 2000
	hugeSize    = 5e12
	hugeReps    = 50
	folderReps  = 25 // each there and back
)

func main() {
	o := options{}
	flag.StringVar(&o.bin, "bin", ".tools/bench", "folder of wharf, floor and versitygw")
	flag.StringVar(&o.nginx, "nginx", "", "nginx binary")
	flag.StringVar(&o.work, "work", ".tools/bench/data", "folder for the data of all servers; emptied")
	flag.BoolVar(&o.short, "short", false, "two rounds, less data; nothing is written into docs/")
	flag.Parse()
	o.fill()
	if err := bench(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o *options) fill() {
	o.write = !o.short
	o.rounds, o.bigSize, o.getSize, o.smallFor = 5, 128<<20, 1<<30, 2*time.Second
	o.holdRounds, o.holdFor = 3, 10*time.Second
	o.folders, o.listReps, o.quietBudget = []int{1_000, 10_000, 100_000, 1_000_000}, 30, 2*time.Minute
	o.space = 16 << 30
	if o.short {
		o.space = 6 << 30
		o.rounds, o.getSize, o.smallFor = 2, 256<<20, time.Second
		o.holdRounds, o.holdFor = 1, 5*time.Second
		o.folders, o.listReps, o.quietBudget = []int{1_000, 100_000}, 20, 10*time.Second
	}
}

// errSlower is returned when a ratio fell behind the committed one.
var errSlower = errors.New("slower than the committed table, see REGRESSION above")

func bench(o options) error {
	began := time.Now()
	for _, p := range []*string{&o.bin, &o.work} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	if err := freshFolder(o.work, o.space); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(o.work) }()

	s := &suite{o: o}
	defer s.stopAll()
	if err := s.run(); err != nil {
		return err
	}
	rep := newReport(s)
	rep.Minutes = time.Since(began).Minutes()
	worse, compared, err := rep.compare()
	if err != nil {
		return err
	}
	if o.write {
		err = rep.publish()
	} else {
		fmt.Println(rep.tables())
	}
	if err != nil {
		return err
	}
	if n := len(s.broken()); n > 0 {
		return fmt.Errorf("%d measurements failed and count for nothing", n)
	}
	for _, line := range worse {
		fmt.Println("REGRESSION", line)
	}
	if len(worse) > 0 {
		return errSlower
	}
	fmt.Printf("bench: %.1f minutes; of %d ratios that have a committed one none is worse by more than %.0f %%\n", time.Since(began).Minutes(), compared, tolerance*100)
	return nil
}

func freshFolder(dir string, space uint64) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < space {
		return fmt.Errorf("%s has %d GiB free; the run needs %d", dir, free>>30, space>>30)
	}
	return nil
}
