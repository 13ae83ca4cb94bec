package wire

import (
	"strconv"
	"strings"
)

// ParseContentRange reads "bytes from-to/total".
func ParseContentRange(field string) (from, total int64, ok bool) {
	rest, found := strings.CutPrefix(field, "bytes ")
	span, all, found2 := strings.Cut(rest, "/")
	first, _, found3 := strings.Cut(span, "-")
	from, err := strconv.ParseInt(first, 10, 64)
	total, err2 := strconv.ParseInt(all, 10, 64)
	return from, total, found && found2 && found3 && err == nil && err2 == nil
}
