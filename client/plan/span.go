package plan

import (
	"math"
	"slices"
)

// span is the bytes [from, to).
type span struct{ from, to int64 }

// spans are sorted and apart. Only the span of a file of no bytes is empty.
type spans []span

// after is the index of the first that ends behind at.
func (s spans) after(at int64) int {
	i, _ := slices.BinarySearchFunc(s, at, func(x span, at int64) int {
		if x.to <= at {
			return -1
		}
		return 1
	})
	return i
}

// end is where the span that has byte at ends; at itself if none has it.
func (s spans) end(at int64) int64 {
	if i := s.after(at); i < len(s) && s[i].from <= at {
		return s[i].to
	}
	return at
}

// begin is where the next span begins that does not have byte at.
func (s spans) begin(at int64) int64 {
	i := s.after(at)
	if i < len(s) && s[i].from <= at {
		i++
	}
	if i == len(s) {
		return math.MaxInt64
	}
	return s[i].from
}

func (s spans) len() (n int64) {
	for _, x := range s {
		n += x.to - x.from
	}
	return n
}

func (s spans) add(x span) spans {
	if x.from >= x.to {
		return s
	}
	i := s.after(x.from)
	if i > 0 && s[i-1].to == x.from {
		i--
	}
	j := i
	for j < len(s) && s[j].from <= x.to {
		x.from, x.to = min(x.from, s[j].from), max(x.to, s[j].to)
		j++
	}
	return slices.Replace(s, i, j, x)
}

func (s spans) cut(x span) spans {
	if x.from == x.to {
		return slices.DeleteFunc(s, func(y span) bool { return y == x })
	}
	i := s.after(x.from)
	j := i
	var left []span
	for ; j < len(s) && s[j].from < x.to; j++ {
		if s[j].from < x.from {
			left = append(left, span{s[j].from, x.from})
		}
		if s[j].to > x.to {
			left = append(left, span{x.to, s[j].to})
		}
	}
	return slices.Replace(s, i, j, left...)
}
