package core_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestPublicIDsRoundTripAndRefuseForeignOnes(t *testing.T) {
	ids, other := core.NewIDs([32]byte{1}), core.NewIDs([32]byte{2})
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int64Range(0, 1<<53).Draw(t, "id")
		s := ids.Encode(core.TagFile, id)
		if got, err := ids.Decode(core.TagFile, s); err != nil || got != id {
			t.Fatalf("decode(%q) = %d, %v", s, got, err)
		}
		if _, err := ids.Decode(core.TagUser, s); !errs.Has(err, errs.BadID) {
			t.Fatalf("another type was accepted: %v", err)
		}
		if _, err := other.Decode(core.TagFile, s); !errs.Has(err, errs.BadID) {
			t.Fatalf("another site's id was accepted: %v", err)
		}
	})
	for _, s := range []string{"", "x", "zzzzzzzzzzzzzzzzzzzzzz", "../../../../../../etc/", ids.Encode(1, 1) + "0"} {
		if _, err := ids.Decode(core.TagFile, s); !errs.Has(err, errs.BadID) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestPathsNeverClimbAboveTheRoot(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/": "/", "//": "/", "..": "/", "/../..": "/", "/a/../../b": "/b",
		"/a//b/": "/a/b", "/a/./b": "/a/b", "a": "/a",
	} {
		p, err := core.ParsePath(in)
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, p, err, want)
		}
	}
	if _, err := core.JoinPath([]string{"a/b"}); err == nil {
		t.Error("a slash inside an element was accepted")
	}
	a, _ := core.ParsePath("/a")
	ab, _ := core.ParsePath("/ab")
	if ab.Under(a) || !a.Join("b").Under(a) || !a.Under(core.Root) {
		t.Error("Under is not separator-aware")
	}
	if a.Join("b").Dir() != a || a.Dir() != core.Root || a.Join("b").Name() != "b" || core.Root.Name() != "" {
		t.Error("Dir or Name")
	}
}

func TestRangeSetIsTheSetOfItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set core.RangeSet
		model := make([]bool, 64)
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			from := rapid.Int64Range(0, 63).Draw(t, "from")
			r := core.Range{From: from, To: rapid.Int64Range(from, 64).Draw(t, "to")}
			set = set.Add(r)
			for i := r.From; i < r.To; i++ {
				model[i] = true
			}
		}
		var n int64
		for i, in := range model {
			if in {
				n++
			}
			if set.Covers(core.Range{From: int64(i), To: int64(i) + 1}) != in {
				t.Fatalf("byte %d: %v", i, set)
			}
		}
		if set.Len() != n {
			t.Fatalf("len %d, want %d", set.Len(), n)
		}
		for i, r := range set {
			if r.Len() <= 0 || i > 0 && r.From <= set[i-1].To {
				t.Fatalf("not sorted and disjoint: %v", set)
			}
		}
		missing := set.Missing(core.Range{From: 0, To: 64})
		if missing.Len()+set.Len() != 64 {
			t.Fatalf("missing %v of %v", missing, set)
		}
	})
}

func TestSecretsDoNotPrint(t *testing.T) {
	s := core.Secret("hunter2")
	j, _ := json.Marshal(map[string]any{"s": s})
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %#v %q", s, s, s, s), string(j)} {
		if strings.Contains(out, "hunter2") {
			t.Errorf("printed: %s", out)
		}
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal")
	}
}

func TestUUIDsAreVersion4(t *testing.T) {
	u := core.NewUUID()
	if len(u) != 36 || u[14] != '4' || (u[19] != '8' && u[19] != '9' && u[19] != 'a' && u[19] != 'b') || u == core.NewUUID() {
		t.Error(u)
	}
}
