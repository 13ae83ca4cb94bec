package localblob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
)

const asideFolder = "2026-11-23"

// shelved is a disk with one stored object, and the calls that led there.
func shelved(t testing.TB) (*faultfs.FS, blob.Driver, int) {
	t.Helper()
	disk := faultfs.New()
	d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.New(d, blob.Options{Sync: blob.SyncAnswer}).Put(context.Background(), putKey, blobtest.Bytes(putContent), nil); err != nil {
		t.Fatal(err)
	}
	return disk, d, disk.Calls()
}

// whereabouts says where the object is, at its key and set aside, and that each copy is
// whole.
func whereabouts(t testing.TB, disk *faultfs.FS, d blob.Driver) (key, aside bool) {
	t.Helper()
	if _, err := d.Stat(context.Background(), putKey); err == nil {
		key = true
		if got, err := d.Open(context.Background(), putKey, whole); err != nil || !same(t, got) {
			t.Fatalf("the object at its key is not whole: %v", err)
		}
	}
	dir := path.Join("quarantine", asideFolder)
	entries, err := disk.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		aside = true
		f, err := disk.OpenFile(path.Join(dir, e.Name()), os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !same(t, readerOf{io.NewSectionReader(f, 0, 1<<20), f}) {
			t.Fatal("the object that was set aside is not whole")
		}
	}
	return key, aside
}

var whole = core.Range{To: int64(len(putContent))}

type readerOf struct {
	io.Reader
	io.Closer
}

func same(t testing.TB, r io.ReadCloser) bool {
	t.Helper()
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(got, putContent)
}

// TestPowerCutAtEveryCallOfSettingAside: the bytes are under one name or both, whole;
// where that was answered, they are aside; and it can be done again.
func TestPowerCutAtEveryCallOfSettingAside(t *testing.T) {
	t.Parallel()
	points := 0
	for n, reached := 1, true; reached; n++ {
		for seed := range seeds() {
			disk, d, before := shelved(t)
			disk.Inject(at(before+n, faultfs.ErrDead))
			_, err := d.(blob.Shelf).SetAside(context.Background(), putKey, asideFolder)
			if reached = disk.Calls() >= before+n; reached && !errors.Is(err, faultfs.ErrDead) {
				t.Fatalf("call %d killed nobody: %v", n, err)
			}
			disk = disk.Crash(seed)
			lt := told2{t, fmt.Sprintf("cut at call %d, seed %d", n, seed)}
			if d, err = localblob.Open(context.Background(), localblob.Config{FS: disk}); err != nil {
				lt.Fatal(err)
			}
			key, aside := whereabouts(lt, disk, d)
			switch {
			case !key && !aside:
				lt.Fatal("the bytes are gone")
			case !reached && (key || !aside):
				lt.Fatalf("it was answered, and the object is at its key: %t, aside: %t", key, aside)
			}
			if key {
				if _, err := d.(blob.Shelf).SetAside(context.Background(), putKey, asideFolder); err != nil {
					lt.Fatalf("again: %v", err)
				}
			}
			if key, aside = whereabouts(lt, disk, d); key || !aside {
				lt.Fatalf("after it was done again, the object is at its key: %t, aside: %t", key, aside)
			}
		}
		points = n - 1
	}
	if points < 4 {
		t.Errorf("setting aside has only %d calls", points)
	}
}

// TestAFaultAtEveryCallOfSettingAsideLosesNothing: a call that fails leaves the bytes
// under one name, whole, and says so.
func TestAFaultAtEveryCallOfSettingAsideLosesNothing(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC} {
		for n, reached := 1, true; reached; n++ {
			disk, d, before := shelved(t)
			disk.Inject(at(before+n, fault))
			_, err := d.(blob.Shelf).SetAside(context.Background(), putKey, asideFolder)
			reached = disk.Calls() >= before+n
			disk.Inject(nil)
			lt := told2{t, fmt.Sprintf("%v at call %d, answered %v", fault, n, err)}
			key, aside := whereabouts(lt, disk, d)
			if key == aside {
				lt.Fatalf("the object is at its key: %t, aside: %t", key, aside)
			}
			if err == nil && !aside {
				lt.Fatal("it was answered, and is not aside")
			}
		}
	}
}
