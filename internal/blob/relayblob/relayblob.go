package relayblob

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Config says what is between us and the store.
type Config struct {
	Near   blob.Driver // the local disk; it takes parts
	Far    blob.Driver // the store; it takes parts, direct uploads, links and audits
	Part   int64       // part size that Far was opened with
	Prefix string      // of keys at the store, without the slash
}

var errExists = errors.New("relayblob: the key is stored already")

type near interface {
	blob.Driver
	blob.Parts
}

type far interface {
	blob.Driver
	blob.Parts
	blob.Direct
	blob.Linker
	blob.Strays
}

type driver struct {
	near   near
	far    far
	part   int64
	prefix string // with its slash

	mu      sync.Mutex
	flights map[string]*flight // by key
}

// New returns the driver. Close closes both drivers of c.
func New(c Config) (blob.Driver, error) {
	n, ok := c.Near.(near)
	f, able := c.Far.(far)
	if !ok || !able || c.Part <= 0 || !blob.ValidKey(c.Prefix) {
		return nil, errors.New("relayblob: a driver lacks an ability, or the part size or the prefix is missing")
	}
	return &driver{near: n, far: f, part: c.Part, prefix: c.Prefix + "/", flights: map[string]*flight{}}, nil
}

// fault is an error and the side that it came from.
type fault struct {
	from blob.Driver
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

func from(d blob.Driver, err error) error {
	if err == nil {
		return nil
	}
	return &fault{d, err}
}

func (d *driver) Classify(err error) errs.Kind {
	var f *fault
	if errors.As(err, &f) {
		return f.from.Classify(f.err)
	}
	if errors.Is(err, errExists) {
		return errs.Exists
	}
	return d.near.Classify(err)
}

func (d *driver) missing(err error) bool { return err != nil && d.Classify(err) == errs.NotFound }

func (d *driver) there(key string) string { return d.prefix + key }

// here undoes there; ok is false for what is not ours.
func (d *driver) here(key string) (ours string, ok bool) { return strings.CutPrefix(key, d.prefix) }

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, err := d.far.Stat(ctx, d.there(key))
	info.Key = key
	return info, from(d.far, err)
}

func (d *driver) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	body, err := d.far.Open(ctx, d.there(key), r)
	if err != nil {
		return nil, from(d.far, err)
	}
	return outlet{body, d.far}, nil
}

// outlet names the side of errors that come while the bytes do.
type outlet struct {
	io.ReadCloser
	far blob.Driver
}

func (o outlet) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = from(o.far, err)
	}
	return n, err
}

func (d *driver) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	info, err := d.far.Put(ctx, d.there(key), src, o)
	info.Key = key
	return info, from(d.far, err)
}

func (d *driver) Delete(ctx context.Context, keys []string) ([]blob.KeyError, error) {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = d.there(k)
	}
	failed, err := d.far.Delete(ctx, list)
	for i := range failed {
		failed[i].Key, _ = d.here(failed[i].Key)
		failed[i].Err = from(d.far, failed[i].Err)
	}
	return failed, from(d.far, err)
}

func (d *driver) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	if after != "" {
		after = d.there(after)
	}
	page, err := d.far.List(ctx, d.there(prefix), after, limit)
	for i := range page.Objects {
		page.Objects[i].Key, _ = d.here(page.Objects[i].Key)
	}
	page.Next, _ = d.here(page.Next)
	return page, from(d.far, err)
}

// Free tells the room on the local disk: that of the store has no end.
func (d *driver) Free(ctx context.Context) (free, total int64, err error) {
	if s, ok := d.near.(blob.Spacer); ok {
		return s.Free(ctx)
	}
	return 0, 0, errors.ErrUnsupported
}

func (d *driver) Check() error {
	if c, ok := d.near.(blob.Checker); ok {
		return c.Check()
	}
	return nil
}

func (d *driver) Close() error { return errors.Join(d.near.Close(), d.far.Close()) }
