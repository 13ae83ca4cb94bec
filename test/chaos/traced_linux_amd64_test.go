package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// traced runs the world's server under a tracer that follows p.
type traced struct {
	*world
	plan   plan
	report string
	code   int // how the server ended, when it did by itself; else -1
}

func (w *world) under(t *testing.T, mode string, p plan) *traced {
	t.Helper()

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &traced{world: w, plan: p, report: filepath.Join(t.TempDir(), "report")}
	kinds := "*"
	if p.kinds != nil {
		kinds = strings.Join(p.kinds, "+")
	}
	arg := fmt.Sprintf("%s%s,%d,%d,%s,%s,%s", tracePrefix, mode, p.nth, p.count, kinds, p.path, x.report)
	w.srv.Wrap = func(argv []string) []string { return append([]string{self, arg}, argv...) }
	return x
}

// arm begins the counting.
func (x *traced) arm() {
	x.t.Helper()
	if err := syscall.Kill(x.srv.PID(), syscall.SIGUSR1); err != nil {
		x.t.Fatal(err)
	}
	for range 1000 {
		if exists(x.report + ".armed") {
			return
		}
		time.Sleep(time.Millisecond)
	}
	x.t.Fatal("the tracer was not armed")
}

// disarm ends the counting: no further call fails.
func (x *traced) disarm() {
	_ = syscall.Kill(x.srv.PID(), syscall.SIGUSR2)
	for range 1000 {
		if exists(x.report + ".disarmed") {
			return
		}
		time.Sleep(time.Millisecond)
	}
	x.t.Fatal("the tracer was not disarmed")
}

// end stops the server if it still runs, and says how many calls were counted and which
// were hit.
func (x *traced) end() (seen int, hits []string) {
	x.t.Helper()
	_ = syscall.Kill(x.srv.PID(), syscall.SIGTERM)
	select {
	case <-x.srv.Exited():
	case <-time.After(20 * time.Second):
		x.t.Fatal("the tracer does not end")
	}
	x.srv.Kill()
	x.srv.Wrap = nil
	text := strings.Fields(rig.Tail(x.report, 1<<20))
	if len(text) < 2 {
		x.t.Fatal("the tracer left no report")
	}
	seen, err := strconv.Atoi(text[0])
	if err == nil {
		x.code, err = strconv.Atoi(text[1])
	}
	if err != nil {
		x.t.Fatalf("the tracer's report: %v", err)
	}
	return seen, text[2:]
}
