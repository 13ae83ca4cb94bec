package catalog

import (
	"context"
	"maps"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// ShareKey is what a caller has in hand to open a share.
type ShareKey struct {
	ID       core.ShareID
	Password core.Secret // as the caller says; "" if none was given
	From     string      // IP address of the caller, to bound guesses
	// Granted is for what the server itself gave out, an address or an archive: the
	// password was right then, and the download is counted.
	Granted bool
}

// Opened is what a share opens: a file, or a folder and all below it.
type Opened struct {
	Owner core.UserID
	Node  core.NodeID
	// ShowView says that folders are shown as their owner set them.
	ShowView bool
}

// Gate opens shares. It looks at every limit of the share each time, so nobody
// may keep what it returned for a later request.
type Gate interface {
	// Enter: NotFound/share_missing or share_expired, Forbidden/share_password or
	// anonymous_denied, Transient/too_many_guesses.
	Enter(ctx context.Context, who core.Actor, key ShareKey) (Opened, error)
}

// findShared returns the node at ref in a share.
func (c *Catalog) findShared(ctx context.Context, who core.Actor, ref Ref) (Node, error) {
	if c.gate == nil {
		return Node{}, errs.New(errs.NotFound, errs.ShareMissing)
	}
	in, err := c.gate.Enter(ctx, who, *ref.Share)
	if err != nil {
		return Node{}, err
	}
	n, _, err := inOpened(ctx, c.store, in, ref.Path)
	if !in.ShowView && n.View() != "" {
		n.Meta = maps.Clone(n.Meta)
		delete(n.Meta, viewKey)
	}
	return n, err
}

// Opens returns what is opened, and where it lies in the drive of its owner.
// NotFound/share_expired when it is gone, or in the drive no more.
func Opens(ctx context.Context, tree Tree, in Opened) (Node, core.Path, error) {
	const op = "catalog.Opens"
	n, at, err := inOpened(ctx, tree, in, core.Root)
	return n, at, errs.Wrap(op, err)
}

// inOpened returns the node at p in what is opened, and where that begins. A file
// that is opened itself is both at the root and at its own name.
func inOpened(ctx context.Context, tree Tree, in Opened, p core.Path) (n Node, base core.Path, err error) {
	gone := errs.Newf(errs.NotFound, errs.ShareExpired, "Shared file does not exist")
	top, err := tree.Node(ctx, in.Node)
	hidden := false
	if err == nil {
		base, hidden, err = pathOf(ctx, tree, top)
	}
	switch {
	case errs.Is(err, errs.NotFound) || err == nil && (hidden || top.Owner != in.Owner):
		return Node{}, core.Root, gone
	case err != nil:
		return Node{}, core.Root, err
	}
	if top.Kind == File && p == core.Root.Join(top.Name) {
		p = core.Root
	}
	names := base.Names()
	whole, err := core.JoinPath(append(names, p.Names()...))
	if err != nil {
		return Node{}, core.Root, err
	}
	// The walk begins at the root of the drive and must pass the very node: what
	// was removed from the drive may still have a row, and its path another node.
	at, err := Locate(ctx, tree, in.Owner, whole)
	switch {
	case err != nil:
		return Node{}, core.Root, err
	case len(at.Nodes) <= len(names) || at.Nodes[len(names)].ID != in.Node:
		return Node{}, core.Root, gone
	case !at.Found():
		return Node{}, core.Root, errs.Newf(errs.NotFound, errs.PathMissing, "There is nothing at %s.", p)
	}
	return at.Last(), base, nil
}
