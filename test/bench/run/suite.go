//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/bench/load"
)

// suite runs all measurements and keeps what they gave.
type suite struct {
	o       options
	live    []*server
	results []load.Result
	waited  time.Duration
	pages   []load.Page
}

const quiet = 0.25 // cores that others may use before a measurement begins

func (s *suite) folder(kind, name string) string {
	return filepath.Join(s.o.work, kind+"-"+strings.NewReplacer(":", "-", ",", "", " ", "-").Replace(name))
}

func (s *suite) stopAll() {
	for _, v := range s.live {
		v.stop()
	}
	s.live = nil
}

func (s *suite) run() error {
	all := peers(s.o)
	seeded, err := s.seed(all)
	if err != nil {
		return err
	}
	for _, p := range all {
		v, err := p.start(s.folder("live", p.folder()))
		if err != nil {
			return err
		}
		s.live = append(s.live, v)
	}
	if err := s.straight(seeded); err != nil {
		return err
	}
	for round := 1; round <= s.o.rounds; round++ {
		for _, mode := range []string{"big", "tls", "small", "get", "batch"} {
			if err := s.rotate(mode, round); err != nil {
				return err
			}
		}
		if err := s.lists(seeded, round); err != nil {
			return err
		}
		for i := range all {
			p := all[(i+round)%len(all)]
			if err := s.starts(p, round); err != nil {
				return err
			}
			if err := s.holds(p, round); err != nil {
				return err
			}
		}
	}
	return nil
}

