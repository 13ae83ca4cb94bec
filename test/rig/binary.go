package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Binary is the binary under test; Main sets it.
var Binary string

// Main runs the tests of a package with Binary in place and returns the exit code.
func Main(m *testing.M) int {
	Binary = os.Getenv("WHARF_BIN")
	if Binary == "" && !testing.Short() {
		dir, err := os.MkdirTemp("", "wharf-bin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		Binary = filepath.Join(dir, "wharf")
		build := exec.Command("go", "build", "-trimpath", "-o", Binary, "github.com/wharfinger/wharfinger/cmd/wharf")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building wharf:", err)
			return 1
		}
	}
	return m.Run()
}
