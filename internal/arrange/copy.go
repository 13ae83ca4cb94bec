package arrange

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What copies may be. A tree of up to copyTurn nodes is copied in one
// transaction; a larger one in several, out of sight, and moved to its place
// when it is whole.
const (
	copyTurn = 1000
	copyMost = 50_000
)

// copiesKey is the hidden root below which copies grow. What a crash leaves there
// is swept after copyStay.
const (
	copiesKey = "copies"
	copyStay  = 24 * time.Hour
)

// idsEach is how many ids a copy of a file takes: its own, its content's, and
// that of a moving picture that goes with it.
const idsEach = 3

// Copy puts a copy of each of refs into the folder dst. A copy has the names,
// metadata and current contents of its original, and no history; it names the
// same bytes, and its owner is charged for them like for any others. What is
// being uploaded for the first time has nothing to copy and is left out.
// Errors are those of Move; NoSpace/quota_full, and Invalid/too_many for a tree
// of more than 50,000 files and folders.
func (k *Keeper) Copy(ctx context.Context, who core.Actor, refs []catalog.Ref, dst catalog.Ref) (Failures, error) {
	const op = "arrange.Copy"
	if _, err := k.into(ctx, who, dst); err != nil {
		return nil, errs.Wrap(op, err)
	}
	failed := Failures{}
	for i, ref := range refs {
		err := k.copyTree(ctx, who, ref, dst)
		if err != nil && !refused(err) && len(refs) == 1 {
			return nil, errs.Wrap(op, err)
		}
		if err != nil {
			failed[i] = err
		}
	}
	return failed, nil
}

// copying is one tree on its way.
type copying struct {
	k     *Keeper
	owner core.UserID
	steps []step
	ids   []core.NodeID // idsEach for each step, and one for a hidden root
	made  []bool        // by step; false for what was left out
}

// step is one node to copy, by the step of its folder, which comes before it.
type step struct {
	from core.NodeID
	in   int // -1 for the top
}

func (c *copying) id(i int) core.NodeID { return c.ids[idsEach*i] }

func (k *Keeper) copyTree(ctx context.Context, who core.Actor, ref, dst catalog.Ref) error {
	at, err := find(ctx, k.Store, who, ref)
	if err != nil {
		return err
	}
	into, err := k.into(ctx, who, dst)
	if err == nil {
		err = fits(ctx, k.Store, at.Last(), into)
	}
	if err == nil {
		err = mustBeNew(ctx, k.Store, at.Last(), into.Last())
	}
	if err != nil {
		return err
	}
	c := &copying{k: k, owner: who.User}
	if err := c.plan(ctx, at.Last()); err != nil {
		return err
	}
	c.made = make([]bool, len(c.steps))
	if c.ids, err = catalog.MintNodes(ctx, k.Store, idsEach*len(c.steps)+1); err != nil {
		return err
	}
	if len(c.steps) > k.copyTurn {
		return c.large(ctx, who, dst)
	}
	return k.Store.InTx(ctx, func(tx catalog.Tx) error {
		if err := hold(ctx, tx, c.owner); err != nil {
			return err
		}
		into, err := folder(ctx, tx, who, dst)
		if err == nil {
			err = fits(ctx, tx, at.Last(), into)
		}
		if err != nil {
			return err
		}
		return c.turn(ctx, tx, 0, into.Last().ID, "")
	})
}

// mustBeNew is Exists/name_taken when the folder has something of the name of n.
func mustBeNew(ctx context.Context, tree catalog.Names, n, into catalog.Node) error {
	_, err := tree.Child(ctx, into.ID, n.Key)
	if err == nil {
		return errs.Newf(errs.Exists, errs.NameTaken, "Object existed")
	}
	return unlessGone(err)
}

// plan lists what is to be copied, folders before what is in them.
func (c *copying) plan(ctx context.Context, n catalog.Node) error {
	c.steps = []step{{from: n.ID, in: -1}}
	var folders []int
	if n.Kind == catalog.Folder {
		folders = append(folders, 0)
	}
	for ; len(folders) > 0; folders = folders[1:] {
		q := catalog.Query{Parent: c.steps[folders[0]].from, Order: catalog.ByName, Limit: c.k.copyTurn}
		for {
			page, err := c.k.Store.Children(ctx, q)
			if err != nil {
				return err
			}
			for _, n := range page {
				if n.Kind == catalog.Folder {
					folders = append(folders, len(c.steps))
				}
				c.steps = append(c.steps, step{from: n.ID, in: folders[0]})
			}
			if len(c.steps) > c.k.copyMost {
				return errs.Newf(errs.Invalid, errs.TooMany,
					"The folder holds more than %d files and folders, too many for one copy. Copy the folders in it one by one.", c.k.copyMost)
			}
			if len(page) < q.Limit {
				break
			}
			q.After = &page[len(page)-1]
		}
	}
	return nil
}

