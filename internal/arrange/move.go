package arrange

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Move puts each of refs into the folder dst, under the name that it has. It
// costs the same for a file and for a tree, but for a look at the folders of the
// tree. NotFound/path_missing or Forbidden/parent_is_file for dst; single items
// fail with Exists/name_taken, Conflict/locked, NotFound/path_missing, or
// Forbidden where a folder would lie in itself.
func (k *Keeper) Move(ctx context.Context, who core.Actor, refs []catalog.Ref, dst catalog.Ref) (Failures, error) {
	const op = "arrange.Move"
	if _, err := k.into(ctx, who, dst); err != nil {
		return nil, errs.Wrap(op, err)
	}
	var into catalog.Place
	failed, err := k.run(ctx, task{
		owner: who.User, items: len(refs),
		begin: func(tx catalog.Tx) (err error) {
			into, err = folder(ctx, tx, who, dst)
			return err
		},
		do: func(tx catalog.Tx, i int) error {
			at, err := find(ctx, tx, who, refs[i])
			if err != nil {
				return err
			}
			n := at.Last()
			if err := catalog.MustBeFree(ctx, tx, n); err != nil {
				return err
			}
			if err := fits(ctx, tx, n, into); err != nil {
				return err
			}
			if n.Parent == into.Last().ID {
				return nil
			}
			was := n.Rev
			n.Parent = into.Last().ID
			return tx.UpdateNode(ctx, n, was)
		},
	})
	return failed, errs.Wrap(op, err)
}

// into is folder outside of any transaction: most requests that fail do so here.
func (k *Keeper) into(ctx context.Context, who core.Actor, dst catalog.Ref) (catalog.Place, error) {
	return folder(ctx, k.Store, who, dst)
}

// fits is nil unless n would come to lie in itself, or deeper than paths go.
func fits(ctx context.Context, tx catalog.Names, n catalog.Node, into catalog.Place) error {
	if n.Kind == catalog.File {
		return deep(len(into.Nodes))
	}
	for _, up := range into.Nodes {
		if up.ID == n.ID {
			return errs.Newf(errs.Forbidden, errs.NoPermission, "Not supported action: cannot move or copy folder to itself or its descendant")
		}
	}
	below, err := tx.FoldersBelow(ctx, n.ID)
	if err != nil {
		return err
	}
	return deep(len(into.Nodes) + below + 1) // and a file in the deepest
}

func deep(names int) error {
	if names > core.MaxDepth {
		return errs.Newf(errs.Invalid, errs.NameRejected, "There the path would be deeper than %d folders.", core.MaxDepth)
	}
	return nil
}
