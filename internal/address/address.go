package address

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Tree is what address needs of names and people.
type Tree interface {
	catalog.Tree
	User(ctx context.Context, id core.UserID) (catalog.User, error)
	Group(ctx context.Context, id core.GroupID) (catalog.Group, error)
	MintID(ctx context.Context) (int64, error)
}

// Options are what a Book is made of. All are needed.
type Options struct {
	Store   Store
	Tree    Tree
	Catalog *catalog.Catalog
	Clock   core.Clock
}

// Book holds the rules of addresses.
type Book struct{ Options }

// New returns the book over o.
func New(o Options) *Book { return &Book{o} }

// Make returns the address of the caller's own file at ref, a new one or the one that
// it has. Forbidden/no_permission for a group that may not, NotFound/path_missing,
// Invalid/bad_param for a folder.
func (b *Book) Make(ctx context.Context, who core.Actor, ref catalog.Ref) (Address, catalog.Node, error) {
	const op = "address.Make"
	n, err := b.own(ctx, who, ref)
	if err != nil {
		return Address{}, n, errs.Wrap(op, err)
	}
	g, err := b.Tree.Group(ctx, who.Group)
	if err != nil {
		return Address{}, n, errs.Wrap(op, err)
	}
	if !g.May(catalog.PermDirectLink) {
		return Address{}, n, errs.Newf(errs.Forbidden, errs.NoPermission, "Your group may not make direct links").At(op)
	}
	id, err := b.Tree.MintID(ctx)
	if err != nil {
		return Address{}, n, errs.Wrap(op, err)
	}
	a, err := b.Store.Add(ctx, Address{ID: id, Owner: who.User, Node: n.ID, Created: b.Clock()})
	return a, n, errs.Wrap(op, err)
}

// own returns the caller's file at ref.
func (b *Book) own(ctx context.Context, who core.Actor, ref catalog.Ref) (catalog.Node, error) {
	if _, err := catalog.OwnerOf(who, ref); err != nil {
		return catalog.Node{}, err
	}
	n, err := b.Catalog.Find(ctx, who, ref)
	if err == nil && n.Kind != catalog.File {
		err = errs.Newf(errs.Invalid, errs.BadParam, "A folder has no direct link. Share it, or name its files.")
	}
	return n, err
}

// Remove ends an address of the caller's; NotFound/address_missing for another's.
func (b *Book) Remove(ctx context.Context, who core.Actor, id int64) error {
	const op = "address.Remove"
	if !who.Known() {
		return errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	return errs.Wrap(op, b.Store.Remove(ctx, id, who.User))
}

// Open returns the file behind an address for anybody who has it, and counts a
// download if count says so. NotFound/address_missing also while the file is in the
// trash, and when its owner may not sign in or give out addresses any more.
func (b *Book) Open(ctx context.Context, id int64, count bool) (catalog.Node, error) {
	const op = "address.Open"
	a, err := b.Store.Address(ctx, id)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	owner, err := b.Tree.User(ctx, a.Owner)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	g, err := b.Tree.Group(ctx, owner.Group)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	missing := errs.New(errs.NotFound, errs.AddressMissing).At(op)
	if owner.Status != catalog.Active || !g.May(catalog.PermDirectLink) {
		return catalog.Node{}, missing
	}
	n, _, err := catalog.Opens(ctx, b.Tree, catalog.Opened{Owner: a.Owner, Node: a.Node})
	switch {
	case errs.Has(err, errs.ShareExpired): // it is not in the drive now
		return catalog.Node{}, missing.Because(err)
	case err != nil:
		return catalog.Node{}, errs.Wrap(op, err)
	case n.Version == 0: // its first upload is not complete, or it is empty
		return n, nil
	}
	if count {
		err = b.Store.Count(ctx, id)
	}
	return n, errs.Wrap(op, err)
}
