package chaos_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a file system in an image, mounted by loop.
type disk struct {
	t     *testing.T
	kind  string
	image string
	dir   string // where it is mounted
}

// newDisk makes and mounts one; it skips the test where that cannot be done.
func newDisk(t *testing.T, kind string, size int64, options ...string) *disk {
	t.Helper()

	if os.Geteuid() != 0 {
		t.Skip("mounting an image needs root")
	}
	mkfs := tool(t, "mkfs."+kind)
	base := workspace(t)
	d := &disk{t: t, kind: kind, image: filepath.Join(base, "image"), dir: filepath.Join(base, "mnt")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(d.image, size); err != nil {
		t.Fatal(err)
	}
	force := map[string]string{"ext4": "-F", "xfs": "-f"}[kind]
	if out, err := exec.Command(mkfs, append(append([]string{"-q", force}, options...), d.image)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", mkfs, err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("mounting %s by loop does not work here: %v\n%s", kind, err, out)
	}
	t.Cleanup(func() { _ = d.unmount() })
	return d
}

// How much a power cut leaves: FS_IOC_SHUTDOWN of ext4(5) and xfs(5).
const (
	journalOnly uint32 = 1 // the journal is flushed, data is not
	nothing     uint32 = 2
)

// cut stops the file system as a power cut does: what was not synced is gone.
func (d *disk) cut(flag uint32) error {
	const shutdown = 0x8004587d
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&flag))); e != 0 {
		return e
	}
	return nil
}

func (d *disk) unmount() error {
	var out []byte
	var err error
	for range 100 { // a process that was killed may take a moment to let go
		if out, err = exec.Command("umount", d.dir).CombinedOutput(); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("umount: %w: %s", err, out)
}

// remount is the machine coming up again: the journal is replayed.
func (d *disk) remount() {
	d.t.Helper()
	if err := d.unmount(); err != nil {
		d.t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.dir).CombinedOutput(); err != nil {
		d.t.Fatalf("mount: %v\n%s", err, out)
	}
}

// check asks the file system's own checker. It leaves the disk unmounted.
func (d *disk) check() {
	d.t.Helper()
	if err := d.unmount(); err != nil {
		d.t.Fatal(err)
	}
	argv := map[string][]string{"ext4": {"e2fsck", "-fn"}, "xfs": {"xfs_repair", "-n"}}[d.kind]
	argv[0] = tool(d.t, argv[0])
	if out, err := exec.Command(argv[0], append(argv[1:], d.image)...).CombinedOutput(); err != nil {
		d.t.Errorf("%v: %v\n%s", argv, err, out)
	}
}
