//go:build linux

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/test/bench/load"
)

func TestSlowerNamesWhatFellBehind(t *testing.T) {
	t.Parallel()

	of := func(median float64, less bool) ratio { return ratio{stat{Median: median, N: 5}, less} }
	was := map[string]ratio{"speed": of(1, false), "cpu": of(1, true), "speed, near": of(1, false), "cpu, near": of(1, true), "faster": of(1, false), "gone": of(1, false)}
	now := map[string]ratio{"speed": of(.8, false), "cpu": of(1.2, true), "speed, near": of(.9, false), "cpu, near": of(1.1, true), "faster": of(2, false), "new": of(.1, false)}
	worse := slower(now, was)
	if len(worse) != 2 || !strings.HasPrefix(worse[0], "cpu: 1.20") || !strings.HasPrefix(worse[1], "speed: 0.80") {
		t.Errorf("got %q, want cpu and speed alone", worse)
	}
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	t.Parallel()

	r := func(peer string, round int, speed float64, verified bool) load.Result {
		return load.Result{Peer: peer, Mode: "get", Round: round, MiBps: speed, Verified: verified}
	}
	m := collect([]load.Result{
		r(ours, 1, 10, true), r("x", 1, 10, true), r(ours, 2, 100, true), r("x", 2, 50, true), r(ours, 3, 3, true), r("x", 3, 1, true),
		r(ours, 4, 1e9, false), r("x", 4, 1, true), // not verified: counts for nothing
	})
	got := m.ratio(figureOf("mib_s"), "get", ours, "get", "x")
	if want := (stat{2, 1, 3, 3}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMedianOfEvenAndOdd(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		in   []float64
		want stat
	}{
		{nil, stat{}},
		{[]float64{3, 1, 2}, stat{2, 1, 3, 3}},
		{[]float64{4, 1, 2, 3}, stat{2.5, 1, 4, 4}},
		{[]float64{123456}, stat{123500, 123500, 123500, 1}},
	} {
		if got := statOf(slices.Clone(c.in)); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
}

func TestSpliceKeepsWhatWasWrittenByHand(t *testing.T) {
	t.Parallel()

	got, err := splice("story\n"+beginMark+"\nold\n"+endMark+"\nmore\n", "new\n")
	want := "story\n" + beginMark + "\n\nnew\n\n" + endMark + "\nmore\n"
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := splice("no marks", "new"); err == nil {
		t.Error("a page without marks was taken")
	}
}
