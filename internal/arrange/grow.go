package arrange

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// copiesKey is the hidden root below which large copies grow. What no job finishes
// or removes is swept after copyStay.
const (
	copiesKey = "copies"
	copyStay  = 24 * time.Hour
)

// growing is a large copy on its way.
type growing struct {
	From  core.NodeID `json:"from"` // what is copied
	Into  core.NodeID `json:"into"` // the folder that it comes to
	Top   core.NodeID `json:"top"`  // the copy, minted before the job
	Token string      `json:"token"`
}

// copyLater leaves the copy of a folder to a job.
func (k *Keeper) copyLater(ctx context.Context, n, into catalog.Node, from, to string) (core.JobID, error) {
	all, err := k.Store.Summary(ctx, n.ID)
	if err != nil {
		return 0, err
	}
	if 1+all.Files+all.Folders > int64(k.copyMost) {
		return 0, errs.Newf(errs.Invalid, errs.TooMany,
			"The folder holds more than %d files and folders, too many for one copy. Copy the folders in it one by one.", k.copyMost)
	}
	c, err := k.Store.Capacity(ctx, n.Owner)
	if err != nil {
		return 0, err
	}
	if c.Used+c.Reserved+all.Bytes > c.Total {
		return 0, errs.Newf(errs.NoSpace, errs.QuotaFull, "The copy has %d bytes, which do not fit: %d of %d are used and %d are reserved by uploads.",
			all.Bytes, c.Used, c.Total, c.Reserved)
	}
	if k.Jobs != nil {
		open, err := k.Jobs.Open(ctx, n.Owner)
		if err != nil {
			return 0, err
		}
		if open >= job.MaxOpen {
			return 0, errs.Newf(errs.Invalid, errs.TooManyJobs, "%d pieces of work are waiting already. Wait until some have ended, or cancel some.", open)
		}
	}
	ids, err := catalog.MintNodes(ctx, k.Store, 2)
	if err != nil {
		return 0, err
	}
	id := core.JobID(ids[0])
	return id, k.inTx(ctx, func(_ catalog.Tx, q job.Adder) error {
		return q.Add(ctx, job.Job{
			ID: id, Owner: n.Owner, Kind: CopyKind, From: from, To: to, Created: k.Clock(),
			Args: pack(growing{From: n.ID, Into: into.ID, Top: ids[1], Token: core.NewUUID()}),
		})
	})
}

// await returns why a job has failed, if it does so before ctx ends.
func (k *Keeper) await(ctx context.Context, id core.JobID) error {
	if k.Jobs == nil {
		return nil // done already
	}
	j, err := k.Jobs.Wait(ctx, id)
	if err == nil && j.State == job.Canceled {
		err = errs.Newf(errs.Conflict, errs.Changed, "The copy was cancelled.")
	}
	if err != nil || j.State != job.Failed {
		return err
	}
	kind := errs.Invalid
	switch j.Reason {
	case errs.NameTaken:
		kind = errs.Exists
	case errs.QuotaFull:
		kind = errs.NoSpace
	case errs.PathMissing:
		kind = errs.NotFound
	case errs.StoreFailed:
		kind = errs.Internal
	}
	return &errs.Error{Op: "arrange.await", Kind: kind, Reason: j.Reason, Note: j.Note}
}

// copyJob copies to where nobody sees it, and moves the whole to its place.
func (k *Keeper) copyJob(ctx context.Context, j job.Job, tell func(done, total int64)) error {
	const op = "arrange.copyJob"
	args, err := unpack[growing](j)
	if err != nil {
		return errs.Wrap(op, err)
	}
	top, err := k.root(ctx, j.Owner, args)
	if err != nil || !args.grows(top) { // in its place, and the job did not learn of it
		return errs.Wrap(op, err)
	}
	total, err := k.nodes(ctx, args.From)
	if err != nil {
		return errs.Wrap(op, err)
	}
	s := &steps{total: total, tell: tell}
	s.add(1)
	if err := k.grow(ctx, j.Owner, branch{from: args.From, to: args.Top}, s); err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, k.place(ctx, j.Owner, args))
}

// key is that of what grows; nothing that is in its place has one like it.
func (g growing) key() string { return "/" + g.Token }

// grows tells what is not in its place yet.
func (g growing) grows(n catalog.Node) bool { return n.Key == g.key() }

// root returns the copy of the top, which it adds if there is none yet.
func (k *Keeper) root(ctx context.Context, owner core.UserID, g growing) (top catalog.Node, err error) {
	ids, err := catalog.MintNodes(ctx, k.Store, 1)
	if err != nil {
		return top, err
	}
	return top, k.Store.InTx(ctx, func(tx catalog.Tx) error {
		if err := hold(ctx, tx, owner); err != nil {
			return err
		}
		top, err = tx.Node(ctx, g.Top)
		if err == nil && !g.grows(top) {
			return nil
		}
		if errs.Is(err, errs.NotFound) {
			top, err = k.plant(ctx, tx, g, ids[0])
		}
		if err == nil {
			err = tx.ClearDue(ctx, g.Top)
		}
		if err != nil {
			return err
		}
		return tx.MarkDue(ctx, g.Top, g.Token, k.Clock().Add(copyStay))
	})
}

