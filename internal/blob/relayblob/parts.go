package relayblob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Begin makes room on the disk. The store hears of the upload with its first
// whole part.
func (d *driver) Begin(ctx context.Context, key string, size int64, o blob.PutOptions) (blob.Handle, error) {
	switch _, err := d.Stat(ctx, key); {
	case err == nil:
		return blob.Handle{}, fmt.Errorf("%w: %s", errExists, key)
	case !d.missing(err):
		return blob.Handle{}, err
	}
	h, err := d.near.Begin(ctx, key, size, o)
	return h, from(d.near, err)
}

// WriteAt stores the piece on the disk, and sends the parts that it makes whole.
// That a part could not be sent is no failure of the piece: Commit sends it.
func (d *driver) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, o blob.PutOptions) error {
	if !r.Valid() || r.To > h.Size {
		return from(d.near, d.near.WriteAt(ctx, h, r, src, o)) // it says so
	}
	f := d.flight(h)
	f.forget(r)
	if err := from(d.near, d.near.WriteAt(ctx, h, r, src, o)); err != nil {
		if d.missing(err) {
			d.land(h.Key)
		}
		return err
	}
	for _, n := range f.arrived(r) {
		if err := f.send(ctx, n); err != nil {
			f.put(ctx)
			break
		}
	}
	return nil
}

func (d *driver) Staged(ctx context.Context, h blob.Handle, r core.Range) (io.ReadCloser, error) {
	body, err := d.near.Staged(ctx, h, r)
	return body, from(d.near, err)
}

// Commit sends what was not sent yet and ends the upload at the store. The
// staged bytes go when the object is there, not before.
func (d *driver) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	f := d.flight(h)
	f.ending.Lock()
	defer f.ending.Unlock()
	info, err := d.Stat(ctx, h.Key)
	if d.missing(err) {
		if err = d.whole(ctx, h); err == nil {
			info, err = f.finish(ctx, o)
		} else if d.missing(err) {
			d.land(h.Key)
		}
	}
	switch {
	case err != nil:
		return blob.Info{}, err
	case info.Size != h.Size:
		return blob.Info{}, fmt.Errorf("%w: %s with %d bytes, the upload has %d", errExists, h.Key, info.Size, h.Size)
	}
	d.land(h.Key)
	_ = d.near.Abort(ctx, h) // what stays, the sweep finds
	info.Key = h.Key
	return info, nil
}

// whole refuses an upload of which the disk does not have the last byte.
func (d *driver) whole(ctx context.Context, h blob.Handle) error {
	body, err := d.near.Staged(ctx, h, core.Range{From: max(0, h.Size-1), To: h.Size})
	if err != nil {
		return from(d.near, err)
	}
	return body.Close()
}

// Abort forgets the upload on the disk and at the store.
func (d *driver) Abort(ctx context.Context, h blob.Handle) error {
	d.land(h.Key)
	at := blob.Handle{Key: h.Key, Size: h.Size}
	err := from(d.near, d.near.Abort(ctx, at))
	if h.Upload != "" {
		return errors.Join(err, from(d.far, d.far.Abort(ctx, d.handle(h))))
	}
	return errors.Join(err, d.revoke(ctx, h.Key))
}

// revoke ends the uploads of key that the store has unfinished.
func (d *driver) revoke(ctx context.Context, key string) error {
	key = d.there(key)
	open, err := d.far.Pending(ctx, key[:len(key)-1], 64)
	if err != nil {
		return from(d.far, err)
	}
	for _, h := range open {
		if h.Key == key {
			err = errors.Join(err, from(d.far, d.far.Abort(ctx, h)))
		}
	}
	return err
}

// Pending lists what is staged on the disk, and what is unfinished at the store
// alone.
func (d *driver) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	staged, err := d.near.Pending(ctx, after, limit)
	if err != nil {
		return nil, from(d.near, err)
	}
	open, err := d.far.Pending(ctx, d.there(after), limit)
	if err != nil {
		return nil, from(d.far, err)
	}
	for _, h := range open {
		key, ours := d.here(h.Key)
		same := func(s blob.Handle) bool { return s.Key == key }
		if h.Key = key; ours && blob.ValidKey(key) && !slices.ContainsFunc(staged, same) {
			staged = append(staged, h)
		}
	}
	slices.SortFunc(staged, func(a, b blob.Handle) int { return cmp.Compare(a.Key, b.Key) })
	return staged[:min(len(staged), limit)], nil
}

// begin opens the upload at the store. One that is open there is of a process
// that has died, and gives way.
func (d *driver) begin(ctx context.Context, key string, size int64) (blob.Handle, error) {
	h, err := d.far.Begin(ctx, d.there(key), size, blob.PutOptions{})
	if err != nil && d.far.Classify(err) == errs.Exists {
		if err := d.revoke(ctx, key); err != nil {
			return h, err
		}
		h, err = d.far.Begin(ctx, d.there(key), size, blob.PutOptions{})
	}
	if err != nil {
		return h, from(d.far, fmt.Errorf("begin %s: %w", key, err))
	}
	return h, nil
}
