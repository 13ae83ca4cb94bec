package arrange

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Trash throws each of refs away: it can be restored until the group's time for
// that is over. Without such a time it goes for good. It takes room as before.
// Items fail with NotFound/path_missing, Conflict/locked or Forbidden.
func (k *Keeper) Trash(ctx context.Context, who core.Actor, refs []catalog.Ref) (Failures, error) {
	const op = "arrange.Trash"
	var home catalog.Home
	var root catalog.Node
	id, err := k.rootID(ctx, who)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	gone := &removal{k: k}
	failed, err := k.run(ctx, task{
		owner: who.User, items: len(refs), gone: gone,
		begin: func(tx catalog.Tx) (err error) {
			if home, err = catalog.HomeIn(ctx, tx, who.User); err != nil {
				return err
			}
			root, err = k.hidden(ctx, tx, who.User, catalog.TrashKey, id)
			return err
		},
		do: func(tx catalog.Tx, i int) error {
			at, err := find(ctx, tx, who, refs[i])
			if err != nil {
				return err
			}
			if err := catalog.MustBeFree(ctx, tx, at.Last()); err != nil {
				return err
			}
			if home.Group.TrashFor <= 0 {
				return gone.take(ctx, tx, at.Last(), refs[i].Path)
			}
			return k.away(ctx, tx, at, root, home.Group.TrashFor)
		},
	})
	return failed, errs.Wrap(op, err)
}

// away moves a node to the trash.
func (k *Keeper) away(ctx context.Context, tx catalog.Tx, at catalog.Place, root catalog.Node, stay time.Duration) error {
	from := core.Root
	for _, n := range at.Nodes[1:] {
		from = from.Join(n.Name)
	}
	due := k.Clock().Add(stay)
	n, token := at.Last(), core.NewUUID()
	was, meta := n.Rev, maps.Clone(n.Meta)
	if meta == nil {
		meta = map[string]string{}
	}
	meta[catalog.RestoreKey], meta[catalog.CollectKey] = from.String(), strconv.FormatInt(due.Unix(), 10)
	n.Parent, n.Key, n.Meta = root.ID, n.Key+"/"+token, meta
	if err := tx.UpdateNode(ctx, n, was); err != nil {
		return err
	}
	return tx.MarkDue(ctx, n.ID, token, due)
}

// rootID mints an id for a hidden root, should it have to be made.
func (k *Keeper) rootID(ctx context.Context, who core.Actor) (core.NodeID, error) {
	if !who.Known() {
		return 0, errs.New(errs.Unauthenticated, errs.LoginNeeded)
	}
	id, err := k.Store.MintID(ctx)
	return core.NodeID(id), err
}

// hidden returns the hidden root, made under id if it is not there.
func (k *Keeper) hidden(ctx context.Context, tx catalog.Tx, owner core.UserID, key string, id core.NodeID) (catalog.Node, error) {
	root, err := tx.HiddenRoot(ctx, owner, key)
	if !errs.Is(err, errs.NotFound) {
		return root, err
	}
	if err := tx.AddHiddenRoot(ctx, catalog.Node{ID: id, Owner: owner, Key: key, Created: k.Clock()}); err != nil {
		return catalog.Node{}, err
	}
	return tx.HiddenRoot(ctx, owner, key)
}

