// Package e2e_test runs the real binary, as a person would: a server process, client
// processes, a network between them, and kill -9 for both.
//
// WHARF_BIN names the binary (otherwise it is built), WHARF_E2E_SIZE the size of the
// big file (256MiB), WHARF_E2E_SEED a seed to repeat a run with.
package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(rig.Main(m))
}

// long leaves a test out of short runs: it starts processes and moves much data.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real processes; left out in short mode")
	}
}

// seed returns the run's seed and prints it, so that a failure can be repeated.
func seed(t *testing.T) uint64 {
	t.Helper()

	s := uint64(time.Now().UnixNano())
	if text := os.Getenv("WHARF_E2E_SEED"); text != "" {
		var err error
		if s, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("WHARF_E2E_SEED: %v", err)
		}
	}
	t.Logf("WHARF_E2E_SEED=%d repeats this run's random choices", s)
	return s
}

// bigSize is the size of the file that goes through the kills.
func bigSize(t *testing.T) int64 {
	t.Helper()

	text := os.Getenv("WHARF_E2E_SIZE")
	if text == "" {
		return 256 << 20
	}
	for suffix, unit := range map[string]int64{"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil || n <= 0 {
				t.Fatalf("WHARF_E2E_SIZE=%q: want a number before %s", text, suffix)
			}
			return n * unit
		}
	}
	t.Fatalf("WHARF_E2E_SIZE=%q: want 256MiB, 3GiB or the like", text)
	return 0
}

// randomFile writes size bytes that no compression and no hole can fake, and returns
// their SHA-256. The last chunk is made an odd one.
func randomFile(t *testing.T, path string, size int64, seed uint64) string {
	t.Helper()

	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, sum), rand.NewChaCha8(key), size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func fileSum(t *testing.T, path string) string {
	t.Helper()

	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