// large copies turn by turn to where nobody sees it, and then moves it to its
// place.
func (c *copying) large(ctx context.Context, who core.Actor, dst catalog.Ref) (err error) {
	defer func() {
		if err != nil {
			// Should this fail, too: it is due.
			err = errors.Join(err, unlessGone(c.undo(context.WithoutCancel(ctx))))
		}
	}()
	token := core.NewUUID()
	for from := 0; from < len(c.steps); from += c.k.copyTurn {
		err = c.k.Store.InTx(ctx, func(tx catalog.Tx) error {
			if err := hold(ctx, tx, c.owner); err != nil {
				return err
			}
			if from > 0 {
				return c.turn(ctx, tx, from, 0, "")
			}
			root, err := c.k.hidden(ctx, tx, c.owner, copiesKey, c.ids[len(c.ids)-1])
			if err == nil {
				err = c.turn(ctx, tx, from, root.ID, token)
			}
			if err != nil {
				return err
			}
			return tx.MarkDue(ctx, c.id(0), token, c.k.Clock().Add(copyStay))
		})
		if err != nil {
			return err
		}
	}
	return c.k.Store.InTx(ctx, func(tx catalog.Tx) error {
		if err := hold(ctx, tx, c.owner); err != nil {
			return err
		}
		into, err := folder(ctx, tx, who, dst)
		if err != nil {
			return err
		}
		n, err := tx.Node(ctx, c.id(0))
		if err == nil {
			err = fits(ctx, tx, n, into)
		}
		if err != nil {
			return err
		}
		was := n.Rev
		n.Parent, n.Key = into.Last().ID, catalog.NameKey(n.Name)
		if err := tx.UpdateNode(ctx, n, was); err != nil {
			return err
		}
		return tx.ClearDue(ctx, n.ID)
	})
}

// undo removes what large has copied.
func (c *copying) undo(ctx context.Context) error {
	_, err := c.k.Store.RemoveTree(ctx, c.id(0), c.k.Clock())
	return err
}

// turn does as many steps as are done at once; the first of all goes into a folder, under a
// key of its own if that is not "". What is gone by now is left out, with all
// below it.
func (c *copying) turn(ctx context.Context, tx catalog.Tx, from int, into core.NodeID, key string) error {
	var bytes int64
	for i := from; i < min(from+c.k.copyTurn, len(c.steps)); i++ {
		n, err := tx.Node(ctx, c.steps[i].from)
		switch {
		case i == 0:
			n.Parent, n.Key = into, cmp.Or(key, n.Key)
			if err == nil && isPlaceholder(n) {
				err = cmp.Or(catalog.MustBeFree(ctx, tx, n), error(errs.Newf(errs.NotFound, errs.PathMissing, "%s has no content yet.", n.Name)))
			}
		case errs.Is(err, errs.NotFound) || err == nil && isPlaceholder(n) || !c.made[c.steps[i].in]:
			c.made[i] = false
			continue
		default:
			n.Parent = c.id(c.steps[i].in)
		}
		if err != nil {
			return err
		}
		size, err := c.node(ctx, tx, i, n)
		if err != nil {
			return err
		}
		c.made[i] = true
		bytes += size
	}
	if err := tx.Reserve(ctx, c.owner, bytes); err != nil {
		return err
	}
	return tx.Settle(ctx, c.owner, bytes)
}

// isPlaceholder reports whether n is a file whose first content is on its way.
func isPlaceholder(n catalog.Node) bool {
	return n.Kind == catalog.File && n.Version == 0 && n.Session != ""
}

// node adds the copy of n, at the place that n says, and returns what it takes.
func (c *copying) node(ctx context.Context, tx catalog.Tx, i int, n catalog.Node) (bytes int64, err error) {
	var contents []catalog.Version
	if n.Kind == catalog.File {
		if contents, err = current(ctx, tx, n.ID); err != nil {
			return 0, err
		}
	}
	n.ID, n.Created, n.Session, n.Size, n.Version, n.Rev = c.id(i), c.k.Clock(), "", 0, 0, 1
	n.Meta = maps.Clone(n.Meta)
	maps.DeleteFunc(n.Meta, func(key, _ string) bool { return strings.HasPrefix(key, "sys:") })
	for j := range contents {
		v := &contents[j]
		v.ID, v.Node = core.VersionID(c.ids[idsEach*i+1+j]), n.ID
		if v.Kind == catalog.Content {
			n.Size, n.Version = v.Size, v.ID
		}
		bytes += v.Size
	}
	if err := tx.InsertNode(ctx, n); err != nil {
		return 0, err
	}
	for _, v := range contents {
		if err := tx.AddVersion(ctx, v); err != nil {
			return 0, err
		}
	}
	return bytes, nil
}

// current returns the content that a file has, and the moving picture that
// belongs to it, and keeps them from being dropped until the transaction ends.
func current(ctx context.Context, tx catalog.Tx, id core.NodeID) ([]catalog.Version, error) {
	held, err := tx.HoldVersions(ctx, id)
	if err != nil {
		return nil, err
	}
	n, err := tx.Node(ctx, id)
	if err != nil {
		return nil, err
	}
	var out []catalog.Version
	if at := slices.IndexFunc(held, func(v catalog.Version) bool { return v.ID == n.Version }); at >= 0 {
		out = append(out, held[at])
	} else if n.Version != 0 {
		return nil, errs.Newf(errs.Conflict, errs.Changed, "%s was changed just now.", n.Name)
	}
	moving := slices.DeleteFunc(held, func(v catalog.Version) bool { return v.Kind != catalog.LivePhoto })
	if len(moving) > 0 {
		out = append(out, slices.MaxFunc(moving, func(a, b catalog.Version) int { return a.Created.Compare(b.Created) }))
	}
	return out, nil
}
