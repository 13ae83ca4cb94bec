package relayblob

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// The direct way goes past the disk: all there is to do is the prefix.

func (d *driver) handle(h blob.Handle) blob.Handle {
	h.Key = d.there(h.Key)
	return h
}

func (d *driver) ask(a blob.Ask) blob.Ask {
	a.Key = d.there(a.Key)
	return a
}

func (d *driver) Grant(ctx context.Context, a blob.Ask) (blob.Handle, error) {
	h, err := d.far.Grant(ctx, d.ask(a))
	h.Key = a.Key
	return h, from(d.far, err)
}

func (d *driver) Sign(ctx context.Context, h blob.Handle, a blob.Ask, first, end int) (blob.Signed, error) {
	s, err := d.far.Sign(ctx, d.handle(h), d.ask(a), first, end)
	return s, from(d.far, err)
}

func (d *driver) Confirm(ctx context.Context, h blob.Handle) (blob.Evidence, error) {
	e, err := d.far.Confirm(ctx, d.handle(h))
	e.Info.Key = h.Key
	return e, from(d.far, err)
}

func (d *driver) Finish(ctx context.Context, h blob.Handle, parts []blob.StoredPart) (blob.Info, error) {
	info, err := d.far.Finish(ctx, d.handle(h), parts)
	info.Key = h.Key
	return info, from(d.far, err)
}

func (d *driver) Revoke(ctx context.Context, h blob.Handle) error {
	return from(d.far, d.far.Revoke(ctx, d.handle(h)))
}

func (d *driver) Link(ctx context.Context, key string, o blob.LinkOptions) (string, error) {
	s, err := d.far.Link(ctx, d.there(key), o)
	return s, from(d.far, err)
}

func (d *driver) AllowOrigins(ctx context.Context, origins []string) error {
	far, ok := d.far.(blob.Origins)
	if !ok {
		return errs.New(errs.Unsupported, errs.PolicyUse)
	}
	return from(d.far, far.AllowOrigins(ctx, origins))
}

func (d *driver) ReadCallback(ctx context.Context, c blob.Callback) error {
	far, ok := d.far.(blob.Caller)
	if !ok {
		return nil
	}
	return from(d.far, far.ReadCallback(ctx, c))
}

func (d *driver) Unfinished(ctx context.Context, after string, limit int) ([]blob.StrayUpload, string, error) {
	found, next, err := d.far.Unfinished(ctx, after, limit)
	var ours []blob.StrayUpload
	for _, s := range found {
		var ok bool
		if s.Handle.Key, ok = d.here(s.Handle.Key); ok {
			ours = append(ours, s)
		}
	}
	return ours, next, from(d.far, err)
}

var (
	_ blob.Parts   = (*driver)(nil)
	_ blob.Caller  = (*driver)(nil)
	_ blob.Direct  = (*driver)(nil)
	_ blob.Linker  = (*driver)(nil)
	_ blob.Strays  = (*driver)(nil)
	_ blob.Spacer  = (*driver)(nil)
	_ blob.Checker = (*driver)(nil)
)
