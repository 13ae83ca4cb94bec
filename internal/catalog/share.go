package catalog

import (
	"context"

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
}

// Gate opens shares. It looks at every limit of the share each time, so nobody
// may keep what it returned for a later request.
type Gate interface {
	// Enter: NotFound/share_missing or share_expired, Forbidden/share_password or
	// anonymous_denied, Transient/too_many_guesses.
	Enter(ctx context.Context, who core.Actor, key ShareKey) (Opened, error)
}

// findShared returns what the share of ref opens and the node at ref below it.
func (c *Catalog) findShared(ctx context.Context, who core.Actor, ref Ref) (top, n Node, err error) {
	if c.gate == nil {
		return Node{}, Node{}, errs.New(errs.NotFound, errs.ShareMissing)
	}
	in, err := c.gate.Enter(ctx, who, *ref.Share)
	if err != nil {
		return Node{}, Node{}, err
	}
	return Below(ctx, c.store, in, ref.Path)
}

// Below returns what is opened, and the node at p below it. A file that is
// opened itself is both at the root and at its own name. NotFound/share_expired
// when the node is gone or in no drive any more, NotFound/path_missing below it.
func Below(ctx context.Context, tree Tree, in Opened, p core.Path) (top, n Node, err error) {
	const op = "catalog.Below"
	gone := errs.Newf(errs.NotFound, errs.ShareExpired, "Shared file does not exist").At(op)
	top, err = tree.Node(ctx, in.Node)
	var base core.Path
	hidden := false
	if err == nil {
		base, hidden, err = pathOf(ctx, tree, top)
	}
	switch {
	case errs.Is(err, errs.NotFound) || err == nil && (hidden || top.Owner != in.Owner):
		return Node{}, Node{}, gone
	case err != nil:
		return Node{}, Node{}, errs.Wrap(op, err)
	}
	if top.Kind == File && p == core.Root.Join(top.Name) {
		p = core.Root
	}
	names := base.Names()
	whole, err := core.JoinPath(append(names, p.Names()...))
	if err != nil {
		return Node{}, Node{}, errs.Wrap(op, err)
	}
	// The walk begins at the root of the drive and must pass the very node: what
	// was removed from the drive may still have a row, and its path another node.
	at, err := Locate(ctx, tree, in.Owner, whole)
	switch {
	case err != nil:
		return Node{}, Node{}, errs.Wrap(op, err)
	case len(at.Nodes) <= len(names) || at.Nodes[len(names)].ID != in.Node:
		return Node{}, Node{}, gone
	case !at.Found():
		return Node{}, Node{}, errs.Newf(errs.NotFound, errs.PathMissing, "There is nothing at %s.", p).At(op)
	}
	return at.Nodes[len(names)], at.Last(), nil
}
