package desk

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Finder finds what a reference names; catalog.Catalog is one.
type Finder interface {
	Find(ctx context.Context, who core.Actor, ref catalog.Ref) (catalog.Node, error)
}

// StillShared is nil for an address that no share gave out (through is ""), and as long
// as the share is there and opens something: its addresses end with it. Its downloads
// may be used up: this is one of them.
func (d *Desk) StillShared(q *Call, tree Finder, through string) error {
	const op = "desk.StillShared"
	if through == "" {
		return nil
	}
	id, err := d.IDs.Decode(core.TagShare, through)
	if err != nil {
		return errs.New(errs.NotFound, errs.ShareMissing).At(op).Because(err)
	}
	key := catalog.ShareKey{ID: core.ShareID(id), Granted: true}
	_, err = tree.Find(q.Ctx(), q.Actor, catalog.Ref{Share: &key})
	return errs.Wrap(op, err)
}
