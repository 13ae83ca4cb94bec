package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What one TidyPacks does at most. It is called every minute or so, which makes
// these its pace.
const (
	tidyPacks = 64       // packs looked at, of each policy
	tidyMoved = 16 << 20 // bytes moved
	tidyBatch = 1 << 20  // bytes, or
	tidyFiles = 128      // files that share a flush and a transaction
)

// packedOverhead is about what an object takes in a pack beside its bytes.
const packedOverhead = 24

// movedStay is how long bytes stay where they were after they were moved: for
// those who had asked where they are.
const movedStay = 15 * time.Minute

// Tidied counts what TidyPacks did.
type Tidied struct {
	Dropped int   // packs
	Moved   int   // contents
	Bytes   int64 // that were moved
	Damaged int   // contents that were found to be other than received, and stay where they are
	Aside   int   // packs that held something and that no row names: set aside, not removed
}

// tidying is where the next TidyPacks goes on. A restart begins anew.
type tidying struct {
	mu    sync.Mutex
	after map[core.PolicyID]string
}

// TidyPacks removes packs of which everything was deleted, and moves what is
// left in those of which less than half is in use. One call does a little. It
// may run beside everything else, and may end anywhere: bytes are moved first,
// then their rows, and only then is the old place given up.
func (c *Catalog) TidyPacks(ctx context.Context) (Tidied, error) {
	const op = "catalog.TidyPacks"
	var did Tidied
	c.tidying.mu.Lock()
	defer c.tidying.mu.Unlock()
	policies, err := c.store.Policies(ctx)
	if err != nil {
		return did, errs.Wrap(op, err)
	}
	var all []error
	for _, p := range policies {
		b, err := c.buckets.Bucket(ctx, p)
		if err == nil && b.Can().Packs {
			err = c.tidyPolicy(ctx, place{p, policies, b}, &did)
		}
		all = append(all, err)
	}
	return did, errs.Wrap(op, errors.Join(all...))
}

func (c *Catalog) tidyPolicy(ctx context.Context, at place, did *Tidied) error {
	packs, err := at.bucket.Packs(ctx, c.tidying.after[at.policy.ID], tidyPacks)
	if err != nil {
		return err
	}
	var all []error
	next := ""
	for i, o := range packs {
		if did.Bytes >= tidyMoved {
			break
		}
		all = append(all, c.tidyPack(ctx, at, o, did))
		if i == tidyPacks-1 {
			next = o.Key
		}
	}
	if c.tidying.after == nil {
		c.tidying.after = map[core.PolicyID]string{}
	}
	if did.Bytes < tidyMoved { // else the same ones again
		c.tidying.after[at.policy.ID] = next
	}
	return errors.Join(all...)
}

func (c *Catalog) tidyPack(ctx context.Context, at place, o blob.Info, did *Tidied) error {
	use, err := c.packUse(ctx, at.policies, o.Key)
	if err != nil {
		return err
	}
	switch {
	case use == PackUse{}:
		// What was packed and has no row yet is not deleted, and refuses.
		switch err := at.bucket.DropPack(ctx, o.Key); {
		case err == nil:
			did.Dropped++
		case errs.Is(err, errs.Conflict):
			return c.leaveAside(ctx, at, o, did)
		default:
			return err
		}
	case use.Objects > 0 && 2*(use.Bytes+use.Objects*packedOverhead) < o.Size:
		return c.compact(ctx, at, o.Key, did)
	}
	return nil
}

// leaveAside takes a pack out of the way that a crash left between bytes and
// rows. Nobody was told of what it holds, unless the database is older than the
// storage: so it is set aside and not removed. One that was written since this
// process began may still get its rows, for a while.
func (c *Catalog) leaveAside(ctx context.Context, at place, o blob.Info, did *Tidied) error {
	now := c.clock()
	if !o.ModTime.Before(c.began) && now.Sub(o.ModTime) < Settling {
		return nil
	}
	_, err := at.bucket.SetAside(ctx, o.Key, now.UTC().Format(time.DateOnly))
	switch {
	case err == nil:
		did.Aside++
	case errs.Is(err, errs.Unsupported), errs.Is(err, errs.Conflict), errs.Is(err, errs.NotFound):
		err = nil // it grows after all, or is gone
	}
	return err
}

// packUse is the use of a pack by all policies: they may share one storage.
func (c *Catalog) packUse(ctx context.Context, policies []Policy, pack string) (sum PackUse, err error) {
	for _, p := range policies {
		use, err := c.store.PackUse(ctx, p.ID, pack)
		if err != nil {
			return sum, err
		}
		sum.Objects += use.Objects
		sum.Bytes += use.Bytes
		sum.Doomed += use.Doomed
	}
	return sum, nil
}

