package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestAFailedFlushStopsTheStoreForWritesAndReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		if s.Failure() != nil {
			t.Fatal("a new store has failed")
		}
		h := storetest.NewHome(t, s, -1)
		node := h.New(h.Root.ID, "a", catalog.File)
		again := s.Refuse("COMMIT", sqliteError(1034)) // SQLITE_IOERR_FSYNC
		stopped := func(what string, err error) {
			t.Helper()
			if !errs.Is(err, errs.Internal) || !errs.Has(err, errs.StoreStopped) || !errors.Is(err, sqliteError(1034)) {
				t.Errorf("%s: %v", what, err)
			}
		}
		stopped("the write whose flush failed", h.Names.InsertNode(h.Ctx, node))
		again()
		select {
		case <-s.Failed():
		default:
			t.Error("nobody is told")
		}
		stopped("why", s.Failure())
		stopped("a later write", h.Names.InsertNode(h.Ctx, node))
		_, err := h.Names.Node(h.Ctx, h.Root.ID)
		stopped("a read of what was there", err)
		_, err = h.Names.Node(h.Ctx, node.ID)
		stopped("a read of what may be there", err)
		_, err = h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: catalog.ByName, Limit: 10})
		stopped("a listing", err)
		_, err = s.Site(h.Ctx, "x")
		stopped("a fact about the site", err)
		stopped("the probe of its health", s.Ping(h.Ctx))
	})
}

// TestAStartFoldsTheLogOfAProcessThatDied: nothing that a start appends depends on
// pages of the log that only the memory of the machine may have.
func TestAStartFoldsTheLogOfAProcessThatDied(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(name string) *store.Store {
		s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(dir, name), Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	dead := open("dead.db")
	if err := dead.SetSite(t.Context(), "a", "kept"); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} { // as a process leaves them that is killed
		text, err := os.ReadFile(filepath.Join(dir, "dead.db"+end))
		if err != nil || len(text) == 0 {
			t.Fatalf("%d bytes in %q, %v", len(text), end, err)
		}
		if err := os.WriteFile(filepath.Join(dir, "next.db"+end), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := open("next.db")
	if log, err := os.Stat(filepath.Join(dir, "next.db-wal")); err != nil || log.Size() != 0 {
		t.Errorf("the log after a start: %v, %v", log, err)
	}
	if v, err := next.Site(t.Context(), "a"); v != "kept" || err != nil {
		t.Errorf("what was in the log reads %q, %v", v, err)
	}
}
