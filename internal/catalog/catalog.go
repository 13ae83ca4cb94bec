package catalog

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Buckets finds the bucket of a policy. The wiring owns and closes them.
type Buckets interface {
	Bucket(ctx context.Context, p Policy) (*blob.Bucket, error)
}

// Options are what a Catalog is made of.
type Options struct {
	Store   Store
	Buckets Buckets
	Keyring *blob.Keyring // opens the keys of encrypted versions
	Gate    Gate          // opens shares; nil: there are none
	Clock   core.Clock
}

// Catalog holds the rules of names.
type Catalog struct {
	store   Store
	buckets Buckets
	keyring *blob.Keyring
	gate    Gate
	clock   core.Clock
	tidying tidying
	began   time.Time
}

// New returns the catalog over o.
func New(o Options) *Catalog {
	return &Catalog{store: o.Store, buckets: o.Buckets, keyring: o.Keyring, gate: o.Gate, clock: o.Clock, began: o.Clock()}
}

// Ref names a place in a drive, in its trash, or in what a share opens. Owner 0 is
// the caller.
type Ref struct {
	Owner core.UserID
	Path  core.Path
	Share *ShareKey // the path begins at what it opens; only for reading
	Trash bool      // the first name is the token of what was thrown away
}

// At is the Ref of a path in the caller's own drive.
func At(p core.Path) Ref { return Ref{Path: p} }

// OwnerOf returns whose drive ref is in, if who may change it: only one's own.
// Unauthenticated/login_needed, Forbidden/no_permission, or Unsupported for a
// place in a share, which is for reading, or in the trash, where hardly anything
// may be done.
func OwnerOf(who core.Actor, ref Ref) (core.UserID, error) {
	const op = "catalog.OwnerOf"
	switch {
	case ref.Share != nil, ref.Trash:
		return 0, errs.Newf(errs.Unsupported, errs.NoPermission, "Not supported action").At(op)
	case ref.Owner != 0 && who.Known() && ref.Owner != who.User:
		return 0, errs.Newf(errs.Forbidden, errs.NoPermission, "Permission denied").At(op)
	case !who.Known():
		return 0, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	return who.User, nil
}

// Place is where a path leads: the nodes that exist from the root down, and the
// names below the last of them that do not.
type Place struct {
	Nodes   []Node
	Missing []string
}

// Last returns the deepest node that exists.
func (p Place) Last() Node { return p.Nodes[len(p.Nodes)-1] }

// Found reports whether the whole path exists.
func (p Place) Found() bool { return len(p.Missing) == 0 }

// Locate follows ref in tree as far as it goes. A path through a file is not
// found.
func Locate(ctx context.Context, tree Tree, owner core.UserID, p core.Path) (Place, error) {
	const op = "catalog.Locate"
	names := p.Names()
	keys := make([]string, len(names))
	for i, n := range names {
		if !askable(n) {
			keys = keys[:i]
			break
		}
		keys[i] = NameKey(n)
	}
	nodes, err := tree.Walk(ctx, owner, keys)
	if err != nil {
		return Place{}, errs.Wrap(op, err)
	}
	if len(nodes) == 0 {
		return Place{}, errs.New(errs.NotFound, errs.PathMissing).At(op)
	}
	return Place{Nodes: nodes, Missing: names[len(nodes)-1:]}, nil
}

// askable is false of what nothing is called and not every database can be asked
// for.
func askable(name string) bool { return utf8.ValidString(name) && !strings.ContainsRune(name, 0) }

// Find returns the node at ref; NotFound/path_missing.
func (c *Catalog) Find(ctx context.Context, who core.Actor, ref Ref) (Node, error) {
	const op = "catalog.Find"
	if ref.Share != nil {
		n, err := c.findShared(ctx, who, ref)
		return n, errs.Wrap(op, err)
	}
	owner, err := OwnerOf(who, ref)
	if err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	n, err := find(ctx, c.store, owner, ref.Path)
	return n, errs.Wrap(op, err)
}

func find(ctx context.Context, tree Names, owner core.UserID, p core.Path) (Node, error) {
	at, err := Locate(ctx, tree, owner, p)
	if err != nil {
		return Node{}, err
	}
	if !at.Found() {
		return Node{}, errs.Newf(errs.NotFound, errs.PathMissing, "There is nothing at %s.", p)
	}
	return at.Last(), nil
}

// PathOf returns where a node is now; NotFound/path_missing for one in the trash.
func (c *Catalog) PathOf(ctx context.Context, n Node) (core.Path, error) {
	const op = "catalog.PathOf"
	p, hidden, err := pathOf(ctx, c.store, n)
	if err == nil && hidden {
		err = errs.Newf(errs.NotFound, errs.PathMissing, "%s was deleted.", p)
	}
	return p, errs.Wrap(op, err)
}

// pathOf names the way to a node from the root of its tree, and says whether that
// is a hidden one.
func pathOf(ctx context.Context, tree Tree, n Node) (_ core.Path, hidden bool, _ error) {
	var names []string
	for n.Parent != 0 {
		if len(names) > core.MaxDepth {
			return core.Root, false, errs.Newf(errs.Internal, errs.StoreFailed, "A folder lies inside itself.")
		}
		names = append(names, n.Name)
		up, err := tree.Node(ctx, n.Parent)
		if err != nil {
			return core.Root, false, err
		}
		n = up
	}
	p := core.Root
	for i := len(names) - 1; i >= 0; i-- {
		p = p.Join(names[i])
	}
	return p, n.Key != "", nil
}

// Home is what a signed-in user's requests need to know at once.
type Home struct {
	User   User
	Group  Group
	Policy Policy
	Pins   []Pin // only by HomeOf
}

// HomeOf returns the user with group and policy.
func (c *Catalog) HomeOf(ctx context.Context, id core.UserID) (Home, error) {
	const op = "catalog.HomeOf"
	h, err := HomeIn(ctx, c.store, id)
	if err != nil {
		return Home{}, errs.Wrap(op, err)
	}
	root, err := find(ctx, c.store, id, core.Root)
	h.Pins = pinsOf(root)
	return h, errs.Wrap(op, err)
}

// HomeIn is HomeOf inside a transaction.
func HomeIn(ctx context.Context, tx Tx, id core.UserID) (h Home, err error) {
	if h.User, err = tx.User(ctx, id); err != nil {
		return Home{}, err
	}
	if h.Group, err = tx.Group(ctx, h.User.Group); err != nil {
		return Home{}, err
	}
	h.Policy, err = tx.Policy(ctx, h.Group.Policy)
	return h, err
}

// RenewPassword keeps another hash of the password that an account has: was is
// the hash that proved it. A password that was changed meanwhile stays, and
// nobody is signed out.
func (c *Catalog) RenewPassword(ctx context.Context, id core.UserID, was, now core.Secret) error {
	const op = "catalog.RenewPassword"
	return errs.Wrap(op, c.store.InTx(ctx, func(tx Tx) error {
		// Nothing is released, but from here on nobody else writes the row: PostgreSQL
		// would let a change of password slip in between our read and our write.
		if err := tx.Release(ctx, id, 0); err != nil {
			return err
		}
		u, err := tx.User(ctx, id)
		if err != nil || u.Password != was {
			return err
		}
		u.Password = now
		return tx.UpdateUser(ctx, u)
	}))
}

// Capacity returns the caller's account of bytes.
func (c *Catalog) Capacity(ctx context.Context, who core.Actor) (Capacity, error) {
	const op = "catalog.Capacity"
	if !who.Known() {
		return Capacity{}, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	got, err := c.store.Capacity(ctx, who.User)
	return got, errs.Wrap(op, err)
}
