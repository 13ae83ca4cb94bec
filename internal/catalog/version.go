package catalog

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// SetCurrent makes a version of the file at ref the one that is read.
// NotFound/version_missing for a folder, for a version of another file and for what
// is no content; Internal/recover_needed for one whose bytes are damaged.
func (c *Catalog) SetCurrent(ctx context.Context, who core.Actor, ref Ref, id core.VersionID) error {
	const op = "catalog.SetCurrent"
	return errs.Wrap(op, c.withVersion(ctx, who, ref, id, func(tx Tx, n Node, v Version) error {
		switch {
		case v.Damage != "":
			return errs.Newf(errs.Internal, errs.RecoverNeeded, "version %d is damaged: %s", v.ID, v.Damage)
		case v.ID == n.Version:
			return nil
		}
		was := n.Rev
		n.Version, n.Size, n.Updated = v.ID, v.Size, c.clock()
		return tx.UpdateNode(ctx, n, was)
	}))
}

// DeleteVersion drops a version of the file at ref for good, with its bytes.
// NotFound/version_missing as SetCurrent; Forbidden/no_permission for the current
// one, which is the file.
func (c *Catalog) DeleteVersion(ctx context.Context, who core.Actor, ref Ref, id core.VersionID) error {
	const op = "catalog.DeleteVersion"
	return errs.Wrap(op, c.withVersion(ctx, who, ref, id, func(tx Tx, n Node, v Version) error {
		if v.ID == n.Version {
			return errs.Newf(errs.Forbidden, errs.NoPermission, "This is the current version. Make another one current first, or delete the file.")
		}
		return tx.DropVersion(ctx, v.ID, c.clock())
	}))
}

// withVersion calls do with a content of the file at ref, if nothing holds the file.
func (c *Catalog) withVersion(ctx context.Context, who core.Actor, ref Ref, id core.VersionID, do func(Tx, Node, Version) error) error {
	owner, err := OwnerOf(who, ref)
	if err != nil {
		return err
	}
	return c.store.InTx(ctx, func(tx Tx) error {
		n, err := c.freeNode(ctx, tx, owner, ref.Path)
		if err != nil {
			return err
		}
		v, err := tx.Version(ctx, id)
		if err == nil && (v.Node != n.ID || v.Kind != Content) {
			err = errs.New(errs.NotFound, errs.VersionMissing)
		}
		if err != nil {
			return err
		}
		return do(tx, n, v)
	})
}
