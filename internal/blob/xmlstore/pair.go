package xmlstore

import (
	"slices"
	"strings"
)

// Pair is a header or a query parameter.
type Pair struct{ Name, Value string }

// Sorted returns pairs in the order of their names.
func Sorted(pairs []Pair) []Pair {
	out := slices.Clone(pairs)
	slices.SortFunc(out, func(a, b Pair) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Value returns what pairs say of that name, "" if nothing.
func Value(pairs []Pair, name string) string {
	for _, p := range pairs {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// Query writes parameters as they stand in an address, in the order given. One
// without a value is its name alone.
func Query(pairs []Pair) string {
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(Encode(p.Name))
		if p.Value != "" {
			b.WriteString("=" + Encode(p.Value))
		}
	}
	return b.String()
}

// Encode leaves what RFC 3986 calls unreserved.
func Encode(s string) string { return escape(s, "-_.~") }

// EncodeKey is Encode for all of a key but its slashes.
func EncodeKey(key string) string { return escape(key, "-_.~/") }

// EncodePath is EncodeKey for a key in an address, where a slash that is its first
// would not be told from the one before it.
func EncodePath(key string) string {
	p := EncodeKey(key)
	if strings.HasPrefix(p, "/") {
		p = "%2F" + p[1:]
	}
	return p
}

func escape(s, keep string) string {
	const digits = "0123456789ABCDEF"
	plain := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(keep, c) >= 0
	}
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}
