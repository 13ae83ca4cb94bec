package arrange

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// removeTurn is how many nodes are removed in one transaction. What is more is put
// where nobody sees it, by one row, and removed turn by turn.
const removeTurn = 1000

// removedKey is the hidden root of what is being removed. What no job removes is
// swept after copyStay.
const removedKey = "removed"

// removal is what is removed for good in one transaction. A nil one removes
// nothing.
type removal struct {
	k    *Keeper
	root core.NodeID // minted before
	job  core.JobID
	left int           // what may still go in this transaction
	put  []core.NodeID // out of sight
	from string        // where the first of them was
}

// prepare mints what a transaction may need.
func (r *removal) prepare(ctx context.Context) error {
	if r == nil {
		return nil
	}
	ids, err := catalog.MintNodes(ctx, r.k.Store, 2)
	if err == nil {
		r.root, r.job = ids[0], core.JobID(ids[1])
	}
	return err
}

// begin forgets what a transaction before has put away.
func (r *removal) begin() {
	if r != nil {
		r.left, r.put, r.from = r.k.removeTurn, nil, ""
	}
}

// take removes n, which was at from, and all below it, now or soon. Nothing may hold
// it.
func (r *removal) take(ctx context.Context, tx catalog.Tx, n catalog.Node, from core.Path) error {
	count := 1
	if n.Kind == catalog.Folder {
		var err error
		if count, err = tx.CountBelow(ctx, n.ID, max(r.left, 1)+1); err != nil {
			return err
		}
	}
	if count <= r.left || count == 1 {
		r.left -= count
		_, err := tx.RemoveTree(ctx, n.ID, r.k.Clock())
		return err
	}
	root, err := r.k.hidden(ctx, tx, n.Owner, removedKey, r.root)
	if err == nil {
		err = tx.ClearDue(ctx, n.ID)
	}
	if err != nil {
		return err
	}
	was, token := n.Rev, core.NewUUID()
	n.Parent, n.Key = root.ID, token
	if err := tx.UpdateNode(ctx, n, was); err != nil {
		return err
	}
	if len(r.put) == 0 {
		r.from = from.String()
	}
	r.put = append(r.put, n.ID)
	return tx.MarkDue(ctx, n.ID, token, r.k.Clock().Add(copyStay))
}

// end leaves to a job what was put out of sight.
func (r *removal) end(ctx context.Context, q job.Adder, owner core.UserID) error {
	if r == nil || len(r.put) == 0 {
		return nil
	}
	return q.Add(ctx, job.Job{
		ID: r.job, Owner: owner, Kind: DeleteKind, Args: pack(deleting{Nodes: r.put}), From: r.from, Created: r.k.Clock(),
	})
}

// emptyLarge makes a large trash another hidden root, which a job removes; false
// for a small one, and for one in which something is held.
func (k *Keeper) emptyLarge(ctx context.Context, root catalog.Node) (done bool, err error) {
	ids, err := catalog.MintNodes(ctx, k.Store, 1)
	if err != nil {
		return false, err
	}
	err = k.inTx(ctx, func(tx catalog.Tx, q job.Adder) error {
		done = false
		if err := hold(ctx, tx, root.Owner); err != nil {
			return err
		}
		now, err := tx.HiddenRoot(ctx, root.Owner, catalog.TrashKey)
		if err != nil || now.ID != root.ID {
			return unlessGone(err)
		}
		count, err := tx.CountBelow(ctx, root.ID, k.removeTurn+1)
		if err != nil || count <= k.removeTurn {
			return err
		}
		if locks, err := tx.LocksUnder(ctx, root.Owner, root.ID); err != nil || len(locks) > 0 {
			return err
		}
		token := core.NewUUID()
		was := now.Rev
		now.Name, now.Key = removedKey, removedKey+"/"+token
		if err := tx.UpdateNode(ctx, now, was); err != nil {
			return err
		}
		if err := tx.MarkDue(ctx, now.ID, token, k.Clock().Add(copyStay)); err != nil {
			return err
		}
		done = true
		return q.Add(ctx, job.Job{
			ID: core.JobID(ids[0]), Owner: root.Owner, Kind: DeleteKind, Args: pack(deleting{Nodes: []core.NodeID{root.ID}}), Created: k.Clock(),
		})
	})
	return done, err
}

// deleting is what a job removes: trees that nobody sees any more.
type deleting struct {
	Nodes []core.NodeID `json:"nodes"`
}

// nodes counts a tree, for people; 0 when it is not there any more.
func (k *Keeper) nodes(ctx context.Context, id core.NodeID) (int64, error) {
	all, err := k.Store.Summary(ctx, id)
	if err != nil {
		return 0, unlessGone(err)
	}
	return 1 + all.Files + all.Folders, nil
}

func (k *Keeper) deleteJob(ctx context.Context, j job.Job, tell func(done, total int64)) error {
	const op = "arrange.deleteJob"
	args, err := unpack[deleting](j)
	if err != nil {
		return errs.Wrap(op, err)
	}
	var left int64
	for _, id := range args.Nodes {
		n, err := k.nodes(ctx, id)
		if err != nil {
			return errs.Wrap(op, err)
		}
		left += n
	}
	s := &steps{done: max(j.Total-left, 0), total: max(j.Total, left), tell: tell}
	s.add(0)
	for _, id := range args.Nodes {
		if err := k.fell(ctx, j.Owner, id, s); err != nil {
			return errs.Wrap(op, err)
		}
	}
	return nil
}

// fell removes a tree from its leaves, turn by turn, and looks each time at what is
// there: it may be called again after any of them.
func (k *Keeper) fell(ctx context.Context, owner core.UserID, top core.NodeID, s *steps) error {
	for way := []core.NodeID{top}; len(way) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		here := way[len(way)-1]
		gone, below, err := k.branches(ctx, here)
		switch {
		case err != nil:
			return err
		case below != 0: // too large for one turn
			way = append(way, below)
			continue
		case gone == nil:
			gone, way = []core.NodeID{here}, way[:len(way)-1]
		}
		removed := 0
		err = k.Store.InTx(ctx, func(tx catalog.Tx) error {
			removed = 0
			if err := hold(ctx, tx, owner); err != nil {
				return err
			}
			for _, id := range gone {
				r, err := tx.RemoveTree(ctx, id, k.Clock())
				if unlessGone(err) != nil {
					return err
				}
				removed += int(r.Nodes)
			}
			return nil
		})
		if err != nil {
			return err
		}
		s.add(removed)
	}
	return nil
}

// branches says what to remove of a tree next: all of it (nil), some of what is
// directly below, or something of the tree below, which is too large for one turn.
func (k *Keeper) branches(ctx context.Context, id core.NodeID) (gone []core.NodeID, below core.NodeID, err error) {
	left := k.removeTurn
	if n, err := k.Store.CountBelow(ctx, id, left+1); err != nil || n <= left {
		return nil, 0, err
	}
	page, err := k.Store.Children(ctx, catalog.Query{Parent: id, Order: catalog.ByName, Limit: left})
	if err != nil {
		return nil, 0, err
	}
	for _, n := range page {
		count := 1
		if n.Kind == catalog.Folder {
			if count, err = k.Store.CountBelow(ctx, n.ID, left+1); err != nil {
				return nil, 0, err
			}
		}
		if count > left {
			if len(gone) == 0 {
				return nil, n.ID, nil
			}
			break
		}
		gone, left = append(gone, n.ID), left-count
	}
	return gone, 0, nil
}