// straight lets the new uploads of p go to a bucket of the gateway.
func (s *suite) straight(p peer) error {
	i := slices.IndexFunc(s.live, func(v *server) bool { return v.name == gateway })
	if err := s.live[i].run("", 0).Setup(); err != nil {
		return err
	}
	dir := s.folder("seed", p.name)
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte(load.S3Secret), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{
			"policy", "add", "bucket", "--type", "s3", "--endpoint", "http://" + s.live[i].addr, "--region", "us-east-1", "--path-style",
			"--bucket", load.Bucket, "--access-key", load.S3Key, "--secret-key-file", secret,
		},
		{"group", "set", "Admin", "--policy", "bucket"},
	} {
		if out, err := exec.Command(s.o.bin+"/wharf", append(args, "--data", dir+"/data")...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// rotate measures each server in one mode, in another order each round.
func (s *suite) rotate(mode string, round int) error {
	for i := range s.live {
		v := s.live[(i+round)%len(s.live)]
		if !v.has(mode) {
			continue
		}
		if !load.OwnsPort(load.Processes(v.cmd.Process.Pid), v.addr) {
			return fmt.Errorf("%s no longer serves, see %s/server.log", v.name, v.dir)
		}
		s.calm()
		dir := fmt.Sprintf("%s%d", mode, round)
		switch mode {
		case "big":
			s.keep(v.peer, v.run(dir, round).Big(bigFiles, s.o.bigSize))
		case "tls":
			r := v.run(dir, round).Big(bigFiles, s.o.bigSize)
			r.Mode = mode
			s.keep(v.peer, r)
		case "small":
			s.keep(v.peer, v.run(dir+"a", round).Small(1, smallMost, s.o.smallFor))
			s.keep(v.peer, v.run(dir+"b", round).Small(16, smallMost, s.o.smallFor))
		case "get":
			s.keep(v.peer, v.run(dir, round).Download(s.o.getSize, rangesEach)...)
		case "batch":
			s.keep(v.peer, v.run(dir, round).Batch(s.o.smallFor))
		}
		if err := v.sweep(); err != nil {
			return err
		}
	}
	return nil
}

// calm waits until others leave the machine alone, as long as there is time for it.
func (s *suite) calm() {
	const look = 400 * time.Millisecond
	for s.waited < s.o.quietBudget {
		busy, self, t0 := load.Machine(), load.Self(), time.Now()
		time.Sleep(look)
		if (load.Machine()-busy-(load.Self()-self))/time.Since(t0).Seconds() < quiet {
			return
		}
		s.waited += time.Since(t0)
	}
}

// starts measures a start on an empty folder and one on the folder it left.
func (s *suite) starts(p peer, round int) error {
	if !p.has("start") || round > s.o.holdRounds {
		return nil
	}
	dir := s.folder(fmt.Sprintf("start%d", round), p.name)
	for _, mode := range []string{"start, empty folder", "start"} {
		s.calm()
		r, err := s.startOnce(p, dir, round)
		if err != nil {
			return err
		}
		r.Mode = mode
		s.keep(p, r)
	}
	return nil
}

func (s *suite) startOnce(p peer, dir string, round int) (load.Result, error) {
	busy, self, t0 := load.Machine(), load.Self(), time.Now()
	v, err := p.start(dir)
	if err != nil {
		return load.Result{}, err
	}
	defer v.stop()
	time.Sleep(2 * time.Second)
	pids := load.Processes(v.cmd.Process.Pid)
	r := load.Result{Round: round, StartMs: v.startMs, RSS: load.Memory(pids, "VmRSS"), Anon: load.Memory(pids, "RssAnon"), Verified: true}
	r.Sec = time.Since(t0).Seconds()
	r.OtherCores = max(0, load.Machine()-busy-(load.Self()-self)-load.Processor(pids)) / r.Sec
	return r, nil
}

// holds measures slow uploads on a process of its own, so that memory tells of them alone.
func (s *suite) holds(p peer, round int) error {
	if !p.has("hold") || round > s.o.holdRounds {
		return nil
	}
	v, err := p.start(s.folder("hold", p.name))
	if err != nil {
		return err
	}
	defer v.stop()
	s.calm()
	s.keep(p, v.run(fmt.Sprintf("hold%d", round), round).Hold(holdUploads, s.o.holdFor, holdRate))
	return v.sweep()
}

// lists measures pages and huge sessions on the server with the seeded folders.
func (s *suite) lists(p peer, round int) error {
	v, err := p.start(s.folder("seed", ours))
	if err != nil {
		return err
	}
	defer v.stop()
	s.calm()
	s.keep(p, load.Result{Mode: "start, a million files", Round: round, StartMs: v.startMs, RSS: load.Memory(load.Processes(v.cmd.Process.Pid), "VmRSS"), Verified: true})
	if s.pages == nil {
		if s.pages, err = s.walk(v); err != nil {
			return err
		}
	}
	for i := range s.pages {
		page := s.pages[(i+round)%len(s.pages)]
		s.keep(p, v.run("", round).List(page, s.o.listReps))
	}
	s.keep(p, v.run(fmt.Sprintf("huge%d", round), round).Session(hugeSize, hugeReps, true))
	s.keep(p, v.run(fmt.Sprintf("huger%d", round), round).Session(hugeSize, hugeReps, false))
	s.folders(p, v, round)
	return nil
}

// folders measures what is done with large folders as a whole. Each round has folders
// of its own to remove.
func (s *suite) folders(p peer, v *server, round int) {
	for _, n := range s.o.folders {
		s.keep(p, v.run("", round).Rename(fmt.Sprintf("rename/%d", n), listDir(n), folderReps))
		s.keep(p, v.run("", round).Move(fmt.Sprintf("move/%d", n), listDir(n), folderReps))
	}
	s.keep(p, v.run("", round).Rename("rename/tree", treeDir, folderReps))
	s.keep(p, v.run("", round).Move("move/tree", treeDir, folderReps))
	s.keep(p, v.run("", round).Remove("trash", trashDir(round), 0))
	s.keep(p, v.run("", round).Remove("gone", goneDir(round), (removed-1)*load.SmallSize))
}

// keep adds results and says them.
func (s *suite) keep(p peer, rs ...load.Result) {
	for _, r := range rs {
		r.Peer = p.name
		s.results = append(s.results, r)
		fmt.Printf("%s r%d %-18s %-28s %s\n", time.Now().Format("15:04:05"), r.Round, r.Peer, r.Mode, brief(r))
	}
}

func brief(r load.Result) string {
	switch {
	case r.Err != "":
		return "FAILED: " + r.Err
	case r.Skip != "":
		return "skipped: " + r.Skip
	}
	var b strings.Builder
	for _, f := range figures {
		if v := f.of(r); v != 0 {
			fmt.Fprintf(&b, "%s %s  ", show(v), f.unit)
		}
	}
	fmt.Fprintf(&b, "(others %.1f cores)", r.OtherCores)
	return b.String()
}

func (s *suite) broken() (all []error) {
	for _, r := range s.results {
		if r.Err != "" {
			all = append(all, errors.New(r.Peer+" "+r.Mode+": "+r.Err))
		}
	}
	return all
}
