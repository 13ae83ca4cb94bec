package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/store/storetest"
	"github.com/wharfinger/wharfinger/test/rig"
)

// databases runs a test on SQLite and, where there is a server for tests, on PostgreSQL.
func databases(t *testing.T, run func(t *testing.T, db string)) {
	t.Run("SQLite", func(t *testing.T) { run(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, storetest.PostgresURL(t).Reveal()) })
}

// cli is one person's client: its sign-in is kept in a file of its own.
type cli struct {
	t      *testing.T
	config string
	env    []string // beside the usual

	mu      sync.Mutex
	running *exec.Cmd
}

func newCLI(t *testing.T, url string) *cli {
	t.Helper()

	dir := t.TempDir()
	c := &cli{t: t, config: filepath.Join(dir, "config.json")}
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(rig.AdminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.must("login", url, "--email", rig.AdminEmail, "--password-file", password)
	return c
}

// result is how a client process ended.
type result struct {
	code   int // −1: killed
	output string
}

// run runs one command to its end.
func (c *cli) run(args ...string) result {
	c.t.Helper()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, rig.Binary, args...)
	cmd.Env = append(append(rig.Environment(c.t), "WHARF_CONFIG="+c.config), c.env...)
	cmd.Stdout, cmd.Stderr = &out, &out

	c.mu.Lock()
	err := cmd.Start()
	c.running = cmd
	c.mu.Unlock()
	if err != nil {
		c.t.Fatal(err)
	}
	_ = cmd.Wait()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = nil
	return result{cmd.ProcessState.ExitCode(), out.String()}
}

// must runs one command that has to succeed.
func (c *cli) must(args ...string) string {
	c.t.Helper()

	r := c.run(args...)
	if r.code != 0 {
		c.t.Fatalf("wharf %v: exit %d\n%s", args, r.code, r.output)
	}
	return r.output
}

// kill ends the running command with SIGKILL.
func (c *cli) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running != nil {
		_ = c.running.Process.Kill()
	}
}
