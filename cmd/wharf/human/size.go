package human

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Size is a number of bytes as people write it: 5MiB, 5MB, 5M, 5242880.
// All units are powers of 1024.
type Size struct {
	Bytes int64
	Set   bool // 0 was written, and not nothing
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := parseSize(string(text))
	if err != nil {
		return err
	}
	s.Bytes, s.Set = n, true
	return nil
}

func parseSize(text string) (int64, error) {
	bad := errs.Newf(errs.Invalid, errs.BadParam, "%q is not a size. Write bytes or a number with KiB, MiB, GiB, TiB or PiB.", text)
	t := strings.ToUpper(strings.TrimSpace(text))
	shift := 0
	t = strings.TrimSuffix(strings.TrimSuffix(t, "B"), "I")
	if t != "" {
		if i := strings.IndexByte("KMGTP", t[len(t)-1]); i >= 0 {
			t, shift = strings.TrimSpace(t[:len(t)-1]), 10*(i+1)
		}
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil || f < 0 || math.IsNaN(f) {
		return 0, bad
	}
	f = math.Ldexp(f, shift)
	if f > 1<<53 {
		return 0, bad
	}
	return int64(math.Round(f)), nil
}

// ShowSize writes bytes with one decimal in the largest fitting unit.
func ShowSize(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	f, units := float64(n), "KMGTPE"
	i := -1
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return fmt.Sprintf("%.1f %ciB", f, units[i])
}
