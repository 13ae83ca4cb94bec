package catalog

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// inspectBlobs looks for bytes that belong to nothing.
func (c *Catalog) inspectBlobs(ctx context.Context, in Inspection, did *Inspected) error {
	policies, err := c.store.Policies(ctx)
	if err != nil {
		return err
	}
	for _, p := range policies {
		if in.Silent[p.ID] {
			continue
		}
		if err := in.Told(c.inspectStorage(ctx, in, policies, p, did)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) inspectStorage(ctx context.Context, in Inspection, all []Policy, p Policy, did *Inspected) error {
	b, err := c.buckets.Bucket(ctx, p)
	if err != nil {
		return Silent(p, err)
	}
	at := place{p, all, b}
	for after, more := "", true; more; {
		page, err := b.List(ctx, "", after, auditBatch)
		if err != nil {
			return Silent(p, err)
		}
		for _, o := range page.Objects {
			did.Blobs++
			if err := c.inspectBlob(ctx, in, at, o); err != nil {
				return err
			}
		}
		after, more = page.Next, page.Next != ""
	}
	return c.inspectPacks(ctx, in, at, did)
}

// place is where a blob was found. Policies may share one storage: a blob is
// claimed by whichever has a row for it.
type place struct {
	policy   Policy
	policies []Policy
	bucket   *blob.Bucket
}

func (c *Catalog) inspectBlob(ctx context.Context, in Inspection, at place, o blob.Info) error {
	if c.clock().Sub(o.ModTime) < Settling {
		return nil
	}
	claimed, err := c.claimed(ctx, in, at.policies, o.Key)
	if claimed || err != nil {
		return err
	}
	_, err = at.bucket.Stat(ctx, o.Key)
	if errs.Is(err, errs.NotFound) {
		return nil // unlinked since it was listed
	}
	if err != nil {
		return Silent(at.policy, err)
	}
	return c.stray(ctx, in, at, o, fmt.Sprintf("%d bytes are stored that belong to no file", o.Size))
}

func (c *Catalog) stray(ctx context.Context, in Inspection, at place, o blob.Info, message string) (err error) {
	f := Finding{Trouble: BlobStray, Policy: at.policy.Name, Blob: o.Key, Message: message}
	if in.Fix {
		var where string
		if where, err = at.bucket.SetAside(ctx, o.Key, c.clock().UTC().Format(time.DateOnly)); err == nil {
			f.Fixed = "moved to " + where
		}
		if errs.Is(err, errs.Unsupported) {
			err = nil
		}
	}
	if err == nil {
		in.Found(f)
	}
	return Silent(at.policy, err)
}

// claimed asks in the order in which a blob changes hands, so that it is seen in
// one of them: upload, version, doomed.
func (c *Catalog) claimed(ctx context.Context, in Inspection, policies []Policy, key string) (bool, error) {
	if in.Claimed != nil {
		if yes, err := in.Claimed(ctx, key); yes || err != nil {
			return yes, err
		}
	}
	for _, p := range policies {
		_, err := c.store.VersionOfBlob(ctx, p.ID, key)
		if !errs.Is(err, errs.NotFound) {
			return err == nil, err
		}
	}
	for _, p := range policies {
		if yes, err := c.store.IsDoomed(ctx, p.ID, key); yes || err != nil {
			return yes, err
		}
	}
	return false, nil
}

func (c *Catalog) inspectLedgers(ctx context.Context, in Inspection) error {
	drifted, err := c.store.Drifted(ctx, auditBatch)
	if err != nil {
		return err
	}
	for _, d := range drifted {
		f := Finding{Trouble: LedgerDrift, User: d.User, Message: fmt.Sprintf(
			"user %d: %d bytes are booked as used and %d as reserved; files add up to %d, uploads to %d",
			d.User, d.Has.Used, d.Has.Reserved, d.Counted.Used, d.Counted.Reserved)}
		if in.Fix {
			if err := c.store.Rebook(ctx, d.User); err != nil {
				return err
			}
			f.Fixed = "booked anew"
		}
		in.Found(f)
	}
	return nil
}

func (c *Catalog) inspectDoomed(ctx context.Context, in Inspection) error {
	late, err := c.store.DoomedBefore(ctx, c.clock().Add(-doomedLong), auditBatch)
	if err != nil || len(late) == 0 {
		return err
	}
	in.Found(Finding{Trouble: DoomedBacklog, Message: fmt.Sprintf(
		"%d or more deleted contents have waited since %s to be unlinked; a running server does it",
		len(late), late[0].At.UTC().Format(time.RFC3339))})
	return nil
}

// paced is a reader that tells a Pace what it reads and ends with its context.
type paced struct {
	ctx  context.Context //nolint:containedctx // of one call, for which the reader is made
	body io.Reader
	pace Pace
}

func (r *paced) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.body.Read(p)
	if r.pace != nil && n > 0 {
		if paceErr := r.pace(r.ctx, n); paceErr != nil {
			return 0, paceErr
		}
	}
	return n, err
}

// PartOf returns a Read for the n-th of t equal parts of all versions, n from 1.
func PartOf(n, t uint64) func(core.VersionID) bool {
	return func(id core.VersionID) bool { return mix(uint64(id))%t == n-1 }
}

// mix spreads ids evenly, whatever their pattern (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
