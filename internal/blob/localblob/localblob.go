package localblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Config says where the bytes are.
type Config struct {
	Root string // the directory; made if it is missing
	FS   FS     // stands in for Root in tests
}

var (
	errRange = errors.New("localblob: range is not inside the object")
	errShort = errors.New("localblob: fewer bytes are there than the upload has")
	errKind  = errors.New("localblob: not a regular file")
)

// Open returns the driver that keeps its bytes in the directory c.Root.
func Open(ctx context.Context, c Config) (blob.Driver, error) {
	if c.FS != nil {
		d := &driver{fs: c.FS}
		if err := d.open(ctx); err != nil {
			return nil, err
		}
		return d, nil
	}
	if c.Root == "" {
		return nil, errors.New("localblob: no root directory given")
	}
	dir, err := openDisk(c.Root)
	if err != nil {
		return nil, fmt.Errorf("localblob: root %s: %w", c.Root, err)
	}
	d := &diskDriver{driver: driver{fs: dir}, disk: dir}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("localblob: root %s: %w", c.Root, err), dir.root.Close())
	}
	return d, nil
}

type driver struct {
	fs FS

	// dirs are the directories whose entry is known to be durable.
	dirs sync.Map // name → struct{}

	// suspect is set by the first sync that failed, for good.
	suspect atomic.Pointer[error]

	packer packer
}

func (d *driver) open(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var devices []any
	for _, dir := range []string{blobs, staging} {
		if err := d.mkdir(dir, true); err != nil {
			return err
		}
		st, err := d.fs.Stat(dir)
		if err != nil {
			return err
		}
		if !st.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		devices = append(devices, device(st))
	}
	if devices[0] != devices[1] {
		return fmt.Errorf("%s and %s are on different file systems: an upload could not become an object by a rename", blobs, staging)
	}
	return nil
}

// mkdir makes dir and its parents; durable if asked for.
func (d *driver) mkdir(dir string, durable bool) error {
	if _, ok := d.dirs.Load(dir); ok {
		return nil
	}
	parent := path.Dir(dir)
	if parent != "." {
		if err := d.mkdir(parent, durable); err != nil {
			return err
		}
	}
	if err := d.fs.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !durable {
		return nil
	}
	if err := d.syncDir(parent); err != nil {
		return err
	}
	d.dirs.Store(dir, struct{}{})
	return nil
}

func (d *driver) syncDir(dir string) error {
	err := d.fs.SyncDir(dir)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, fs.ErrNotExist) {
		// The directory could not be opened: no sync was tried, nothing is lost.
		return err
	}
	return d.synced(err)
}

// synced takes the outcome of a sync. After an error the driver is read-only.
func (d *driver) synced(err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%w: %w", blob.ErrSuspect, err)
	d.suspect.CompareAndSwap(nil, &err)
	return err
}

// Check returns the sync failure after which writes are refused.
func (d *driver) Check() error {
	if err := d.suspect.Load(); err != nil {
		return *err
	}
	return nil
}

// ready refuses writes that should not even begin.
func (d *driver) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.Check()
}

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	return d.stat(key)
}

func (d *driver) stat(key string) (blob.Info, error) {
	if p, ok := blob.ParsePacked(key); ok {
		return d.statPacked(key, p)
	}
	st, err := d.fs.Stat(pathOf(key))
	if err != nil {
		return blob.Info{}, err
	}
	if !st.Mode().IsRegular() {
		return blob.Info{}, errKind
	}
	return blob.Info{Key: key, Size: st.Size(), ModTime: st.ModTime()}, nil
}

func (d *driver) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p, ok := blob.ParsePacked(key); ok {
		return d.readPacked(p, r)
	}
	return d.read(blobPath(key), r, errRange)
}

// reader is a range of an open file.
type reader struct {
	*io.SectionReader
	io.Closer
}

func (d *driver) read(name string, r core.Range, outside error) (io.ReadCloser, error) {
	f, err := d.fs.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	switch {
	case err != nil:
	case !st.Mode().IsRegular():
		err = errKind
	case !r.Valid() || r.To > st.Size():
		err = outside
	default:
		return reader{io.NewSectionReader(f, r.From, r.Len()), f}, nil
	}
	return nil, errors.Join(err, f.Close())
}

func (d *driver) Delete(ctx context.Context, keys []string) (failed []blob.KeyError, err error) {
	// The row went first, so a deletion that a crash undoes is only an orphan
	// for the sweeper: nothing is synced.
	for _, key := range keys {
		if err := d.ready(ctx); err != nil {
			return failed, err
		}
		if err := d.unlink(key); err != nil {
			failed = append(failed, blob.KeyError{Key: key, Err: err})
		}
	}
	return failed, nil
}

func (d *driver) unlink(key string) error {
	if p, ok := blob.ParsePacked(key); ok {
		return d.deletePacked(p)
	}
	return d.remove(blobPath(key))
}

func (d *driver) remove(name string) error {
	if err := d.fs.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *driver) Classify(err error) errs.Kind {
	switch {
	case err == nil:
		return errs.Internal
	case errors.Is(err, blob.ErrSuspect):
		return errs.Internal
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.Canceled
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return errs.NoSpace
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOMEM):
		return errs.Transient
	case errors.Is(err, fs.ErrNotExist):
		return errs.NotFound
	case errors.Is(err, fs.ErrExist):
		return errs.Exists
	case errors.Is(err, errRange):
		return errs.Invalid
	case errors.Is(err, errGrowing), errors.Is(err, errInUse):
		return errs.Conflict
	}
	return errs.Internal
}

func (d *driver) Close() error {
	d.endPack()
	return nil
}

// diskDriver is a driver on a real directory: what it keeps, the kernel can
// send.
type diskDriver struct {
	driver
	disk disk
}

func (d *diskDriver) OpenFile(ctx context.Context, key string) (*os.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.disk.root.Open(blobPath(key))
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = errKind
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (d *diskDriver) Free(ctx context.Context) (free, total int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	return d.disk.Free()
}

func (d *diskDriver) Close() error {
	return errors.Join(d.driver.Close(), d.disk.root.Close())
}
