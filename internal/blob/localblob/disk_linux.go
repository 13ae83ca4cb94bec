package localblob

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// SyncData is fdatasync(2): the size is flushed with the data, the times are
// not.
func (f diskFile) SyncData() error {
	return f.control("fdatasync", func(fd int) error { return unix.Fdatasync(fd) })
}

// StartFlush is sync_file_range(2) that does not wait. Its own failure means
// nothing: one of the flush is kept for the next fsync of this descriptor.
func (f diskFile) StartFlush(off, n int64) {
	_ = f.control("sync_file_range", func(fd int) error {
		return unix.SyncFileRange(fd, off, n, unix.SYNC_FILE_RANGE_WRITE)
	})
}

// Preallocate keeps the length, which stays the sign of how far the file was
// written.
func (f diskFile) Preallocate(size int64) error {
	if size == 0 {
		return nil
	}
	return f.control("fallocate", func(fd int) error {
		return unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, size)
	})
}

func (f diskFile) control(op string, call func(fd int) error) error {
	c, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var cerr error
	err = c.Control(func(fd uintptr) {
		for {
			if cerr = call(int(fd)); !errors.Is(cerr, unix.EINTR) {
				return
			}
		}
	})
	if err == nil {
		err = cerr
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: f.Name(), Err: err}
	}
	return nil
}

func (d disk) renameNoReplace(from, to string) error {
	a, err := d.root.Open(path.Dir(from))
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	b, err := d.root.Open(path.Dir(to))
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	err = diskFile{a}.control("renameat2", func(afd int) error {
		return diskFile{b}.control("renameat2", func(bfd int) error {
			return unix.Renameat2(afd, path.Base(from), bfd, path.Base(to), unix.RENAME_NOREPLACE)
		})
	})
	if errors.Is(err, unix.EINVAL) {
		// A file system that does not know the flag.
		return errors.Join(err, errors.ErrUnsupported)
	}
	return err
}

// dirSyncUnknown reports whether a file system has no sync for directories, as
// some network ones have not.
func dirSyncUnknown(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP)
}

// Free returns what an ordinary user may still write, and the size of the file
// system.
func (d disk) Free() (free, total int64, err error) {
	f, err := d.root.Open(".")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = f.Close() }()
	var st unix.Statfs_t
	err = diskFile{f}.control("fstatfs", func(fd int) error { return unix.Fstatfs(fd, &st) })
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, err
}

// device tells file systems apart.
func device(fi os.FileInfo) any {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Dev
	}
	return nil
}
