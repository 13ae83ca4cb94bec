package chaos_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && strings.HasPrefix(os.Args[1], tracePrefix) {
		os.Exit(trace(strings.TrimPrefix(os.Args[1], tracePrefix), os.Args[2:]))
	}
	flag.Parse()
	os.Exit(rig.Main(m))
}

// amount is how often a test does what it does: the variable WHARF_CHAOS_name if it is
// set, else the release number or the short one.
func amount(t *testing.T, name string, short, release int) int {
	t.Helper()

	if text := os.Getenv("WHARF_CHAOS_" + name); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			t.Fatalf("WHARF_CHAOS_%s=%q is no number", name, text)
		}
		if n == 0 {
			t.Skipf("WHARF_CHAOS_%s is 0", name)
		}
		return n
	}
	if os.Getenv("WHARF_CHAOS") == "release" {
		return max(1, release*scale(t)/100)
	}
	return short
}

// scale is how many per cent of the release numbers are run: WHARF_CHAOS_SCALE, to try
// the whole thing out.
func scale(t *testing.T) int {
	t.Helper()
	text := os.Getenv("WHARF_CHAOS_SCALE")
	if text == "" {
		return 100
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("WHARF_CHAOS_SCALE=%q is no number of per cent", text)
	}
	return n
}

// release reports whether the release numbers are run, whole or scaled.
func release() bool { return os.Getenv("WHARF_CHAOS") == "release" }

// progress writes how far the test is to the file WHARF_CHAOS_PROGRESS, for whoever
// waits.
func progress(t *testing.T, done, of int) {
	t.Helper()
	name := os.Getenv("WHARF_CHAOS_PROGRESS")
	if name == "" {
		return
	}
	if err := os.WriteFile(name, fmt.Appendf(nil, "%s %d of %d\n", t.Name(), done, of), 0o644); err != nil {
		t.Fatal(err)
	}
}

// processes leaves a test out where no process may be started.
func processes(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real processes; left out in short mode")
	}
}

// seeded returns random choices that can be had again, and says how.
func seeded(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()

	s := uint64(time.Now().UnixNano())
	if text := os.Getenv("WHARF_CHAOS_SEED"); text != "" {
		var err error
		if s, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("WHARF_CHAOS_SEED: %v", err)
		}
	}
	t.Logf("WHARF_CHAOS_SEED=%d repeats the random choices of this test", s)
	return rand.New(rand.NewPCG(s, 1)), s
}

// workspace is where images and data go.
func workspace(t *testing.T) string {
	t.Helper()

	base := os.Getenv("WHARF_CHAOS_DIR")
	if base == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(base, "chaos")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var resultsMu sync.Mutex

// report writes down what a test has done, also when it failed: a number without a
// verdict is worth nothing, and a failure is a result.
func report(t *testing.T, seed uint64, counts map[string]int) {
	t.Helper()
	t.Logf("done: %v", counts)
	name := os.Getenv("WHARF_CHAOS_RESULTS")
	if name == "" {
		return
	}
	resultsMu.Lock()
	defer resultsMu.Unlock()
	line, err := json.Marshal(map[string]any{
		"test": t.Name(), "seed": fmt.Sprint(seed), "failed": t.Failed(), "counts": counts, "commit": commit(),
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}

// commit names what was tested; WHARF_CHAOS_COMMIT does where that is not this tree.
var commit = sync.OnceValue(func() string {
	if named := os.Getenv("WHARF_CHAOS_COMMIT"); named != "" {
		return named
	}
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
})

// tool finds a program of the system, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()

	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
		if p := filepath.Join(dir, name); exists(p) {
			return p
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
