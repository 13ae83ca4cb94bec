package localblob

import (
	"errors"
	"io/fs"
	"os"
	"path"
)

// disk is the directory of a root as an [FS].
type disk struct{ root *os.Root }

type diskFile struct{ *os.File }

func (d disk) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := d.root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

func (d disk) Remove(name string) error                  { return d.root.Remove(name) }
func (d disk) Mkdir(name string, perm fs.FileMode) error { return d.root.Mkdir(name, perm) }
func (d disk) Stat(name string) (fs.FileInfo, error)     { return d.root.Lstat(name) }

func (d disk) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), name) }

func (d disk) Rename(from, to string) error {
	err := d.renameNoReplace(from, to)
	if errors.Is(err, errors.ErrUnsupported) {
		err = d.linkAndUnlink(from, to)
	}
	if errors.Is(err, fs.ErrExist) && d.same(from, to) {
		return d.root.Remove(from)
	}
	return err
}

// linkAndUnlink refuses to replace on file systems without renameat2. A crash
// between its steps leaves one file under two names, which Rename mends. Where
// hard links are unknown too, it looks before it renames: the engine lets one
// goroutine at a time commit an upload, so nobody comes between.
func (d disk) linkAndUnlink(from, to string) error {
	err := d.root.Link(from, to)
	if err == nil {
		return d.root.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := d.root.Lstat(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return d.root.Rename(from, to)
}

func (d disk) same(from, to string) bool {
	a, aerr := d.root.Lstat(from)
	b, berr := d.root.Lstat(to)
	return aerr == nil && berr == nil && os.SameFile(a, b)
}

func (d disk) SyncDir(name string) error {
	f, err := d.root.Open(name)
	if err != nil {
		return err
	}
	err = f.Sync()
	if dirSyncUnknown(err) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// openDisk opens the directory at root, making it if needed, and sees that its
// two trees can be renamed into each other.
func openDisk(root string) (disk, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return disk{}, err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return disk{}, err
	}
	return disk{r}, syncParent(root)
}

// syncParent makes the entry of a root that was just made durable.
func syncParent(root string) error {
	f, err := os.Open(path.Dir(path.Clean(root)))
	if errors.Is(err, fs.ErrPermission) {
		// Not ours to read, so not made by us either.
		return nil
	}
	if err != nil {
		return err
	}
	err = f.Sync()
	if dirSyncUnknown(err) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