func (k *Keeper) plant(ctx context.Context, tx catalog.Tx, g growing, id core.NodeID) (catalog.Node, error) {
	n, err := tx.Node(ctx, g.From)
	if errs.Is(err, errs.NotFound) {
		return n, errs.Newf(errs.NotFound, errs.PathMissing, "What was to be copied was deleted meanwhile.")
	}
	if err != nil {
		return n, err
	}
	hidden, err := k.hidden(ctx, tx, n.Owner, copiesKey, id)
	if err != nil {
		return n, err
	}
	n.Parent, n.Key = hidden.ID, g.key()
	_, err = k.copyNode(ctx, tx, n, []core.NodeID{g.Top})
	return n, err
}

// branch is a folder and its copy.
type branch struct {
	from, to core.NodeID
	after    *catalog.Node // the last that was copied; nil at the beginning
}

// grow copies what is in a folder, turn by turn, but for what is there already: it
// may be called again after any of them.
func (k *Keeper) grow(ctx context.Context, owner core.UserID, top branch, s *steps) error {
	for way := []branch{top}; len(way) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		here := way[len(way)-1]
		page, err := k.Store.Children(ctx, catalog.Query{Parent: here.from, Order: catalog.ByName, Limit: k.copyTurn, After: here.after})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			way = way[:len(way)-1]
			continue
		}
		below, err := k.turnOf(ctx, owner, here.to, page)
		if err != nil {
			return err
		}
		way[len(way)-1].after = &page[len(page)-1]
		way = append(way, below...)
		s.add(len(page))
	}
	return nil
}

// turnOf copies nodes into a folder, in one transaction, and returns the folders
// among them.
func (k *Keeper) turnOf(ctx context.Context, owner core.UserID, to core.NodeID, page []catalog.Node) (below []branch, err error) {
	ids, err := catalog.MintNodes(ctx, k.Store, idsEach*len(page))
	if err != nil {
		return nil, err
	}
	return below, k.Store.InTx(ctx, func(tx catalog.Tx) error {
		below = nil
		if err := hold(ctx, tx, owner); err != nil {
			return err
		}
		var bytes int64
		for i, seen := range page {
			has, err := tx.Child(ctx, to, seen.Key)
			if err == nil { // of an earlier life
				if has.Kind == catalog.Folder && seen.Kind == catalog.Folder {
					below = append(below, branch{from: seen.ID, to: has.ID})
				}
				continue
			}
			if unlessGone(err) != nil {
				return err
			}
			n, err := tx.Node(ctx, seen.ID)
			if errs.Is(err, errs.NotFound) || err == nil && isPlaceholder(n) {
				continue
			}
			if err != nil {
				return err
			}
			n.Parent, n.Name, n.Key = to, seen.Name, seen.Key
			size, err := k.copyNode(ctx, tx, n, ids[idsEach*i:][:idsEach])
			if err != nil {
				return err
			}
			if n.Kind == catalog.Folder {
				below = append(below, branch{from: n.ID, to: ids[idsEach*i]})
			}
			bytes += size
		}
		return charge(ctx, tx, owner, bytes)
	})
}

// place moves a copy that is whole to where it belongs.
func (k *Keeper) place(ctx context.Context, owner core.UserID, g growing) error {
	return k.Store.InTx(ctx, func(tx catalog.Tx) error {
		if err := hold(ctx, tx, owner); err != nil {
			return err
		}
		into, err := placeOf(ctx, tx, g.Into)
		if err != nil {
			return err
		}
		n, err := tx.Node(ctx, g.Top)
		if err == nil {
			err = fits(ctx, tx, n, into)
		}
		if err != nil {
			return err
		}
		was := n.Rev
		n.Parent, n.Key = g.Into, catalog.NameKey(n.Name)
		if err := tx.UpdateNode(ctx, n, was); err != nil {
			if errs.Has(err, errs.NameTaken) {
				return errs.Newf(errs.Exists, errs.NameTaken, "There is something called %q in the folder by now.", n.Name)
			}
			return err
		}
		return tx.ClearDue(ctx, n.ID)
	})
}

// placeOf returns where a folder is by now, which must be in the drive.
func placeOf(ctx context.Context, tx catalog.Tx, id core.NodeID) (catalog.Place, error) {
	var up []catalog.Node
	for len(up) <= core.MaxDepth {
		n, err := tx.Node(ctx, id)
		if err != nil {
			if errs.Is(err, errs.NotFound) {
				break
			}
			return catalog.Place{}, err
		}
		up = append([]catalog.Node{n}, up...)
		if id = n.Parent; id != 0 {
			continue
		}
		if n.Key != "" {
			break
		}
		return catalog.Place{Nodes: up}, nil
	}
	return catalog.Place{}, errs.Newf(errs.NotFound, errs.PathMissing, "The folder that the copy was to come to was deleted meanwhile.")
}

// undoCopy removes what grows. What is in its place stays: then the job is done.
func (k *Keeper) undoCopy(ctx context.Context, j job.Job) error {
	const op = "arrange.undoCopy"
	args, err := unpack[growing](j)
	if err != nil {
		return errs.Wrap(op, err)
	}
	n, err := k.Store.Node(ctx, args.Top)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err == nil && !args.grows(n) {
		return job.ErrDone
	}
	if err == nil {
		err = k.fell(ctx, j.Owner, args.Top, &steps{tell: func(int64, int64) {}})
	}
	return errs.Wrap(op, err)
}
