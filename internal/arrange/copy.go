package arrange

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What copies may be. A tree of up to copyTurn nodes is copied in one
// transaction; a larger one in several, by a job, out of sight, and moved to its
// place when it is whole.
const (
	copyTurn = 1000
	copyMost = 1_000_000
)

// idsEach is how many ids a copy of a file takes: its own, its content's, and
// that of a moving picture that goes with it.
const idsEach = 3

// Copy puts a copy of each of refs into the folder dst. A copy has the names,
// metadata and current contents of its original, and no history; it names the
// same bytes, and its owner is charged for them like for any others. What is
// being uploaded for the first time has nothing to copy and is left out. A large
// copy may go on behind the answer: then its job tells of it.
// Errors are those of Move; NoSpace/quota_full, Invalid/too_many for a tree of more
// than a million files and folders, and Invalid/too_many_jobs.
func (k *Keeper) Copy(ctx context.Context, who core.Actor, refs []catalog.Ref, dst catalog.Ref) (Failures, error) {
	const op = "arrange.Copy"
	if _, err := k.into(ctx, who, dst); err != nil {
		return nil, errs.Wrap(op, err)
	}
	waiting, cancel := context.WithTimeout(ctx, k.Patience)
	defer cancel()
	failed := Failures{}
	for i, ref := range refs {
		later, err := k.copyTree(ctx, who, ref, dst)
		if err == nil && later != 0 {
			err = k.await(waiting, later)
		}
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
	ids   []core.NodeID // idsEach for each step
	made  []bool        // by step; false for what was left out
}

// step is one node to copy, by the step of its folder, which comes before it.
type step struct {
	from core.NodeID
	in   int // -1 for the top
}

func (c *copying) id(i int) core.NodeID { return c.ids[idsEach*i] }

// copyTree copies a small tree, and leaves a large one to a job, which it returns.
func (k *Keeper) copyTree(ctx context.Context, who core.Actor, ref, dst catalog.Ref) (core.JobID, error) {
	at, err := find(ctx, k.Store, who, ref)
	if err != nil {
		return 0, err
	}
	into, err := k.into(ctx, who, dst)
	if err == nil {
		err = fits(ctx, k.Store, at.Last(), into)
	}
	if err == nil {
		err = mustBeNew(ctx, k.Store, at.Last(), into.Last())
	}
	if err != nil {
		return 0, err
	}
	c := &copying{k: k, owner: who.User}
	large, err := c.plan(ctx, at.Last())
	if err != nil {
		return 0, err
	}
	if large {
		return k.copyLater(ctx, at.Last(), into.Last(), ref.Path.String(), dst.Path.String())
	}
	c.made = make([]bool, len(c.steps))
	if c.ids, err = catalog.MintNodes(ctx, k.Store, idsEach*len(c.steps)); err != nil {
		return 0, err
	}
	return 0, k.Store.InTx(ctx, func(tx catalog.Tx) error {
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
		return c.all(ctx, tx, into.Last().ID)
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

// plan lists what is to be copied, folders before what is in them; large says that
// it is more than one transaction takes.
func (c *copying) plan(ctx context.Context, n catalog.Node) (large bool, err error) {
	c.steps = []step{{from: n.ID, in: -1}}
	var folders []int
	if n.Kind == catalog.Folder {
		folders = append(folders, 0)
	}
	for ; len(folders) > 0; folders = folders[1:] {
		page, err := c.k.Store.Children(ctx, catalog.Query{Parent: c.steps[folders[0]].from, Order: catalog.ByName, Limit: c.k.copyTurn})
		if err != nil {
			return false, err
		}
		if len(c.steps)+len(page) > c.k.copyTurn {
			return true, nil
		}
		for _, n := range page {
			if n.Kind == catalog.Folder {
				folders = append(folders, len(c.steps))
			}
			c.steps = append(c.steps, step{from: n.ID, in: folders[0]})
		}
	}
	return false, nil
}

// all does all steps; the first of them goes into a folder. What is gone by now is
// left out, with all below it.
func (c *copying) all(ctx context.Context, tx catalog.Tx, into core.NodeID) error {
	var bytes int64
	for i := range c.steps {
		n, err := tx.Node(ctx, c.steps[i].from)
		switch {
		case i == 0:
			n.Parent = into
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
		size, err := c.k.copyNode(ctx, tx, n, c.ids[idsEach*i:][:idsEach])
		if err != nil {
			return err
		}
		c.made[i] = true
		bytes += size
	}
	return charge(ctx, tx, c.owner, bytes)
}

// charge takes room for what was added.
func charge(ctx context.Context, tx catalog.Tx, owner core.UserID, bytes int64) error {
	if err := tx.Reserve(ctx, owner, bytes); err != nil {
		return err
	}
	return tx.Settle(ctx, owner, bytes)
}

// isPlaceholder reports whether n is a file whose first content is on its way.
func isPlaceholder(n catalog.Node) bool {
	return n.Kind == catalog.File && n.Version == 0 && n.Session != ""
}

// copyNode adds the copy of n under ids, at the place that n says, and returns what
// it takes.
func (k *Keeper) copyNode(ctx context.Context, tx catalog.Tx, n catalog.Node, ids []core.NodeID) (bytes int64, err error) {
	var contents []catalog.Version
	if n.Kind == catalog.File {
		if contents, err = current(ctx, tx, n.ID); err != nil {
			return 0, err
		}
	}
	n.ID, n.Created, n.Session, n.Size, n.Version, n.Rev = ids[0], k.Clock(), "", 0, 0, 1
	n.Meta = maps.Clone(n.Meta)
	maps.DeleteFunc(n.Meta, func(key, _ string) bool { return strings.HasPrefix(key, "sys:") })
	for j, id := range ids[1:][:len(contents)] {
		v := &contents[j]
		v.ID, v.Node = core.VersionID(id), n.ID
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
