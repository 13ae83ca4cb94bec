package faultfs_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
)

// write writes data to a file and syncs as told.
func write(t *testing.T, s *faultfs.FS, name string, data []byte, sync bool) {
	t.Helper()
	f, err := s.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.SyncData(); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// read returns what is in a file, nil if it is not there.
func read(t *testing.T, s *faultfs.FS, name string) []byte {
	t.Helper()
	f, err := s.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, st.Size())
	if _, err := f.ReadAt(out, 0); err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	return out
}

func syncRoot(t *testing.T, s *faultfs.FS) {
	t.Helper()
	if err := s.SyncDir("."); err != nil {
		t.Fatal(err)
	}
}

func some() []byte { return bytes.Repeat([]byte("x"), 5*faultfs.Page) }

// A model that loses nothing would prove everything: over many cuts each thing
// that can be lost must be, and each that was synced must stay.
func TestACutTakesWhatWasNotSyncedAndNothingElse(t *testing.T) {
	t.Parallel()
	var name, data, torn, size, moved int
	const cuts = 300
	for seed := range uint64(cuts) {
		s := faultfs.New()
		write(t, s, "safe", some(), true)
		syncRoot(t, s)
		write(t, s, "unnamed", some(), true)
		syncRoot(t, s)
		write(t, s, "unsynced", some(), false)
		syncRoot(t, s)
		write(t, s, "lost", some(), true)
		if err := s.Rename("unnamed", "renamed"); err != nil {
			t.Fatal(err)
		}
		s = s.Crash(seed)
		if got := read(t, s, "safe"); !bytes.Equal(got, some()) {
			t.Fatalf("seed %d: what was synced is lost", seed)
		}
		if read(t, s, "lost") == nil {
			name++
		}
		switch got := read(t, s, "unsynced"); {
		case len(got) != len(some()):
			size++
		case bytes.Equal(got, make([]byte, len(got))):
			data++
		case bytes.Contains(got, []byte("x\x00")):
			torn++
		}
		before, after := read(t, s, "unnamed"), read(t, s, "renamed")
		if before == nil && after == nil {
			t.Fatalf("seed %d: a rename lost its file", seed)
		}
		if after != nil {
			moved++
		}
	}
	for what, n := range map[string]int{"name": name, "data": data, "torn page": torn, "length": size, "renamed": moved} {
		if n == 0 || n == cuts {
			t.Errorf("%s: %d of %d cuts", what, n, cuts)
		}
	}
}

func TestAKilledProcessLeavesEverything(t *testing.T) {
	t.Parallel()
	s := faultfs.New()
	write(t, s, "f", some(), false)
	next := s.Kill()
	if got := read(t, next, "f"); !bytes.Equal(got, some()) {
		t.Error("lost")
	}
	if _, err := s.Stat("f"); !errors.Is(err, faultfs.ErrDead) {
		t.Errorf("the dead machine answers: %v", err)
	}
}

// After a sync that failed the pages look well, a second sync succeeds, and the
// medium has nothing: what Linux does.
func TestAFailedSyncLosesThePagesSilently(t *testing.T) {
	t.Parallel()
	s := faultfs.New()
	write(t, s, "f", nil, true)
	syncRoot(t, s)
	f, err := s.OpenFile("f", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(some(), 0); err != nil {
		t.Fatal(err)
	}
	s.Inject(func(c faultfs.Call) error {
		if c.Op == faultfs.OpSyncData {
			return syscall.EIO
		}
		return nil
	})
	if err := f.SyncData(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	s.Inject(nil)
	if err := f.SyncData(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, s, "f"), some()) {
		t.Error("the page cache forgot")
	}
	if got := read(t, s.Crash(1), "f"); bytes.Contains(got, []byte("x")) {
		t.Errorf("the medium has %d bytes", len(got))
	}
}

func TestRoomIsCounted(t *testing.T) {
	t.Parallel()
	s := faultfs.New()
	s.Limit(100)
	f, err := s.OpenFile("f", os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Preallocate(101); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if err := f.Preallocate(60); err != nil {
		t.Error(err)
	}
	if _, err := f.WriteAt(make([]byte, 101), 0); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if _, err := f.WriteAt(make([]byte, 60), 0); err != nil {
		t.Error(err)
	}
	if free, total, err := s.Free(); free != 40 || total != 100 || err != nil {
		t.Errorf("%d of %d: %v", free, total, err)
	}
}
