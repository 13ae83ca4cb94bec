package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestClosedDatabaseHoldsNoFile: after Close nothing of the database is open, and
// its log is folded into the file.
func TestClosedDatabaseHoldsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(t.Context(), Config{Path: filepath.Join(dir, "closed.db"), Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.OfferSite(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no /proc here")
	}
	for _, e := range all {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("still open: %s", to)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "closed.db-wal")); err == nil {
		t.Error("the log was not folded into the file")
	}
}
