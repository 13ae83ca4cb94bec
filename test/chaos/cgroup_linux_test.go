package chaos_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// group is a control group of one controller, of either version of the interface.
type group struct {
	t   *testing.T
	dir string
	v2  bool
}

// newGroup makes one beside or below the one that the test runs in; it skips the test
// where that cannot be done. v1 and v2 are the controller's names.
func newGroup(t *testing.T, v1, v2 string) *group {
	t.Helper()

	g := &group{t: t}
	const root = "/sys/fs/cgroup"
	text, err := os.ReadFile(root + "/cgroup.controllers")
	if err == nil && strings.Contains(string(text), v2) {
		g.v2 = true
		// Groups with processes cannot hand controllers on, the root can.
		_ = os.WriteFile(root+"/cgroup.subtree_control", []byte("+"+v2), 0o600)
		g.dir = root
	} else {
		own, err := ownGroup(v1)
		if err != nil {
			t.Skipf("there is no %s controller here: %v", v1, err)
		}
		g.dir = filepath.Join(root, v1, own)
	}
	dir, err := os.MkdirTemp(g.dir, "wharf-chaos-")
	if err != nil {
		t.Skipf("no control group can be made here: %v", err)
	}
	g.dir = dir
	t.Cleanup(func() {
		if err := os.Remove(g.dir); err != nil { // only an empty one goes
			t.Errorf("the control group is left: %v", err)
		}
	})
	return g
}

// ownGroup is the path of this process in a hierarchy of version 1.
func ownGroup(controller string) (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && f[1] == controller {
			return f[2], nil
		}
	}
	return "", errors.New("it is not mounted")
}

// set writes a limit, or skips the test.
func (g *group) set(v1, v2, value string) {
	g.t.Helper()
	name := v1
	if g.v2 {
		name = v2
	}
	if err := os.WriteFile(filepath.Join(g.dir, name), []byte(value), 0o600); err != nil {
		g.t.Skipf("%s cannot be set here: %v", name, err)
	}
}

// wrap runs a command inside.
func (g *group) wrap(argv []string) []string {
	return append([]string{"/bin/sh", "-c", `echo $$ >"$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs")}, argv...)
}

// read returns a number of the group: the whole of a file, or the line that begins with
// key.
func (g *group) read(name, key string) int64 {
	g.t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		g.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if key == "" || len(f) == 2 && f[0] == key {
			n, err := strconv.ParseInt(f[len(f)-1], 10, 64)
			if err != nil {
				g.t.Fatal(err)
			}
			return n
		}
	}
	g.t.Fatal(fmt.Errorf("%s has no %q", name, key))
	return 0
}
