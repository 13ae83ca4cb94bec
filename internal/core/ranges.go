package core

import "slices"

// Range is the half-open byte range [From, To) of a file. 0 ≤ From ≤ To.
type Range struct{ From, To int64 }

// Len returns the number of bytes in r.
func (r Range) Len() int64 { return r.To - r.From }

// Valid reports whether 0 ≤ From ≤ To.
func (r Range) Valid() bool { return 0 <= r.From && r.From <= r.To }

// RangeSet is a set of bytes as sorted, disjoint, non-empty ranges that do not
// touch. The zero value is empty. Methods never change their receiver.
type RangeSet []Range

// Add returns the union of s and r. An empty or invalid r adds nothing.
func (s RangeSet) Add(r Range) RangeSet {
	if !r.Valid() || r.Len() == 0 {
		return s
	}
	i, _ := slices.BinarySearchFunc(s, r.From, func(x Range, from int64) int {
		if x.To < from {
			return -1
		}
		return 1
	})
	j := i
	for j < len(s) && s[j].From <= r.To {
		r.From, r.To = min(r.From, s[j].From), max(r.To, s[j].To)
		j++
	}
	return slices.Concat(s[:i], RangeSet{r}, s[j:])
}

// Covers reports whether every byte of r is in s. The empty range always is.
func (s RangeSet) Covers(r Range) bool {
	if r.Len() == 0 {
		return true
	}
	for _, x := range s {
		if x.From <= r.From && r.To <= x.To {
			return true
		}
	}
	return false
}

// Len returns the number of bytes in s.
func (s RangeSet) Len() (n int64) {
	for _, r := range s {
		n += r.Len()
	}
	return n
}

// Missing returns what s lacks of r, in order.
func (s RangeSet) Missing(r Range) RangeSet {
	var out RangeSet
	at := r.From
	for _, x := range s {
		if x.To <= at {
			continue
		}
		if x.From >= r.To {
			break
		}
		if x.From > at {
			out = append(out, Range{at, x.From})
		}
		at = x.To
	}
	if at < r.To {
		out = append(out, Range{at, r.To})
	}
	return out
}
