package catalog

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// NewNode is what Create makes.
type NewNode struct {
	Kind          Kind
	Meta          map[string]string
	ErrOnConflict bool // an existing node of the same kind is an error too
}

// Create makes a folder or an empty file, and the folders above it. A node of
// the same kind that is there already is returned as it is, unless
// ErrOnConflict says otherwise; Exists/name_taken.
func (c *Catalog) Create(ctx context.Context, who core.Actor, ref Ref, q NewNode) (Node, error) {
	const op = "catalog.Create"
	owner, err := OwnerOf(who, ref)
	if err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	if err := CheckMeta(q.Meta); err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	ids, err := MintNodes(ctx, c.store, len(ref.Path.Names()))
	if err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	var made Node
	err = c.store.InTx(ctx, func(tx Tx) error {
		at, err := Locate(ctx, tx, owner, ref.Path)
		if err != nil {
			return err
		}
		if at.Found() {
			if made = at.Last(); made.Kind != q.Kind || q.ErrOnConflict {
				return errs.Newf(errs.Exists, errs.NameTaken, "Object existed")
			}
			return nil
		}
		if q.Kind == File {
			home, err := HomeIn(ctx, tx, owner)
			if err != nil {
				return err
			}
			if err := home.Policy.CheckFileName(ref.Path.Name()); err != nil {
				return err
			}
		}
		made, err = c.Grow(ctx, tx, at, Leaf{Kind: q.Kind, Meta: q.Meta, IDs: ids})
		return err
	})
	return made, errs.Wrap(op, err)
}

// Leaf is what Grow puts at the end of a path.
type Leaf struct {
	Kind    Kind
	Meta    map[string]string
	Session core.SessionID
	IDs     []core.NodeID // minted before the transaction, one for each name that may be missing
}

// MintNodes mints n node ids. It must be called outside of any transaction.
func MintNodes(ctx context.Context, s interface {
	MintID(ctx context.Context) (int64, error)
}, n int,
) ([]core.NodeID, error) {
	ids := make([]core.NodeID, n)
	for i := range ids {
		id, err := s.MintID(ctx)
		if err != nil {
			return nil, err
		}
		ids[i] = core.NodeID(id)
	}
	return ids, nil
}

// Grow adds the missing names of a place: folders, and leaf at the end.
// Invalid/name_rejected, Forbidden/parent_is_file.
func (c *Catalog) Grow(ctx context.Context, tx Tx, at Place, leaf Leaf) (Node, error) {
	const op = "catalog.Grow"
	up := at.Last()
	if up.Kind != Folder {
		return Node{}, errs.Newf(errs.Forbidden, errs.ParentIsFile, "%q is a file, not a folder.", up.Name).At(op)
	}
	now := c.clock()
	for i, name := range at.Missing {
		if err := CheckName(name); err != nil {
			return Node{}, errs.Wrap(op, err)
		}
		n := Node{
			ID: leaf.IDs[i], Owner: up.Owner, Parent: up.ID, Name: name, Key: NameKey(name),
			Kind: Folder, Created: now, Updated: now, Rev: 1,
		}
		if i == len(at.Missing)-1 {
			n.Kind, n.Meta, n.Session = leaf.Kind, leaf.Meta, leaf.Session
		}
		if err := tx.InsertNode(ctx, n); err != nil {
			return Node{}, errs.Wrap(op, err)
		}
		up = n
	}
	return up, nil
}

// Rename gives the node at ref another name in its folder.
func (c *Catalog) Rename(ctx context.Context, who core.Actor, ref Ref, name string) (Node, error) {
	const op = "catalog.Rename"
	owner, err := OwnerOf(who, ref)
	if err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	if ref.Path.IsRoot() {
		return Node{}, errs.Newf(errs.Forbidden, errs.RootProtected, "Not supported action").At(op)
	}
	if err := CheckName(name); err != nil {
		return Node{}, errs.Wrap(op, err)
	}
	var n Node
	err = c.store.InTx(ctx, func(tx Tx) error {
		if n, err = c.freeNode(ctx, tx, owner, ref.Path); err != nil {
			return err
		}
		if n.Kind == File {
			home, err := HomeIn(ctx, tx, owner)
			if err != nil {
				return err
			}
			if err := home.Policy.CheckFileName(name); err != nil {
				return err
			}
		}
		was := n.Rev
		n.Name, n.Key, n.Updated = name, NameKey(name), c.clock()
		if err := tx.UpdateNode(ctx, n, was); err != nil {
			return err
		}
		n.Rev = was + 1
		return nil
	})
	return n, errs.Wrap(op, err)
}

