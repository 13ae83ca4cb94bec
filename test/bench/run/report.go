//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

const (
	pagePath = "docs/PERFORMANCE.md"
	dataPath = "docs/performance.json"

	beginMark = "<!-- bench: everything from here to the end mark is written by make bench -->"
	endMark   = "<!-- bench: end -->"

	tolerance = 0.15 // how much worse a ratio may be than the committed one
)

// ratio is our server against another in the same rounds.
type ratio struct {
	stat
	Less bool `json:"less_is_better"`
}

// report is what a run found; it is kept as docs/performance.json.
type report struct {
	Machine  machine                               `json:"machine"`
	Versions map[string]string                     `json:"versions"`
	Rounds   int                                   `json:"rounds"`
	Minutes  float64                               `json:"minutes"`
	Failed   int                                   `json:"failed_measurements"`
	Skipped  map[string]string                     `json:"skipped,omitempty"`
	Figures  map[string]map[string]map[string]stat `json:"figures"` // mode, peer, figure
	Ratios   map[string]ratio                      `json:"ratios"`

	m measured
	o options
}

func newReport(s *suite) *report {
	r := &report{
		Machine: readMachine(s.o), Versions: readVersions(s.o), Rounds: s.o.rounds, Failed: len(s.broken()),
		Skipped: map[string]string{}, Figures: map[string]map[string]map[string]stat{}, Ratios: map[string]ratio{},
		m: collect(s.results), o: s.o,
	}
	for _, x := range s.results {
		if x.Skip != "" {
			r.Skipped[x.Mode] = x.Skip
		}
	}
	for mode, peers := range r.m {
		r.Figures[mode] = map[string]map[string]stat{}
		for peer := range peers {
			all := map[string]stat{"other_cores": r.m.noise(mode, peer)}
			for _, f := range figures {
				if st := r.m.stat(mode, peer, f); st.Median != 0 {
					all[f.key] = st
				}
			}
			r.Figures[mode][peer] = all
		}
	}
	for _, t := range tables {
		for _, b := range t.bases {
			f := figureOf(b.key)
			if st := r.m.ratio(f, t.mode, ours, t.mode, b.peer); st.N > 0 {
				r.Ratios[t.mode+": "+f.key+" / "+b.peer] = ratio{st, f.less}
			}
		}
	}
	r.listRatios()
	return r
}

// listRatios compares the largest folder with the smallest.
func (r *report) listRatios() {
	f := figureOf("p50_ms")
	small, large := r.o.folders[0], r.o.folders[len(r.o.folders)-1]
	for _, order := range listOrders {
		for _, depth := range []string{"first", "deep"} {
			mode := func(n int) string { return fmt.Sprintf("list/%d/%s/%s", n, order, depth) }
			if st := r.m.ratio(f, mode(large), ours, mode(small), ours); st.N > 0 {
				r.Ratios[fmt.Sprintf("list %s %s: %d / %d", order, depth, large, small)] = ratio{st, true}
			}
		}
	}
}

// compare tells which ratios are worse than in the committed table.
func (r *report) compare() (worse []string, compared int, err error) {
	text, err := exec.Command("git", "show", "HEAD:"+dataPath).Output()
	if err != nil {
		fmt.Println("bench: there is no committed table to compare with")
		return nil, 0, nil //nolint:nilerr // the first run has none
	}
	var was report
	if err := json.Unmarshal(text, &was); err != nil {
		return nil, 0, fmt.Errorf("%s as committed: %w", dataPath, err)
	}
	for name := range r.Ratios {
		if was.Ratios[name].Median > 0 {
			compared++
		}
	}
	return slower(r.Ratios, was.Ratios), compared, nil
}

func slower(now, was map[string]ratio) (worse []string) {
	for _, name := range sortedKeys(now) {
		n, w := now[name], was[name]
		if w.Median == 0 || n.Median == 0 {
			continue
		}
		change := w.Median / n.Median
		if w.Less {
			change = n.Median / w.Median
		}
		if change > 1+tolerance {
			worse = append(worse, fmt.Sprintf("%s: %v, committed %v", name, n.stat, w.stat))
		}
	}
	return worse
}

// publish writes the machine-readable table and the part of the page between the marks.
func (r *report) publish() error {
	if len(r.m) == 0 {
		return errors.New("nothing was measured")
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(dataPath, append(text, '\n'), 0o644); err != nil {
		return err
	}
	page, err := os.ReadFile(pagePath)
	if err != nil {
		return err
	}
	fresh, err := splice(string(page), r.tables())
	if err != nil {
		return err
	}
	return os.WriteFile(pagePath, []byte(fresh), 0o644)
}

// splice puts text between the marks of the page.
func splice(page, text string) (string, error) {
	before, rest, ok := strings.Cut(page, beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return "", fmt.Errorf("%s lacks its marks %q and %q", pagePath, beginMark, endMark)
	}
	return before + beginMark + "\n\n" + strings.TrimSpace(text) + "\n\n" + endMark + after, nil
}
