package localblob_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// starting is a file system whose files can begin to flush, and which keeps a
// record of what they were asked for.
type starting struct {
	localblob.FS
	mu    sync.Mutex
	calls []string
	// failing makes the flush of every write that was started fail, which only
	// the sync of the same descriptor is told (errseq_t).
	failing bool
}

func (s *starting) note(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf(format, a...))
}

func (s *starting) OpenFile(name string, flag int, perm fs.FileMode) (localblob.File, error) {
	f, err := s.FS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &startingFile{File: f, s: s}, nil
}

type startingFile struct {
	localblob.File
	s       *starting
	started bool
}

func (f *startingFile) StartFlush(off, n int64) {
	f.started = true
	f.s.note("start %d+%d", off>>20, n>>20)
}

func (f *startingFile) SyncData() error {
	f.s.note("sync")
	if f.s.failing && f.started {
		return syscall.EIO
	}
	return f.File.SyncData()
}

// TestAFlushStartsWhileTheChunkStillComesIn: only bytes of the chunk, each
// once, only where a sync of the same descriptor follows.
func TestAFlushStartsWhileTheChunkStillComesIn(t *testing.T) {
	t.Parallel()
	const size = 10 << 20
	data := blobtest.Content(1, size)
	for sync, want := range map[blob.Sync]string{
		blob.SyncAnswer:   "start 1+4, start 5+4, sync",
		blob.SyncComplete: "",
		blob.SyncNever:    "",
	} {
		disk := &starting{FS: faultfs.New()}
		d := open(t, localblob.Config{FS: disk})
		b := blob.New(d, blob.Options{Sync: sync})
		h, err := b.Begin(t.Context(), "u0/upload", size)
		if err != nil {
			t.Fatal(err)
		}
		disk.calls = nil
		r := core.Range{From: 1 << 20, To: size}
		if _, err := b.WriteAt(t.Context(), h, blob.Write{Range: r, Body: bytes.NewReader(data[r.From:])}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(disk.calls, ", "); got != want {
			t.Errorf("%s: %s, want %s", sync, got, want)
		}
		staged, err := d.(blob.Parts).Staged(t.Context(), h, r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(staged); err != nil || !bytes.Equal(got, data[r.From:]) {
			t.Errorf("%s: other bytes than were sent: %v", sync, err)
		}
		_ = staged.Close()
	}
}

// TestAFlushThatWasStartedAndFailedIsTold by the sync at the end, and the
// storage takes no more writes.
func TestAFlushThatWasStartedAndFailedIsTold(t *testing.T) {
	t.Parallel()
	const size = 8 << 20
	data := blobtest.Content(1, size)
	disk := &starting{FS: faultfs.New(), failing: true}
	b := blob.New(open(t, localblob.Config{FS: disk}), blob.Options{Sync: blob.SyncAnswer})
	h, err := b.Begin(t.Context(), "u0/upload", size)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := b.WriteAt(t.Context(), h, blob.Write{Range: core.Range{To: size}, Body: bytes.NewReader(data)}); err == nil {
			t.Fatal("a chunk was acknowledged that the disk did not take")
		}
	}
	if got := strings.Count(strings.Join(disk.calls, ","), "sync"); got != 1 {
		t.Errorf("%d syncs after one failed, want none", got-1)
	}
}
