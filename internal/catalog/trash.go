package catalog

import (
	"context"
	"strings"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// TrashKey is the key of the hidden root below which lies what was thrown away.
// The key of such an item is that of its name, a slash and its token: it sorts by
// name, meets no other, and no path leads to it.
const TrashKey = "trash"

// Metadata of what was thrown away. The first holds a path here, which doors
// turn into a URI; the second Unix seconds.
const (
	RestoreKey = "sys:restore_uri"
	CollectKey = "sys:expected_collect_time"
)

// tokenLen is the length of a UUID as text.
const tokenLen = 36

// Token returns what leads to an item of the trash; "" for anything else.
func (n Node) Token() string {
	_, token, _ := strings.Cut(n.Key, "/")
	return token
}

// TrashItem returns the item under a token in the trash of owner;
// NotFound/path_missing.
func TrashItem(ctx context.Context, tree Names, owner core.UserID, token string) (Node, error) {
	missing := errs.Newf(errs.NotFound, errs.PathMissing, "There is nothing at %s in the trash.", token)
	root, err := tree.HiddenRoot(ctx, owner, TrashKey)
	if errs.Is(err, errs.NotFound) || len(token) != tokenLen || !askable(token) {
		return Node{}, missing
	}
	if err != nil {
		return Node{}, err
	}
	n, err := tree.DueByToken(ctx, token)
	if errs.Is(err, errs.NotFound) || err == nil && n.Parent != root.ID {
		return Node{}, missing
	}
	return n, err
}

// Look is Find for those who do no more than look: into the trash, too. The trash
// itself is a folder, there or not.
func (c *Catalog) Look(ctx context.Context, who core.Actor, ref Ref) (Node, error) {
	const op = "catalog.Look"
	if !ref.Trash {
		return c.Find(ctx, who, ref)
	}
	owner, err := OwnerOf(who, Ref{Owner: ref.Owner})
	if err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	n, err := findTrashed(ctx, c.store, owner, ref.Path)
	return n, errs.Wrap(op, err)
}

// findTrashed returns the trash itself, which need not be there yet, an item of
// it, or what lies below one.
func findTrashed(ctx context.Context, tree Names, owner core.UserID, p core.Path) (Node, error) {
	if p.IsRoot() {
		root, err := tree.HiddenRoot(ctx, owner, TrashKey)
		if errs.Is(err, errs.NotFound) {
			return Node{Owner: owner, Kind: Folder}, nil
		}
		return root, err
	}
	names := p.Names()
	n, err := TrashItem(ctx, tree, owner, names[0])
	for _, name := range names[1:] {
		if err != nil {
			return Node{}, err
		}
		if !askable(name) {
			return Node{}, errs.New(errs.NotFound, errs.PathMissing)
		}
		n, err = tree.Child(ctx, n.ID, NameKey(name))
	}
	return n, err
}
