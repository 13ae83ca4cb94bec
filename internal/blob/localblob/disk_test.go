package localblob

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

func write(t *testing.T, r *os.Root, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := r.WriteFile(name, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Every way to rename refuses to replace, and mends a file that a crash left
// under two names.
func TestRenameNeverReplaces(t *testing.T) {
	t.Parallel()
	for name, rename := range map[string]func(d disk, from, to string) error{
		"renameat2":     func(d disk, from, to string) error { return d.Rename(from, to) },
		"link + unlink": func(d disk, from, to string) error { return d.linkAndUnlink(from, to) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := openDisk(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = d.root.Close() }()
			if err := errors.Join(d.Mkdir("a", 0o700), d.Mkdir("b", 0o700)); err != nil {
				t.Fatal(err)
			}
			write(t, d.root, "a/1", "a/2", "b/2")
			if err := rename(d, "a/1", "b/1"); err != nil {
				t.Error(err)
			}
			if got, err := d.root.ReadFile("b/1"); string(got) != "a/1" || err != nil {
				t.Errorf("%q %v", got, err)
			}
			if err := rename(d, "a/2", "b/2"); !errors.Is(err, fs.ErrExist) {
				t.Errorf("over another: %v", err)
			}
			if got, err := d.root.ReadFile("b/2"); string(got) != "b/2" || err != nil {
				t.Errorf("replaced: %q %v", got, err)
			}
			if err := rename(d, "a/1", "b/3"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of nothing: %v", err)
			}
			if err := d.root.Link("a/2", "b/4"); err != nil {
				t.Skipf("no hard links: %v", err)
			}
			if err := d.Rename("a/2", "b/4"); err != nil {
				t.Errorf("to itself: %v", err)
			}
			if _, err := d.Stat("a/2"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the old name stays: %v", err)
			}
			if err := d.SyncDir("b"); err != nil {
				t.Error(err)
			}
			if err := d.SyncDir("none"); !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		})
	}
}

func TestPreallocationKeepsTheLength(t *testing.T) {
	t.Parallel()
	d, err := openDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.root.Close() }()
	f, err := d.OpenFile("f", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Preallocate(1 << 20); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if err := errors.Join(f.Preallocate(0), f.SyncData(), f.Sync()); err != nil {
		t.Error(err)
	}
	if st, err := f.Stat(); err != nil || st.Size() != 0 {
		t.Errorf("%v %v", st, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.SyncData(); err == nil {
		t.Error("a closed file was synced")
	}
	free, total, err := d.Free()
	if err != nil || free <= 0 || total < free {
		t.Errorf("free %d of %d: %v", free, total, err)
	}
}
