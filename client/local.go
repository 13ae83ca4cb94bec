package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/flow"
)

// UploadFile uploads a local file with its time. If the file changes while it
// is sent it is sent once more, as a new version; if it changes again that is
// an ErrSourceChanged.
func (c *Client) UploadFile(ctx context.Context, name string, in UploadInput) (Uploaded, error) {
	out := Uploaded{URI: in.URI}
	for again := false; ; again = true {
		before, err := os.Stat(name)
		if err != nil {
			return out, fmt.Errorf("upload: %w", err)
		}
		if !before.Mode().IsRegular() { // before it is opened: a pipe would wait for its writer
			return out, fmt.Errorf("upload: %s: %w", name, ErrNotRegular)
		}
		out, err = c.uploadOnce(ctx, name, in)
		if err != nil || out.Outcome != Sent {
			return out, err
		}
		after, err := os.Stat(name)
		switch {
		case err == nil && after.Size() == out.Size && after.ModTime().Equal(before.ModTime()):
			return out, nil
		case again || err != nil:
			return out, fmt.Errorf("upload: %s: %w; what is on the server may be a mixture", name, ErrSourceChanged)
		}
		in.OnConflict, in.URI = Version, out.URI
	}
}

func (c *Client) uploadOnce(ctx context.Context, name string, in UploadInput) (Uploaded, error) {
	f, err := os.Open(name)
	if err != nil {
		return Uploaded{URI: in.URI}, fmt.Errorf("upload: %w", err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return Uploaded{URI: in.URI}, fmt.Errorf("upload: %w", err)
	}
	if !st.Mode().IsRegular() {
		return Uploaded{URI: in.URI}, fmt.Errorf("upload: %s: %w", name, ErrNotRegular)
	}
	in.Source, in.Size, in.local = f, st.Size(), name
	if in.Modified.IsZero() {
		in.Modified = st.ModTime()
	}
	return c.Upload(ctx, in)
}

// DownloadFile downloads to a local file. Bytes gather under a hidden name
// beside it, by which a later call goes on; the file appears under its own name
// whole, verified and on disk, with the time it has on the server. In a Root
// the name has slashes.
func (c *Client) DownloadFile(ctx context.Context, name string, in DownloadInput) (Downloaded, error) {
	root, dir := in.Root, ""
	in.local = name
	if root == nil {
		var err error
		dir, name = filepath.Split(name)
		if root, err = os.OpenRoot(filepath.Join(dir, ".")); err != nil {
			return Downloaded{}, fmt.Errorf("download: %w", err)
		}
		defer root.Close()
	}
	d := newDownload(c, in)
	err := d.look(ctx)
	if err == nil {
		err = d.file(ctx, root, name)
		d.out.Path = dir + d.out.Path
	}
	d.out.Took = c.clock.Now().Sub(d.began)
	return d.out, err
}

func (d *download) file(ctx context.Context, root *os.Root, name string) error {
	name, settled, err := d.free(ctx, root, name)
	d.out.Path = name
	if settled || err != nil {
		return err
	}
	part := d.partName(name)
	f, err := root.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := flow.LockFile(f); err != nil {
		return fmt.Errorf("download: %s is being downloaded by another process: %w", name, err)
	}
	if err := d.fill(ctx, f); err != nil {
		if errors.Is(err, ErrDigest) {
			_ = root.Remove(part)
		}
		return err
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	if !d.out.Modified.IsZero() {
		if err := root.Chtimes(part, time.Time{}, d.out.Modified); err != nil {
			return fmt.Errorf("download: %w", err)
		}
	}
	return d.publish(root, part, name)
}

// free finds the name to write to, or finds that nothing need be written.
func (d *download) free(ctx context.Context, root *os.Root, name string) (free string, settled bool, err error) {
	wanted := name
	for n := 1; ; n++ {
		st, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return name, false, nil
		}
		if err != nil {
			return name, false, fmt.Errorf("download: %w", err)
		}
		if d.in.OnConflict == Skip {
			d.out.Outcome = Skipped
			return name, true, nil
		}
		if same, err := d.same(ctx, root, name, st); same || err != nil {
			d.out.Outcome, d.out.Verified = Unchanged, same
			return name, same, err
		}
		switch {
		case d.in.OnConflict == Overwrite && st.Mode().IsRegular():
			return name, false, nil
		case d.in.OnConflict != Rename:
			return name, false, fmt.Errorf("download: %s: %w", name, ErrLocalExists)
		}
		ext := path.Ext(wanted)
		name = fmt.Sprintf("%s (%d)%s", wanted[:len(wanted)-len(ext)], n, ext)
	}
}

// same reports that the local file has the bytes of the remote one.
func (d *download) same(ctx context.Context, root *os.Root, name string, st fs.FileInfo) (bool, error) {
	if !st.Mode().IsRegular() || st.Size() != d.out.Size {
		return false, nil
	}
	want, ok := wire.CRCOf(d.digest)
	if !ok {
		return st.Size() == 0 || st.ModTime().UnixMilli() == d.out.Modified.UnixMilli(), nil
	}
	f, err := root.Open(name)
	if err != nil {
		return false, fmt.Errorf("download: %w", err)
	}
	defer func() { _ = f.Close() }()
	got, _, err := flow.Measure(ctx, f, 0, st.Size(), nil)
	return got == want, err
}

// partName is the hidden name of an unfinished download: another one for each
// version, so that two are never mixed.
func (d *download) partName(name string) string {
	sum := sha256.Sum256([]byte(d.c.Site() + "\x00" + d.out.Entity + "\x00" + path.Base(name)))
	return path.Join(path.Dir(name), fmt.Sprintf(".wharf-%x.part", sum[:8]))
}

// fill makes f the whole content, keeping what an earlier call left in it. If
// that turns out to be damaged it is fetched anew, once.
func (d *download) fill(ctx context.Context, f *os.File) error {
	for again := false; ; again = true {
		if err := d.keep(ctx, f, again); err != nil {
			return err
		}
		if again {
			d.tells.tell(func(e *Event) { e.Kind, e.Err, e.Confirmed = EventRestarted, ErrDigest, 0 })
		} else {
			d.started()
		}
		if err := d.stream(ctx, f); err != nil {
			return err
		}
		if err := d.verify(); err == nil || again {
			return err
		}
	}
}

// keep sums what is in f and leaves it ready for the rest.
func (d *download) keep(ctx context.Context, f *os.File, nothing bool) error {
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	d.begin()
	size := st.Size()
	if nothing || size > d.out.Size {
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("download: %w", err)
		}
		size = 0
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	buf, _ := flow.Buffers.Get().(*[flow.BufferSize]byte)
	defer flow.Buffers.Put(buf)
	for d.at < size {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		p := buf[:min(flow.BufferSize, size-d.at)]
		if _, err := io.ReadFull(f, p); err != nil {
			return fmt.Errorf("download: %w", err)
		}
		d.add(p)
	}
	return nil
}

// publish gives the finished file its name. Without Overwrite that must not
// replace a file which appeared meanwhile.
func (d *download) publish(root *os.Root, part, name string) error {
	if d.in.OnConflict != Overwrite {
		err := root.Link(part, name)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("download: %s: %w", name, ErrLocalExists)
		}
		if err == nil {
			_ = root.Remove(part)
			return syncDir(root, path.Dir(name))
		}
		// A file system without links: the next best is a look and a rename.
		if _, err := root.Lstat(name); err == nil {
			return fmt.Errorf("download: %s: %w", name, ErrLocalExists)
		}
	}
	if err := root.Rename(part, name); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	return syncDir(root, path.Dir(name))
}

// syncDir makes names durable where the system can do that.
func syncDir(root *os.Root, dir string) error {
	f, err := root.Open(dir)
	if err != nil {
		return fmt.Errorf("download: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrInvalid) && !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("download: %w", err)
	}
	return nil
}
