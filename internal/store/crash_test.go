package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// crashEnv makes the test binary a process that writes until it is killed.
const crashEnv = "WHARF_STORE_CRASH"

func TestMain(m *testing.M) {
	if where := os.Getenv(crashEnv); where != "" {
		if err := writeUntilKilled(where); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func configOf(where string) store.Config {
	if strings.HasPrefix(where, "postgres://") {
		return store.Config{URL: core.Secret(where), Clock: fixed}
	}
	return store.Config{Path: where, Clock: fixed}
}

// writeUntilKilled adds files with versions from many goroutines and prints the
// id of each after its transaction was acknowledged.
func writeUntilKilled(where string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, configOf(where))
	if err != nil {
		return err
	}
	names := s.Catalog()
	u, err := names.UserByEmail(ctx, "crash@example.test")
	if err != nil {
		return err
	}
	root, err := names.Walk(ctx, u.ID, nil)
	if err != nil {
		return err
	}
	failed := make(chan error)
	var out sync.Mutex
	for range 16 {
		go func() {
			for {
				id, err := names.MintID(ctx)
				if err == nil {
					err = names.InTx(ctx, func(tx catalog.Tx) error { return addFile(ctx, tx, root[0], id) })
				}
				if err != nil {
					failed <- err
					return
				}
				out.Lock()
				fmt.Println(id)
				out.Unlock()
			}
		}()
	}
	return <-failed
}

func addFile(ctx context.Context, tx catalog.Tx, dir catalog.Node, id int64) error {
	name := strconv.FormatInt(id, 10)
	if err := tx.InsertNode(ctx, catalog.Node{
		ID: core.NodeID(id), Owner: dir.Owner, Parent: dir.ID, Name: name, Key: name, Kind: catalog.File, Size: 3,
		Version: core.VersionID(id),
	}); err != nil {
		return err
	}
	if err := tx.Reserve(ctx, dir.Owner, 3); err != nil {
		return err
	}
	if err := tx.Settle(ctx, dir.Owner, 3); err != nil {
		return err
	}
	return tx.AddVersion(ctx, catalog.Version{
		ID: core.VersionID(id), Node: core.NodeID(id), Owner: dir.Owner, Size: 3, Policy: 1, Blob: name, Creator: dir.Owner,
	})
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "wharf.db") },
		"postgres": func(t *testing.T) string { return storetest.PostgresURL(t).Reveal() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := where(t)
			var acknowledged []int64
			for round := range 5 {
				acknowledged = append(acknowledged, killedAfter(t, at, round == 0, 40+round*97)...)
				proveRows(t, at, acknowledged)
			}
		})
	}
}

// killedAfter starts the writing process, kills it after n answers and returns
// all that it acknowledged until then.
func killedAfter(t *testing.T, where string, first bool, n int) []int64 {
	t.Helper()
	if first {
		s, err := store.Open(t.Context(), configOf(where))
		if err != nil {
			t.Fatal(err)
		}
		u := catalog.User{ID: 1001, Email: "crash@example.test", Group: 2, Status: catalog.Active, Quota: 1 << 40}
		if err := s.Catalog().AddUser(t.Context(), u, 1002); err != nil {
			t.Fatal(err)
		}
		for range 10 { // 1001 and 1002 are not for the writers
			if _, err := s.Catalog().MintID(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), crashEnv+"="+where)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for sc := bufio.NewScanner(stdout); sc.Scan(); {
		id, err := strconv.ParseInt(sc.Text(), 10, 64)
		if err != nil {
			break // cut in the middle of a line
		}
		if ids = append(ids, id); len(ids) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) < n {
		t.Fatalf("the writer ended by itself after %d answers: %v", len(ids), err)
	}
	return ids
}

func proveRows(t *testing.T, where string, acknowledged []int64) {
	t.Helper()
	s, err := store.Open(t.Context(), configOf(where))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	names, lost := s.Catalog(), 0
	for _, id := range acknowledged {
		_, nodeErr := names.Node(t.Context(), core.NodeID(id))
		_, versionErr := names.Version(t.Context(), core.VersionID(id))
		if nodeErr != nil || versionErr != nil {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged transactions are lost", lost, len(acknowledged))
	}
	found, err := s.Check(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("after the kill: %v, %v", found, err)
	}
}
