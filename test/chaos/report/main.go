// Command report writes docs/RELIABILITY.md from what the chaos tests have noted down:
//
//	go run ./test/chaos/report RESULTS.jsonl… > docs/RELIABILITY.md
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
	Test    string         `json:"test"`
	Seed    string         `json:"seed"`
	Commit  string         `json:"commit"`
	Failed  bool           `json:"failed"`
	Skipped string         `json:"skipped"` // why it was not run
	Counts  map[string]int `json:"counts"`
}

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("usage: report RESULTS.jsonl…")
	}
	var all runs
	for _, name := range os.Args[1:] {
		some, err := read(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, some...)
	}
	slices.SortStableFunc(all, func(a, b run) int { return strings.Compare(a.Test, b.Test) })
	t, err := template.New("page").Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(os.Stdout, all)
}

func read(name string) (some runs, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r run
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		some = append(some, r)
	}
	return some, lines.Err()
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
	for _, r := range of {
		if r.Skipped != "" && n == 0 {
			return "not run: " + r.Skipped
		}
	}
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

// Faults leaves the fuzz targets out.
func (rs runs) Faults() runs {
	return slices.DeleteFunc(slices.Clone(rs), func(r run) bool { return strings.HasPrefix(r.Test, "./") })
}

// PutCell adds up both ways to cut a PUT.
func (rs runs) PutCell() string {
	of := rs.Of("TestAPutThatIsCut")
	n := of.Sum("PUTs cut by end") + of.Sum("PUTs cut by reset")
	switch {
	case n == 0:
		return "not run"
	case slices.ContainsFunc(of, func(r run) bool { return r.Failed }):
		return "**broken**"
	}
	return fmt.Sprintf("name and quota are free at once (%d)", n)
}

// FolderCell adds up what was done to folders under uploads, in all tests.
func (rs runs) FolderCell() string {
	done := rs.Sum("acknowledged: rename of a folder") + rs.Sum("acknowledged: delete of a folder")
	refused := rs.Sum("refused: rename of a folder while an upload runs in it") + rs.Sum("refused: delete of a folder while an upload runs in it")
	if done+refused == 0 {
		return "not run"
	}
	return fmt.Sprintf("done, and the file is in the folder (%d), or refused with the upload's name (%d); one whose lock its owner takes away is told so (%d)",
		done, refused, rs.Sum("uploads told that their lock was taken"))
}

// Verdict is the outcome of one run.
func (r run) Verdict() string {
	switch {
	case r.Failed:
		return "**failed**"
	case r.Skipped != "":
		return "not run: " + r.Skipped
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
		if r.Commit != "" && !slices.Contains(out, r.Commit) {
			out = append(out, r.Commit)
		}
	}
	return strings.Join(out, ", ")
}