// Restore puts items of the trash back where they were, and makes the folders
// that are missing there. Items fail with NotFound/path_missing,
// Exists/name_taken, Forbidden/parent_is_file, or Forbidden for what is in no
// trash.
func (k *Keeper) Restore(ctx context.Context, who core.Actor, refs []catalog.Ref) (Failures, error) {
	const op = "arrange.Restore"
	if !who.Known() {
		return nil, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	ids := make([][]core.NodeID, len(refs))
	for i, ref := range refs {
		n, err := item(ctx, k.Store, who, ref)
		if err == nil {
			ids[i], err = catalog.MintNodes(ctx, k.Store, len(origin(n).Dir().Names()))
		}
		if err != nil && !refused(err) {
			return nil, errs.Wrap(op, err)
		}
	}
	failed, err := k.run(ctx, task{owner: who.User, items: len(refs), do: func(tx catalog.Tx, i int) error {
		n, err := item(ctx, tx, who, refs[i])
		if err != nil {
			return err
		}
		return k.back(ctx, tx, n, ids[i])
	}})
	return failed, errs.Wrap(op, err)
}

// origin is where an item of the trash was.
func origin(n catalog.Node) core.Path {
	p, err := core.ParsePath(n.Meta[catalog.RestoreKey])
	if err != nil || p.IsRoot() {
		return core.Root.Join(n.Name)
	}
	return p
}

// back moves an item of the trash to where it was.
func (k *Keeper) back(ctx context.Context, tx catalog.Tx, n catalog.Node, ids []core.NodeID) error {
	at, err := catalog.Locate(ctx, tx, n.Owner, origin(n).Dir())
	if err != nil {
		return err
	}
	into := at.Last()
	switch {
	case !at.Found() && len(ids) < len(at.Missing):
		return errs.New(errs.NotFound, errs.PathMissing)
	case !at.Found():
		if into, err = k.Catalog.Grow(ctx, tx, at, catalog.Leaf{Kind: catalog.Folder, IDs: ids}); err != nil {
			return err
		}
	case into.Kind != catalog.Folder:
		return errs.Newf(errs.Forbidden, errs.ParentIsFile, "%s is a file now, not a folder.", origin(n).Dir())
	}
	was, meta := n.Rev, maps.Clone(n.Meta)
	delete(meta, catalog.RestoreKey)
	delete(meta, catalog.CollectKey)
	n.Parent, n.Key, n.Meta = into.ID, catalog.NameKey(n.Name), meta
	if err := tx.UpdateNode(ctx, n, was); err != nil {
		return err
	}
	return tx.ClearDue(ctx, n.ID)
}

// item returns the item of the trash at ref.
func item(ctx context.Context, tree catalog.Names, who core.Actor, ref catalog.Ref) (catalog.Node, error) {
	if !ref.Trash || len(ref.Path.Names()) != 1 {
		return catalog.Node{}, errs.Newf(errs.Forbidden, errs.NoPermission, "Not supported action: this is no item of the trash")
	}
	owner, err := catalog.OwnerOf(who, catalog.Ref{Owner: ref.Owner})
	if err != nil {
		return catalog.Node{}, err
	}
	return catalog.TrashItem(ctx, tree, owner, ref.Path.Name())
}

// Remove removes each of refs and all below it for good, from the drive or from
// the trash.
func (k *Keeper) Remove(ctx context.Context, who core.Actor, refs []catalog.Ref) (Failures, error) {
	const op = "arrange.Remove"
	if !who.Known() {
		return nil, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	gone := &removal{k: k}
	failed, err := k.run(ctx, task{owner: who.User, items: len(refs), gone: gone, do: func(tx catalog.Tx, i int) error {
		var n catalog.Node
		var err error
		from := refs[i].Path
		if refs[i].Trash {
			n, err = item(ctx, tx, who, refs[i])
			from = origin(n)
		} else {
			var at catalog.Place
			if at, err = find(ctx, tx, who, refs[i]); err == nil {
				n = at.Last()
			}
		}
		if err == nil {
			err = catalog.MustBeFree(ctx, tx, n)
		}
		if err != nil {
			return err
		}
		return gone.take(ctx, tx, n, from)
	}})
	return failed, errs.Wrap(op, err)
}

// Empty removes all that is in the caller's trash: a large one goes behind the
// answer, and is empty at once. What is held stays: Conflict/locked with what
// holds it.
func (k *Keeper) Empty(ctx context.Context, who core.Actor) error {
	const op = "arrange.Empty"
	if !who.Known() {
		return errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	root, err := k.Store.HiddenRoot(ctx, who.User, catalog.TrashKey)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err == nil {
		if done, err := k.emptyLarge(ctx, root); err != nil || done {
			return errs.Wrap(op, err)
		}
	}
	var kept error
	gone := &removal{k: k}
	q := catalog.Query{Parent: root.ID, Order: catalog.ByName, Limit: perTurn}
	for err == nil {
		var page []catalog.Node
		if page, err = k.Store.Children(ctx, q); err != nil || len(page) == 0 {
			break
		}
		q.After = &page[len(page)-1]
		var failed Failures
		failed, err = k.run(ctx, task{owner: who.User, items: len(page), gone: gone, do: func(tx catalog.Tx, i int) error {
			n, err := tx.Node(ctx, page[i].ID)
			if err != nil || n.Parent != root.ID { // gone, or restored
				return unlessGone(err)
			}
			if err := catalog.MustBeFree(ctx, tx, n); err != nil {
				return err
			}
			return gone.take(ctx, tx, n, origin(n))
		}})
		for _, why := range failed {
			kept = why
		}
	}
	if err == nil {
		err = kept
	}
	return errs.Wrap(op, err)
}

// unlessGone is err, unless that says that something is not there any more.
func unlessGone(err error) error {
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}
