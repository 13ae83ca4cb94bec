// Command report writes docs/RELIABILITY.md from what the chaos tests have noted down:
//
//	go run ./test/chaos/report RESULTS.jsonl > docs/RELIABILITY.md
//
// Each cell of our column is counted from those notes; what was not run says so.
package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/template"
)

//go:embed reliability.md.tmpl
var page string

// run is one line of the results.
type run struct {
	Test   string         `json:"test"`
	Seed   string         `json:"seed"`
	Commit string         `json:"commit"`
	Failed bool           `json:"failed"`
	Counts map[string]int `json:"counts"`
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: report RESULTS.jsonl")
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var runs runs
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r run
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		runs = append(runs, r)
	}
	if err := lines.Err(); err != nil {
		return err
	}
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(os.Stdout, runs)
}

type runs []run

// Of returns the runs of a test by the beginning of its name.
func (rs runs) Of(test string) runs {
	return slices.DeleteFunc(slices.Clone(rs), func(r run) bool { return !strings.HasPrefix(r.Test, test) })
}

// Sum adds up one count.
func (rs runs) Sum(what string) (n int) {
	for _, r := range rs {
		n += r.Counts[what]
	}
	return n
}

// Cell is a verdict: how often it was done, and whether it held.
func (rs runs) Cell(test, what, says string) string {
	of := rs.Of(test)
	n := of.Sum(what)
	if n == 0 {
		return "not run"
	}
	for _, r := range of {
		if r.Failed {
			return fmt.Sprintf("**broken**, seed %s (%d)", r.Seed, n)
		}
	}
	return fmt.Sprintf("%s (%d)", says, n)
}

// Verdict is the outcome of one run.
func (r run) Verdict() string {
	if r.Failed {
		return "**failed**"
	}
	return "held"
}

// Listed returns the counts of a run in order.
func (r run) Listed() string {
	var out []string
	for k, n := range r.Counts {
		out = append(out, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(out)
	return strings.Join(out, " · ")
}

// Machine describes where it ran.
func (rs runs) Machine() string {
	kernel, err := exec.Command("uname", "-sr").Output()
	if err != nil {
		kernel = []byte(runtime.GOOS)
	}
	return fmt.Sprintf("%s, %d cores, %s", strings.TrimSpace(string(kernel)), runtime.NumCPU(), runtime.Version())
}

// Commits lists what was tested.
func (rs runs) Commits() string {
	var out []string
	for _, r := range rs {
		if !slices.Contains(out, r.Commit) {
			out = append(out, r.Commit)
		}
	}
	return strings.Join(out, ", ")
}