// compact moves what this policy has in the pack.
func (c *Catalog) compact(ctx context.Context, at place, pack string, did *Tidied) error {
	for after := ""; did.Bytes < tidyMoved; {
		page, err := c.store.VersionsIn(ctx, at.policy.ID, pack, after, tidyFiles)
		if err != nil || len(page) == 0 {
			return err
		}
		var batch []parcel
		var size int64
		for _, v := range page {
			if size >= tidyBatch {
				break
			}
			after = v.Blob
			if v.Damage != "" {
				continue
			}
			p, bad, err := c.take(ctx, at.bucket, v)
			switch {
			case err != nil:
				return err
			case bad != nil:
				did.Damaged++
			case p.body != nil:
				batch = append(batch, p)
				size += v.Size
			}
		}
		if err := c.move(ctx, at.bucket, batch, did); err != nil {
			return err
		}
	}
	return nil
}

// parcel is a content on its way from pack to pack.
type parcel struct {
	version Version
	body    []byte // as it was received
	cipher  *blob.Cipher
}

func (p parcel) write() blob.Write {
	return blob.Write{Range: core.Range{To: p.version.Size}, Body: bytes.NewReader(p.body), Cipher: p.cipher}
}

// take reads a content and proves it. One that is not what was received is
// marked as the scrubber does, and has no body; so has one that is gone.
func (c *Catalog) take(ctx context.Context, b *blob.Bucket, v Version) (parcel, *Finding, error) {
	p := parcel{version: v}
	body, err := c.readWhole(ctx, b, &p)
	switch {
	case err == nil && proved(v, body): //nolint:contextcheck // it is all in memory
		p.body = body
		return p, nil, nil
	case errs.Is(err, errs.Canceled), errs.Is(err, errs.Transient):
		return p, nil, err
	}
	bad, err := c.Examine(ctx, v, Examination{Read: true, Mark: true})
	return p, bad, err
}

func (c *Catalog) readWhole(ctx context.Context, b *blob.Bucket, p *parcel) (body []byte, err error) {
	v := p.version
	if p.cipher, err = c.cipherOf(v); err != nil {
		return nil, err
	}
	r, err := b.Open(ctx, v.Blob, core.Range{To: v.Size}, p.cipher)
	if err != nil {
		return nil, err
	}
	body, err = io.ReadAll(r)
	return body, errors.Join(err, r.Close())
}

func proved(v Version, body []byte) bool {
	got, err := blob.Measure(blob.Write{Range: core.Range{To: v.Size}, Body: bytes.NewReader(body)}, v.SHA256 != nil)
	if err != nil {
		return false
	}
	trouble, _, _ := differs(v, got)
	return trouble == ""
}

// move packs the batch anew and leads the rows there. After an error it is not
// known which rows name the new place: what none does, the audit finds.
func (c *Catalog) move(ctx context.Context, b *blob.Bucket, batch []parcel, did *Tidied) error {
	if len(batch) == 0 {
		return nil
	}
	ws := make([]blob.Write, len(batch))
	for i, p := range batch {
		ws[i] = p.write()
	}
	got, err := b.Pack(ctx, ws)
	if err != nil {
		return err
	}
	var moved []bool
	err = c.store.InTx(ctx, func(tx Tx) error {
		moved = make([]bool, len(batch))
		at := c.clock().Add(movedStay)
		for i, p := range batch {
			if got[i].Err != nil || got[i].CRC64 != p.version.CRC64 {
				continue
			}
			var err error
			moved[i], err = tx.MoveBlob(ctx, Move{Version: p.version.ID, From: p.version.Blob, To: got[i].Key, At: at})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var vain []string // their versions are gone meanwhile
	for i, p := range batch {
		switch {
		case moved[i]:
			did.Moved++
			did.Bytes += p.version.Size
		case got[i].Err == nil:
			vain = append(vain, got[i].Key)
		}
	}
	_, err = b.Delete(ctx, vain) // what is left, the audit finds
	return err
}

// inspectPacks looks for packs that hold something and that no row names.
func (c *Catalog) inspectPacks(ctx context.Context, in Inspection, at place, did *Inspected) error {
	for after := ""; ; {
		packs, err := at.bucket.Packs(ctx, after, auditBatch)
		if err != nil || len(packs) == 0 {
			return err
		}
		for _, o := range packs {
			after = o.Key
			did.Packs++
			if c.clock().Sub(o.ModTime) < Settling {
				continue
			}
			use, err := c.packUse(ctx, at.policies, o.Key)
			if err != nil {
				return err
			}
			if use != (PackUse{}) {
				continue
			}
			n, err := at.bucket.Undeleted(ctx, o.Key)
			if n == 0 && err == nil || errs.Is(err, errs.NotFound) || errs.Is(err, errs.Conflict) {
				continue // for TidyPacks, or gone, or in other hands
			}
			if err == nil {
				err = c.stray(ctx, in, at, o, fmt.Sprintf("a pack of %d bytes holds %d contents that belong to no file", o.Size, n))
			}
			if err != nil {
				return err
			}
		}
	}
}
