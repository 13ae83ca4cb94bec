package localblob

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
)

func (d *driver) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	var page blob.Page
	if limit <= 0 {
		return page, ctx.Err()
	}
	w := walk{fs: d.fs, prefix: nameOf(prefix), after: nameOf(after)}
	err := w.run(ctx, blobs, 1, func(name string, st fs.FileInfo) bool {
		if len(page.Objects) == limit {
			page.Next = page.Objects[limit-1].Key
			return false
		}
		page.Objects = append(page.Objects, blob.Info{Key: keyOf(name), Size: st.Size(), ModTime: st.ModTime()})
		return true
	})
	if err != nil {
		return blob.Page{}, err
	}
	return page, nil
}

func (d *driver) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var out []blob.Handle
	w := walk{fs: d.fs, after: nameOf(after)}
	err := w.run(ctx, staging, 1, func(name string, st fs.FileInfo) bool {
		key := keyOf(strings.TrimSuffix(name, lost))
		if key == after || len(out) > 0 && out[len(out)-1].Key == key {
			return true
		}
		if len(out) == limit {
			return false
		}
		out = append(out, blob.Handle{Key: key, Size: st.Size()})
		return true
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// walk goes through a fan of directories in the order of names, one directory
// in memory at a time.
type walk struct {
	fs     FS
	prefix string // names must start so
	after  string // names must come after
	visit  func(name string, st fs.FileInfo) bool
}

var errStop = errors.New("walk: enough")

// run visits the files below dir and its levels of directories, until visit
// says false.
func (w *walk) run(ctx context.Context, dir string, levels int, visit func(name string, st fs.FileInfo) bool) error {
	w.visit = visit
	if err := w.level(ctx, dir, "", levels); !errors.Is(err, errStop) {
		return err
	}
	return nil
}

// level visits one directory. head are the letters that all names in it have in
// common.
func (w *walk) level(ctx context.Context, dir, head string, levels int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := w.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if levels > 0 {
			if e.IsDir() && w.within(head+e.Name()) {
				err = w.level(ctx, path.Join(dir, e.Name()), head+e.Name(), levels-1)
			}
		} else {
			err = w.file(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) file(e fs.DirEntry) error {
	if !e.Type().IsRegular() || e.Name() <= w.after || !strings.HasPrefix(e.Name(), w.prefix) {
		return nil
	}
	st, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		// Gone since the directory was read.
		return nil
	}
	if err == nil && !w.visit(e.Name(), st) {
		err = errStop
	}
	return err
}

// within reports whether names that begin with head can be asked for. The head
// of a short name is padded.
func (w *walk) within(head string) bool {
	head = strings.TrimRight(head, pad)
	n := min(len(head), len(w.prefix))
	m := min(len(head), len(w.after))
	return head[:n] == w.prefix[:n] && head[:m] >= w.after[:m]
}
