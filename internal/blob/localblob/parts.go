package localblob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

func (d *driver) Begin(ctx context.Context, key string, size int64, o blob.PutOptions) (blob.Handle, error) {
	if err := d.ready(ctx); err != nil {
		return blob.Handle{}, err
	}
	if _, err := d.fs.Stat(blobPath(key)); err == nil {
		return blob.Handle{}, fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return blob.Handle{}, err
	}
	if err := d.stage(key, size, o.Sync == blob.SyncAnswer); err != nil {
		return blob.Handle{}, err
	}
	return blob.Handle{Key: key, Size: size}, nil
}

// stage makes the staging file of key with room for size bytes, and the
// directory that it will be renamed into, so that Commit needs no room.
func (d *driver) stage(key string, size int64, durable bool) (err error) {
	name := stagedPath(key)
	for _, dir := range []string{path.Dir(name), path.Dir(blobPath(key))} {
		if err := d.mkdir(dir, durable); err != nil {
			return err
		}
	}
	f, err := d.fs.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = f.Preallocate(size)
	if errors.Is(err, errors.ErrUnsupported) {
		err = d.room(size)
	}
	err = errors.Join(err, f.Close())
	if err == nil && durable {
		err = d.syncDir(path.Dir(name))
	}
	if err != nil {
		return errors.Join(err, d.remove(name))
	}
	return nil
}

// room refuses what surely does not fit, where room cannot be reserved.
func (d *driver) room(size int64) error {
	s, ok := d.fs.(interface {
		Free() (free, total int64, err error)
	})
	if !ok {
		return nil
	}
	free, _, err := s.Free()
	if err == nil && free < size {
		err = syscall.ENOSPC
	}
	return err
}

func (d *driver) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, o blob.PutOptions) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	if !r.Valid() || r.To > h.Size {
		return errRange
	}
	return d.fill(ctx, h.Key, r, src, o.Sync == blob.SyncAnswer)
}

// fill writes src to the staging file. It has a descriptor of its own, so a
// sync that fails tells each writer in flight, and is never asked again.
func (d *driver) fill(ctx context.Context, key string, r core.Range, src io.Reader, durable bool) error {
	f, err := d.fs.OpenFile(stagedPath(key), os.O_RDWR, 0) // read, too: what was moved is looked at
	if err != nil {
		return err
	}
	dst := f
	if durable {
		dst = eagerly(f, r.From)
	}
	n, err := blob.CopyAt(ctx, dst, r.From, src)
	if err == nil && n != r.Len() {
		err = errShort
	}
	if err == nil && durable {
		err = d.synced(f.SyncData())
	}
	if err == nil {
		err = reaches(f, r.To)
	}
	return errors.Join(err, f.Close())
}

// reaches sees that writes were not only said to have happened.
func reaches(f File, to int64) error {
	st, err := f.Stat()
	if err == nil && st.Size() < to {
		err = errShort
	}
	return err
}

func (d *driver) Staged(ctx context.Context, h blob.Handle, r core.Range) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.read(stagedPath(h.Key), r, errShort)
}

func (d *driver) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	if err := d.ready(ctx); err != nil {
		return blob.Info{}, err
	}
	from, to := stagedPath(h.Key), blobPath(h.Key)
	err := d.seal(h, o.Sync)
	if err == nil {
		err = d.mkdir(path.Dir(to), o.Sync != blob.SyncNever)
	}
	if err == nil {
		err = d.fs.Rename(from, to)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return blob.Info{}, err
	}
	// What is staged no more was committed before, perhaps by one who died before
	// the directories were synced.
	info, serr := d.stat(h.Key)
	switch {
	case serr != nil:
		return blob.Info{}, errors.Join(serr, err)
	case info.Size != h.Size:
		return blob.Info{}, fs.ErrExist
	case o.Sync == blob.SyncNever:
		return info, nil
	}
	if err := d.syncDir(path.Dir(to)); err != nil {
		return blob.Info{}, err
	}
	if err := d.syncDir(path.Dir(from)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return blob.Info{}, err
	}
	// A staging directory that a power cut took has no name left to remove.
	return info, nil
}

// seal makes the staged file complete and durable.
func (d *driver) seal(h blob.Handle, sync blob.Sync) error {
	name := stagedPath(h.Key)
	f, err := d.fs.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err == nil && st.Size() != h.Size {
		err = errShort
	}
	if err == nil && sync != blob.SyncNever {
		if err = d.synced(f.Sync()); err != nil && sync != blob.SyncAnswer {
			// Parts that were acknowledged before they were durable may be lost,
			// and the next sync would not say so: nobody may commit them.
			err = errors.Join(err, d.fs.Rename(name, name+lost))
		}
	}
	return errors.Join(err, f.Close())
}

// Put is an upload of one part that nobody can resume: one sync of the file and
// one of its directory make it durable. The directory that it was staged in is
// not synced: a cut may leave its name there, which is no upload of anybody and
// is swept.
func (d *driver) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	if err := d.ready(ctx); err != nil {
		return blob.Info{}, err
	}
	to := blobPath(key)
	if _, err := d.fs.Stat(to); err == nil {
		return blob.Info{}, fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return blob.Info{}, err
	}
	durable := o.Sync != blob.SyncNever
	if err := d.mkdir(path.Dir(stagedPath(key)), false); err != nil {
		return blob.Info{}, err
	}
	if err := d.mkdir(path.Dir(to), durable); err != nil {
		return blob.Info{}, err
	}
	f, err := d.fs.OpenFile(stagedPath(key), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return blob.Info{}, err
	}
	if err = errors.Join(d.pour(ctx, f, src, durable), f.Close()); err == nil {
		err = d.fs.Rename(stagedPath(key), to)
	}
	if err == nil && durable {
		err = d.syncDir(path.Dir(to))
	}
	if err != nil {
		// What came as far as the rename stays for the sweeper, as no row will
		// name it.
		return blob.Info{}, errors.Join(err, d.forget(key))
	}
	return d.stat(key)
}

// pour writes all of src to a new file and syncs it.
func (d *driver) pour(ctx context.Context, f File, src blob.Source, durable bool) error {
	err := f.Preallocate(src.Size())
	if errors.Is(err, errors.ErrUnsupported) {
		err = d.room(src.Size())
	}
	if err != nil {
		return err
	}
	n, err := blob.CopyAt(ctx, f, 0, src)
	if err == nil && n != src.Size() {
		err = errShort
	}
	if err == nil && durable {
		err = d.synced(f.Sync())
	}
	if err == nil {
		err = reaches(f, src.Size())
	}
	return err
}

func (d *driver) Abort(ctx context.Context, h blob.Handle) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	return d.forget(h.Key)
}

func (d *driver) forget(key string) error {
	name := stagedPath(key)
	return errors.Join(d.remove(name), d.remove(name+lost))
}
