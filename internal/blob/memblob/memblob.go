package memblob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Open returns an empty driver. It takes parts, has room for anything that is
// really written, and stamps objects with a clock of its own that only counts.
func Open() blob.Driver {
	return &driver{objects: map[string]*object{}, staged: map[string]*object{}}
}

type driver struct {
	mu      sync.RWMutex
	objects map[string]*object
	staged  map[string]*object
	ticks   int64
}

// Bytes are kept in pages, so that an upload that only claims to be large
// costs nothing.
const pageSize = 64 << 10

type object struct {
	mu    sync.RWMutex
	pages map[int64][]byte
	size  int64 // up to the last written byte
	mod   time.Time
}

var (
	errRange = errors.New("memblob: range is not inside the object")
	errShort = errors.New("memblob: fewer bytes were written than the upload has")
)

func (o *object) WriteAt(p []byte, off int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n := 0; n < len(p); {
		at := off + int64(n)
		page := o.pages[at/pageSize]
		if page == nil {
			page = make([]byte, pageSize)
			o.pages[at/pageSize] = page
		}
		n += copy(page[at%pageSize:], p[n:])
	}
	o.size = max(o.size, off+int64(len(p)))
	return len(p), nil
}

func (o *object) ReadAt(p []byte, off int64) (int, error) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	want := len(p)
	if off >= o.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), o.size-off)]
	for n := 0; n < len(p); {
		at := off + int64(n)
		to := p[n:min(len(p), n+int(pageSize-at%pageSize))]
		clear(to)
		copy(to, o.pages[at/pageSize][min(at%pageSize, int64(len(o.pages[at/pageSize]))):])
		n += len(to)
	}
	if len(p) < want {
		return len(p), io.EOF
	}
	return len(p), nil
}

func (d *driver) tick() time.Time {
	d.ticks++
	return core.FromMicros(d.ticks)
}

func (o *object) length() int64 {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return o.size
}

func (o *object) info(key string) blob.Info {
	return blob.Info{Key: key, Size: o.length(), ModTime: o.mod}
}

func (d *driver) find(m map[string]*object, key string) (*object, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if o := m[key]; o != nil {
		return o, nil
	}
	return nil, fs.ErrNotExist
}

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	o, err := d.find(d.objects, key)
	if err != nil {
		return blob.Info{}, err
	}
	return o.info(key), nil
}

func (d *driver) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	return d.open(ctx, d.objects, key, r)
}

func (d *driver) Staged(ctx context.Context, h blob.Handle, r core.Range) (io.ReadCloser, error) {
	return d.open(ctx, d.staged, h.Key, r)
}

func (d *driver) open(ctx context.Context, m map[string]*object, key string, r core.Range) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := d.find(m, key)
	if err != nil {
		return nil, err
	}
	if !r.Valid() || r.To > o.length() {
		return nil, errRange
	}
	return io.NopCloser(io.NewSectionReader(o, r.From, r.Len())), nil
}

func (d *driver) Put(ctx context.Context, key string, src blob.Source, _ blob.PutOptions) (blob.Info, error) {
	if _, err := d.find(d.objects, key); err == nil {
		return blob.Info{}, fs.ErrExist
	}
	o := &object{pages: map[int64][]byte{}}
	n, err := blob.CopyAt(ctx, o, 0, src)
	if err != nil {
		return blob.Info{}, err
	}
	if n != src.Size() {
		return blob.Info{}, errShort
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.objects[key] != nil || d.staged[key] != nil {
		return blob.Info{}, fs.ErrExist
	}
	o.mod = d.tick()
	d.objects[key] = o
	return o.info(key), nil
}

func (d *driver) Delete(ctx context.Context, keys []string) ([]blob.KeyError, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range keys {
		delete(d.objects, key)
	}
	return nil, nil
}

func (d *driver) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	if err := ctx.Err(); err != nil {
		return blob.Page{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var page blob.Page
	for _, key := range slices.Sorted(maps.Keys(d.objects)) {
		if key <= after || !strings.HasPrefix(key, prefix) {
			continue
		}
		if len(page.Objects) == limit {
			if limit > 0 {
				page.Next = page.Objects[limit-1].Key
			}
			break
		}
		page.Objects = append(page.Objects, d.objects[key].info(key))
	}
	return page, nil
}

func (d *driver) Begin(ctx context.Context, key string, size int64, _ blob.PutOptions) (blob.Handle, error) {
	if err := ctx.Err(); err != nil {
		return blob.Handle{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.staged[key] != nil || d.objects[key] != nil {
		return blob.Handle{}, fs.ErrExist
	}
	d.staged[key] = &object{pages: map[int64][]byte{}, mod: d.tick()}
	return blob.Handle{Key: key, Size: size}, nil
}

func (d *driver) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, _ blob.PutOptions) error {
	o, err := d.find(d.staged, h.Key)
	if err != nil {
		return err
	}
	if !r.Valid() || r.To > h.Size {
		return errRange
	}
	n, err := blob.CopyAt(ctx, o, r.From, src)
	if err == nil && n != r.Len() {
		err = errShort
	}
	return err
}

func (d *driver) Commit(ctx context.Context, h blob.Handle, _ blob.PutOptions) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	staged, object := d.staged[h.Key], d.objects[h.Key]
	switch {
	case staged == nil && object == nil:
		return blob.Info{}, fs.ErrNotExist
	case object != nil && (staged != nil || object.size != h.Size):
		return blob.Info{}, fs.ErrExist
	case object != nil:
		return object.info(h.Key), nil
	case staged.length() != h.Size:
		return blob.Info{}, errShort
	}
	d.objects[h.Key] = staged
	delete(d.staged, h.Key)
	return staged.info(h.Key), nil
}

func (d *driver) Abort(_ context.Context, h blob.Handle) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.staged, h.Key)
	return nil
}

func (d *driver) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	var out []blob.Handle
	for _, key := range slices.Sorted(maps.Keys(d.staged)) {
		if key > after && len(out) < limit {
			out = append(out, blob.Handle{Key: key, Size: d.staged[key].length()})
		}
	}
	return out, nil
}

func (d *driver) Classify(err error) errs.Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errs.NotFound
	case errors.Is(err, fs.ErrExist):
		return errs.Exists
	case errors.Is(err, errRange):
		return errs.Invalid
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.Canceled
	}
	return errs.Internal
}

func (d *driver) Close() error { return nil }
