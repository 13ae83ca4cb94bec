package localblob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestOnlyTheOwnerMayReadWhatIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "us")
	d := open(t, localblob.Config{Root: dir})
	if _, err := d.Put(t.Context(), "a/b", blobtest.Bytes(content), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.(blob.Parts).Begin(t.Context(), "a/c", 10, blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := e.Info()
		if err != nil {
			return err
		}
		if st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, st.Mode())
		}
		if !e.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, rel)
		}
		return nil
	})
	if want := "blobs/a./a.b staging/a./a.c"; err != nil || strings.Join(names, " ") != want {
		t.Errorf("%v %v, want %s", names, err, want)
	}
}

func TestNothingIsReachedThroughALinkThatLeadsOut(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	d := open(t, localblob.Config{Root: dir})
	if err := os.WriteFile(filepath.Join(out, "secret"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "blobs"), 0o700), os.Symlink(out, filepath.Join(dir, "blobs/se"))); err != nil {
		t.Fatal(err)
	}
	b := blob.New(d, blob.Options{})
	_, stat := b.Stat(t.Context(), "secret")
	_, read := b.Open(t.Context(), "secret", core.Range{To: 1}, nil)
	_, file := b.OpenFile(t.Context(), "secret")
	failed, _ := b.Delete(t.Context(), []string{"secret"})
	if stat == nil || read == nil || file == nil || len(failed) != 1 {
		t.Errorf("escaped: %v %v %v %v", stat, read, file, failed)
	}
	if _, err := os.Stat(filepath.Join(out, "secret")); err != nil {
		t.Error(err)
	}
	// Nor is what is no file at all.
	if err := os.MkdirAll(filepath.Join(dir, "blobs/di/dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, stat = b.Stat(t.Context(), "dir")
	_, read = b.Open(t.Context(), "dir", core.Range{}, nil)
	_, file = b.OpenFile(t.Context(), "dir")
	for _, err := range []error{stat, read, file} {
		if !errs.Is(err, errs.Internal) {
			t.Errorf("a directory: %v", err)
		}
	}
}

func TestOpenSaysWhyItCannot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	odd := t.TempDir()
	if err := os.WriteFile(filepath.Join(odd, "blobs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"", file, filepath.Join(file, "below"), odd} {
		if _, err := localblob.Open(t.Context(), localblob.Config{Root: root}); err == nil || !strings.Contains(err.Error(), root) {
			t.Errorf("root %q: %v", root, err)
		}
	}
}

func TestOpenRefusesTwoFileSystems(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "staging"), 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, "tmpfs", filepath.Join(dir, "staging"), "size=1m")
	if _, err := localblob.Open(t.Context(), localblob.Config{Root: dir}); err == nil || !strings.Contains(err.Error(), "different file systems") {
		t.Errorf("%v", err)
	}
}

// mount mounts a file system for one test, or skips it.
func mount(t *testing.T, kind, dir, options string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	if err := unix.Mount(kind, dir, kind, 0, options); err != nil {
		t.Skipf("mount %s: %v", kind, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func TestARealDiskThatIsFull(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "size=1m,mode=0700")
	d := open(t, localblob.Config{Root: dir})
	b := blob.New(d, blob.Options{})
	_, begin := b.Begin(t.Context(), "big", 4<<20)
	_, put := b.Put(t.Context(), "big", blobtest.Bytes(blobtest.Content(1, 4<<20)), nil)
	for _, err := range []error{begin, put} {
		if !errs.Is(err, errs.NoSpace) || !errs.Has(err, errs.DiskFull) || !strings.Contains(err.Error(), "4194304 bytes needed") {
			t.Errorf("%v", err)
		}
	}
	// What was begun keeps the room it was promised, however full it gets.
	data := blobtest.Content(1, 512<<10)
	h, err := b.Begin(t.Context(), "fits", int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(dir, "fill"))
	got, err := b.WriteAt(t.Context(), h, blob.Write{Range: core.Range{To: h.Size}, Body: bytes.NewReader(data)})
	if err != nil {
		t.Fatalf("reserved room was given away: %v", err)
	}
	if _, err := b.Commit(t.Context(), h, []blob.Receipt{got}, nil); err != nil {
		t.Fatalf("commit needs room: %v", err)
	}
	hs, err := b.Pending(t.Context(), "", 10)
	if len(hs) != 0 || err != nil || b.Check() != nil {
		t.Errorf("left behind: %v %v", hs, err)
	}
	// And it recovers by itself.
	if err := os.Remove(filepath.Join(dir, "fill")); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Put(t.Context(), "after", blobtest.Bytes(content), nil); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

// fill takes all room that is left.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if cerr := f.Close(); !errors.Is(err, syscall.ENOSPC) || cerr != nil {
		t.Fatal(err, cerr)
	}
}

// powerCut stops a file system as a lost power line does: what was not synced
// is not there at the next mount. FS_IOC_SHUTDOWN, ext4 and XFS.
func powerCut(dir string, flag uint32) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), 0x8004587d, uintptr(unsafe.Pointer(&flag))); e != 0 {
		return e
	}
	return nil
}

