package direct

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Link returns an address of the store from which anybody can read the content of a
// version until then, shown as o says. Whether the caller may was decided before. It
// is "" where the bytes have to come through us: the policy relays or wants it so,
// they are encrypted or known to be damaged, or the storage has no addresses.
func (f *Flow) Link(ctx context.Context, id core.VersionID, o blob.LinkOptions, until time.Time) (string, error) {
	const op = "direct.Link"
	if id == 0 {
		return "", nil // an empty file has no object
	}
	v, err := f.Engine.Store.Version(ctx, id)
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	p, err := f.Engine.Store.Policy(ctx, v.Policy)
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	if v.Cipher != nil || v.Damage != "" || !f.Takes(p) || p.Relay || f.Proxied != nil && f.Proxied(p) {
		return "", nil
	}
	b, err := f.Engine.Buckets.Bucket(ctx, p)
	if err != nil || !b.Can().Links {
		return "", errs.Wrap(op, err)
	}
	o.Now, o.Until = f.Engine.Clock(), until
	address, err := b.Link(ctx, v.Blob, o)
	return address, errs.Wrap(op, err)
}