// freeNode returns the node at p if nothing holds it or anything below it.
func (c *Catalog) freeNode(ctx context.Context, tx Tx, owner core.UserID, p core.Path) (Node, error) {
	n, err := find(ctx, tx, owner, p)
	if err != nil {
		return Node{}, err
	}
	return n, MustBeFree(ctx, tx, n)
}

// MustBeFree is nil if nothing holds the node or anything below it;
// Conflict/locked with what does.
func MustBeFree(ctx context.Context, tx Tx, n Node) error {
	locks, err := tx.LocksUnder(ctx, n.Owner, n.ID)
	if err != nil || len(locks) == 0 {
		return err
	}
	held, err := HeldBy(ctx, tx, locks)
	if err != nil {
		return err
	}
	return errs.Newf(errs.Conflict, errs.Locked, "Lock conflict").With(held)
}

// Held is a lock together with what it holds, for the one who meets it.
type Held struct {
	Lock Lock
	Path core.Path
	Kind Kind
}

// HeldBy looks up what the locks hold. It is the detail of Conflict/locked.
func HeldBy(ctx context.Context, tx Tx, locks []Lock) ([]Held, error) {
	held := make([]Held, 0, len(locks))
	for _, l := range locks {
		n, err := tx.Node(ctx, l.Node)
		if err != nil {
			return nil, err
		}
		p, _, err := pathOf(ctx, tx, n)
		if err != nil {
			return nil, err
		}
		held = append(held, Held{Lock: l, Path: p, Kind: n.Kind})
	}
	return held, nil
}

// Unlock takes away the caller's own locks with these tokens, whatever holds
// them; NotFound/lock_unknown if one of them is not the caller's.
func (c *Catalog) Unlock(ctx context.Context, who core.Actor, tokens []string) error {
	const op = "catalog.Unlock"
	if !who.Known() {
		return errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	return errs.Wrap(op, c.store.InTx(ctx, func(tx Tx) error {
		for _, t := range tokens {
			l, err := tx.Lock(ctx, t)
			if err != nil {
				return err
			}
			if l.Owner != who.User {
				return errs.New(errs.NotFound, errs.LockUnknown)
			}
			if err := tx.Unlock(ctx, l.Node, t); err != nil {
				return err
			}
		}
		return nil
	}))
}

// Metadata of the server's own that is none to clients: how a folder is shown,
// and at the root what its user has pinned.
const (
	viewKey = "sys:view"
	pinsKey = "sys:pins"
)

// View returns how the folder is shown, as the client that set it wrote it.
func (n Node) View() string { return n.Meta[viewKey] }

// Shown returns the metadata that clients see.
func (n Node) Shown() map[string]string {
	out := make(map[string]string, len(n.Meta)+1)
	for k, v := range n.Meta {
		if k != viewKey && k != pinsKey {
			out[k] = v
		}
	}
	if n.Session != "" {
		out["sys:upload_session_id"] = string(n.Session)
	}
	return out
}

// SetView keeps how the folder at ref is shown.
func (c *Catalog) SetView(ctx context.Context, who core.Actor, ref Ref, view string) error {
	const op = "catalog.SetView"
	owner, err := OwnerOf(who, ref)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if len(view) > maxMetaBytes {
		return errs.New(errs.Invalid, errs.BadParam).At(op)
	}
	return errs.Wrap(op, c.store.InTx(ctx, func(tx Tx) error {
		n, err := find(ctx, tx, owner, ref.Path)
		if err != nil {
			return err
		}
		meta := map[string]string{viewKey: view}
		for k, v := range n.Meta {
			if k != viewKey {
				meta[k] = v
			}
		}
		was := n.Rev
		n.Meta = meta
		return tx.UpdateNode(ctx, n, was)
	}))
}
