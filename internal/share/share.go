package share

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Tree is what share needs of names and people.
type Tree interface {
	catalog.Tree
	User(ctx context.Context, id core.UserID) (catalog.User, error)
	Group(ctx context.Context, id core.GroupID) (catalog.Group, error)
	MintID(ctx context.Context) (int64, error)
}

// Guesses bounds wrong passwords; auth.Bound is one.
type Guesses interface {
	Try(ctx context.Context, which, addr string, right func() (bool, error)) (bool, error)
}

// Vault seals passwords for their rows; auth.Vault is one.
type Vault interface {
	Seal(about string, plain []byte) []byte
	Open(about string, sealed []byte) ([]byte, error)
}

// Options are what Links is made of. All are needed.
type Options struct {
	Store   Store
	Tree    Tree
	Guesses Guesses
	Vault   Vault
	Clock   core.Clock
}

// Links holds the rules of shares.
type Links struct {
	store   Store
	tree    Tree
	guesses Guesses
	vault   Vault
	clock   core.Clock
}

// New returns the room over o.
func New(o Options) *Links {
	return &Links{store: o.Store, tree: o.Tree, guesses: o.Guesses, vault: o.Vault, clock: o.Clock}
}

// maxLife bounds Terms.Life: far enough, and every clock can add it.
const maxLife = 100 * 365 * 24 * time.Hour

// Terms are what the owner of a share decides.
type Terms struct {
	Private    bool          // it has a password
	Password   core.Secret   // "" with Private: as it was, else one that we make
	Life       time.Duration // from now; 0: for ever
	Downloads  int64         // from now; 0: any number
	ShowView   bool
	ShowReadme bool
}

// apply writes the terms into s, all but the password.
func (t Terms) apply(s *Share, now time.Time) error {
	switch {
	case t.Life < 0 || t.Life > maxLife:
		return errs.Newf(errs.Invalid, errs.BadParam, "A share expires within 100 years")
	case t.Downloads < 0:
		return errs.Newf(errs.Invalid, errs.BadParam, "A share has no fewer than 0 downloads")
	}
	s.Expires, s.Remain = time.Time{}, NoLimit
	if t.Life > 0 {
		s.Expires = now.Add(t.Life)
	}
	if t.Downloads > 0 {
		s.Remain = t.Downloads
	}
	s.ShowView, s.ShowReadme = t.ShowView, t.ShowReadme
	return checkPassword(t.Password)
}

// mayShare is nil for those whose group may.
func (l *Links) mayShare(ctx context.Context, who core.Actor) error {
	if !who.Known() {
		return errs.New(errs.Unauthenticated, errs.LoginNeeded)
	}
	g, err := l.tree.Group(ctx, who.Group)
	if err == nil && !g.May(catalog.PermShare) {
		err = errs.Newf(errs.Forbidden, errs.NoPermission, "Your group may not share")
	}
	return err
}

// Make shares the node at ref. NotFound/path_missing, Forbidden/no_permission,
// Forbidden/root_protected for a whole drive, Invalid/bad_param.
func (l *Links) Make(ctx context.Context, who core.Actor, ref catalog.Ref, t Terms) (Link, error) {
	const op = "share.Make"
	owner, err := catalog.OwnerOf(who, ref)
	if err == nil {
		err = l.mayShare(ctx, who)
	}
	if err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	if ref.Path.IsRoot() {
		return Link{}, errs.Newf(errs.Forbidden, errs.RootProtected, "A whole drive cannot be shared").At(op)
	}
	at, err := catalog.Locate(ctx, l.tree, owner, ref.Path)
	if err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	if !at.Found() {
		return Link{}, errs.Newf(errs.NotFound, errs.PathMissing, "src file not found").At(op)
	}
	n, now := at.Last(), l.clock()
	s := Share{Owner: owner, Node: n.ID, Name: n.Name, Kind: n.Kind, Created: now}
	if err := t.apply(&s, now); err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	id, err := l.tree.MintID(ctx)
	if err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	s.ID = core.ShareID(id)
	out := Link{ID: s.ID}
	if t.Private {
		if out.Password = t.Password; out.Password == "" {
			out.Password = newPassword()
		}
	}
	s.Sealed = l.seal(s.ID, out.Password)
	return out, errs.Wrap(op, l.store.Add(ctx, s))
}

// Link is what opens a share.
type Link struct {
	ID       core.ShareID
	Password core.Secret
}

// Edit gives the caller's share other terms: those that t does not name end.
// What it opens stays. NotFound/share_missing for another's.
func (l *Links) Edit(ctx context.Context, who core.Actor, id core.ShareID, t Terms) (Link, error) {
	const op = "share.Edit"
	if err := l.mayShare(ctx, who); err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	s, err := l.store.Share(ctx, id)
	if err == nil && s.Owner != who.User {
		err = errs.New(errs.NotFound, errs.ShareMissing)
	}
	if err == nil {
		err = t.apply(&s, l.clock())
	}
	out := Link{ID: id, Password: t.Password}
	switch {
	case err != nil:
	case !t.Private:
		out.Password = ""
	case t.Password == "" && s.Private():
		out.Password, err = l.open(s)
	case t.Password == "":
		out.Password = newPassword()
	}
	if err != nil {
		return Link{}, errs.Wrap(op, err)
	}
	s.Sealed = l.seal(id, out.Password)
	return out, errs.Wrap(op, l.store.Update(ctx, s))
}

// Remove ends the caller's share; NotFound/share_missing for another's.
func (l *Links) Remove(ctx context.Context, who core.Actor, id core.ShareID) error {
	const op = "share.Remove"
	if !who.Known() {
		return errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	return errs.Wrap(op, l.store.Remove(ctx, id, who.User))
}
