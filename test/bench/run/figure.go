//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/wharfinger/wharfinger/test/bench/load"
)

// figure is one number of a result.
type figure struct {
	key, head, unit string
	less            bool // less is better
	of              func(load.Result) float64
}

var figures = []figure{
	{"mib_s", "MiB/s to the last answer", "MiB/s", false, func(r load.Result) float64 { return r.MiBps }},
	{"durable_mib_s", "MiB/s until on disk", "MiB/s durable", false, func(r load.Result) float64 { return r.DurableMiBps }},
	{"per_s", "per second", "/s", false, func(r load.Result) float64 { return r.PerSec }},
	{"p50_ms", "p50 ms", "ms p50", true, func(r load.Result) float64 { return r.P50ms }},
	{"p99_ms", "p99 ms", "ms p99", true, func(r load.Result) float64 { return r.P99ms }},
	{"cpu_s_gib", "server CPU s/GiB", "CPU s/GiB", true, func(r load.Result) float64 { return r.CPUPerGiB }},
	{"cpu_ms", "server CPU ms each", "CPU ms", true, func(r load.Result) float64 { return r.CPUms }},
	{"held", "held", "held", false, func(r load.Result) float64 { return float64(r.Held) }},
	{"rss_before_mib", "RSS before MiB", "MiB before", true, func(r load.Result) float64 { return r.RSS0 }},
	{"rss_mib", "RSS MiB", "MiB RSS", true, func(r load.Result) float64 { return r.RSS }},
	{"anon_mib", "of it anonymous MiB", "MiB anon", true, func(r load.Result) float64 { return r.Anon }},
	{"done_ms", "ms until the room is free", "ms done", true, func(r load.Result) float64 { return r.DoneMs }},
	{"wait_ms", "slowest other, ms", "ms slowest other", true, func(r load.Result) float64 { return r.WaitMs }},
	{"start_ms", "ms to the first answer", "ms start", true, func(r load.Result) float64 { return r.StartMs }},
}

func figureOf(key string) figure {
	i := slices.IndexFunc(figures, func(f figure) bool { return f.key == key })
	return figures[i]
}

// stat is the median of some rounds and what it lies between.
type stat struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	N      int     `json:"n"`
}

func statOf(v []float64) stat {
	if len(v) == 0 {
		return stat{}
	}
	v = slices.Sorted(slices.Values(v))
	mid := len(v) / 2
	median := v[mid]
	if len(v)%2 == 0 {
		median = (v[mid-1] + v[mid]) / 2
	}
	return stat{rounded(median), rounded(v[0]), rounded(v[len(v)-1]), len(v)}
}

// rounded keeps four digits: more would say more than was measured.
func rounded(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-3)
	return math.Round(math.Round(x/unit)*unit*1e6) / 1e6
}

func (s stat) String() string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return show(s.Median)
	}
	return fmt.Sprintf("%s (%s..%s)", show(s.Median), show(s.Min), show(s.Max))
}

func show(x float64) string {
	switch a := math.Abs(x); {
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	case a >= .1:
		return fmt.Sprintf("%.2f", x)
	case a == 0:
		return "0"
	}
	return fmt.Sprintf("%.3f", x)
}

// rounds are the results of one peer in one mode, by round.
type rounds map[int]load.Result

// measured is everything that counts: mode to peer to round.
type measured map[string]map[string]rounds

func collect(rs []load.Result) measured {
	m := measured{}
	for _, r := range rs {
		if !r.Verified || r.Err != "" || r.Skip != "" {
			continue
		}
		if m[r.Mode] == nil {
			m[r.Mode] = map[string]rounds{}
		}
		if m[r.Mode][r.Peer] == nil {
			m[r.Mode][r.Peer] = rounds{}
		}
		m[r.Mode][r.Peer][r.Round] = r
	}
	return m
}

func (m measured) stat(mode, peer string, f figure) stat {
	var v []float64
	for _, r := range m[mode][peer] {
		v = append(v, f.of(r))
	}
	return statOf(v)
}

func (m measured) noise(mode, peer string) stat {
	return m.stat(mode, peer, figure{of: func(r load.Result) float64 { return r.OtherCores }})
}

// ratio compares two measurements round by round.
func (m measured) ratio(f figure, mode, peer, mode2, peer2 string) stat {
	var v []float64
	for round, a := range m[mode][peer] {
		if b, ok := m[mode2][peer2][round]; ok && f.of(b) > 0 {
			v = append(v, f.of(a)/f.of(b))
		}
	}
	return statOf(v)
}