// The crash matrix trusts a model; this asks a kernel.
func TestPowerCutOnARealFileSystem(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	if os.Getuid() != 0 {
		t.Skip("a loop mount needs root")
	}
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		t.Skip("no mkfs.ext4")
	}
	work := t.TempDir()
	image, dir := filepath.Join(work, "image"), filepath.Join(work, "mnt")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 64<<20), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v %s", err, out)
	}
	up := func() {
		t.Helper()
		if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
			t.Skipf("loop mount: %v %s", err, out)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	up()
	const cycles = 12
	for i := range cycles {
		l := &life{t: told2{t, fmt.Sprintf("cut %d", i)}, sync: blob.SyncAnswer}
		d, err := localblob.Open(t.Context(), localblob.Config{Root: filepath.Join(dir, fmt.Sprint(i))})
		if err != nil {
			t.Fatal(err)
		}
		var cut error
		stop := errors.New("enough")
		err = l.live(&stopping{Driver: d, Parts: d.(blob.Parts), left: i % (len(parts(t)) + 2), stop: func() error {
			cut = powerCut(dir, []uint32{2, 1}[i/6])
			return stop
		}})
		if cut != nil {
			t.Skipf("this kernel cuts no power: %v", cut)
		}
		if err == nil {
			// It came to its end first.
			if err := powerCut(dir, 2); err != nil {
				t.Skipf("this kernel cuts no power: %v", err)
			}
		} else if !errors.Is(err, stop) {
			t.Fatalf("cut %d: %v", i, err)
		}
		_ = d.Close()
		if err := unix.Unmount(dir, 0); err != nil {
			t.Fatalf("unmount: %v", err)
		}
		up()
		d = open(t, localblob.Config{Root: filepath.Join(dir, fmt.Sprint(i))})
		l.check(d, true)
		if err := l.live(d); err != nil {
			t.Fatalf("cut %d: cannot go on at %s: %v", i, l.at, err)
		}
		l.check(d, true)
		_ = d.Close()
	}
	t.Logf("%d cuts", cycles)
}

// stopping calls stop after some writes and commits.
type stopping struct {
	blob.Driver
	blob.Parts
	left int
	stop func() error
}

func (s *stopping) count() error {
	if s.left--; s.left < 0 {
		return s.stop()
	}
	return nil
}

func (s *stopping) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, o blob.PutOptions) error {
	if err := s.count(); err != nil {
		return err
	}
	return s.Parts.WriteAt(ctx, h, r, src, o)
}

func (s *stopping) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	if err := s.count(); err != nil {
		return blob.Info{}, err
	}
	return s.Parts.Commit(ctx, h, o)
}

func TestFaultsOfDescriptorsAreOverload(t *testing.T) {
	// Real ones: a process of its own with few descriptors, so that no other
	// test starves.
	if os.Getenv("LOCALBLOB_FEW") == "" {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestFaultsOfDescriptorsAreOverload$", "-test.v")
		cmd.Env = append(os.Environ(), "LOCALBLOB_FEW=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	runtime.LockOSThread()
	d := open(t, localblob.Config{Root: t.TempDir()})
	b := blob.New(d, blob.Options{})
	h, err := b.Begin(t.Context(), "k", fileSize)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 32, Max: 32}); err != nil {
		t.Fatal(err)
	}
	var held []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	w := func() blob.Write {
		return blob.Write{Range: core.Range{To: fileSize}, Body: bytes.NewReader(content)}
	}
	// With none, one, two … left, until all steps work.
	steps := map[string]func() error{
		"begin": func() error { _, err := b.Begin(t.Context(), "other", 1); return err },
		"write": func() error { _, err := b.WriteAt(t.Context(), h, w()); return err },
		"commit": func() error {
			_, err := b.Commit(t.Context(), h, []blob.Receipt{{Range: core.Range{To: fileSize}}}, nil)
			return err
		},
		"list": func() error { _, err := b.List(t.Context(), "", "", 10); return err },
	}
	for _, name := range []string{"begin", "list", "write", "commit"} {
		for tries := 0; ; tries++ {
			err := steps[name]()
			if err == nil {
				break
			}
			if !errs.Is(err, errs.Transient) || !errs.Has(err, errs.Overload) {
				t.Fatalf("%s: %v", name, err)
			}
			if tries > len(held) {
				t.Fatalf("%s never works: %v", name, err)
			}
			_ = held[tries].Close()
		}
		for {
			f, err := os.Open(os.DevNull)
			if err != nil {
				break
			}
			held = append([]*os.File{f}, held...)
		}
	}
	for _, f := range held {
		_ = f.Close()
	}
	if err := b.Check(); err != nil {
		t.Errorf("few descriptors are no reason to distrust the disk: %v", err)
	}
}
