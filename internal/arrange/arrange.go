package arrange

import (
	"context"
	"maps"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// Options are what a Keeper is made of. All are needed but Jobs.
type Options struct {
	Store   catalog.Store
	Catalog *catalog.Catalog
	Clock   core.Clock
	Jobs    Jobs // nil: what takes long is done at once

	// Patience is how long an answer waits for the work behind it: what is done by
	// then is answered as if it had been done at once. 0 for UsualPatience.
	Patience time.Duration
}

// UsualPatience is how long answers wait that have not been told otherwise.
const UsualPatience = 4 * time.Second

// Keeper keeps drives in order. Its methods may be called from any goroutine.
type Keeper struct {
	Options
	copyTurn, copyMost int // nodes that are copied in one transaction, and at all
	removeTurn         int // nodes that are removed in one
}

// New returns a keeper over o.
func New(o Options) *Keeper {
	if o.Patience == 0 {
		o.Patience = UsualPatience
	}
	return &Keeper{Options: o, copyTurn: copyTurn, copyMost: copyMost, removeTurn: removeTurn}
}

// Failures say what could not be done, by the place in the batch. All else was
// done.
type Failures map[int]error

// perTurn is how many items share a transaction: enough that a flush of the disk
// is nothing beside them, few enough that nobody waits long for his turn.
const perTurn = 100

// task is what is done to each of some items.
type task struct {
	owner core.UserID
	items int
	// begin runs at the start of each transaction; what it refuses is refused for
	// all. nil for nothing.
	begin func(tx catalog.Tx) error
	// do does the item at i. What it refuses it has left as it was: the others are
	// committed all the same.
	do func(tx catalog.Tx, i int) error
	// gone takes what is removed in a transaction; nil if nothing can be.
	gone *removal
}

// run does all items, many in one transaction. When that fails, each has one of
// its own, so that none spoils the others. An error means that nothing was done.
func (k *Keeper) run(ctx context.Context, t task) (Failures, error) {
	failed := Failures{}
	for from := 0; from < t.items; from += perTurn {
		to := min(from+perTurn, t.items)
		refused, err := k.turn(ctx, t, from, to)
		if err != nil && t.items == 1 {
			return nil, err
		}
		maps.Copy(failed, refused)
		for i := from; err != nil && i < to; i++ {
			alone, err := k.turn(ctx, t, i, i+1)
			if err != nil {
				failed[i] = err
			}
			maps.Copy(failed, alone)
		}
	}
	return failed, nil
}

// turn does the items from one to another in one transaction.
func (k *Keeper) turn(ctx context.Context, t task, from, to int) (Failures, error) {
	var failed Failures
	if err := t.gone.prepare(ctx); err != nil {
		return nil, err
	}
	err := k.inTx(ctx, func(tx catalog.Tx, q job.Adder) error {
		failed = Failures{}
		t.gone.begin()
		if err := hold(ctx, tx, t.owner); err != nil {
			return err
		}
		if t.begin != nil {
			if err := t.begin(tx); err != nil {
				return err
			}
		}
		for i := from; i < to; i++ {
			switch err := t.do(tx, i); {
			case err == nil:
			case refused(err) && to-from > 1:
				failed[i] = err
			default:
				return err
			}
		}
		return t.gone.end(ctx, q, t.owner)
	})
	if err != nil && to-from == 1 && refused(err) {
		return Failures{from: err}, nil
	}
	return failed, err
}

// hold makes everybody else who arranges this drive wait until the transaction
// ends: on PostgreSQL two moves at once could put each folder into the other. It
// is the row that every change of an account of bytes waits for.
func hold(ctx context.Context, tx catalog.Tx, owner core.UserID) error {
	return tx.Release(ctx, owner, 0)
}

// refused tells what concerns one item from what concerns the machine.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.Exists, errs.Gone, errs.TooLarge, errs.Unsupported:
		return true
	case errs.Conflict: // not errs.Changed: it goes again
		return errs.Has(err, errs.Locked)
	case errs.NoSpace:
		return errs.Has(err, errs.QuotaFull)
	}
	return false
}

// find returns the node at ref in the caller's drive. The root is no thing to
// arrange.
func find(ctx context.Context, tx catalog.Names, who core.Actor, ref catalog.Ref) (catalog.Place, error) {
	owner, err := catalog.OwnerOf(who, ref)
	if err != nil {
		return catalog.Place{}, err
	}
	if ref.Path.IsRoot() {
		return catalog.Place{}, errs.Newf(errs.Forbidden, errs.RootProtected, "Not supported action: this is the root folder")
	}
	at, err := catalog.Locate(ctx, tx, owner, ref.Path)
	if err == nil && !at.Found() {
		err = errs.Newf(errs.NotFound, errs.PathMissing, "There is nothing at %s.", ref.Path)
	}
	return at, err
}

// folder returns the folder that things go to.
func folder(ctx context.Context, tx catalog.Names, who core.Actor, ref catalog.Ref) (catalog.Place, error) {
	owner, err := catalog.OwnerOf(who, ref)
	if err != nil {
		return catalog.Place{}, err
	}
	at, err := catalog.Locate(ctx, tx, owner, ref.Path)
	switch {
	case err != nil:
		return catalog.Place{}, err
	case !at.Found():
		return catalog.Place{}, errs.Newf(errs.NotFound, errs.PathMissing, "There is no folder %s.", ref.Path)
	case at.Last().Kind != catalog.Folder:
		return catalog.Place{}, errs.Newf(errs.Forbidden, errs.ParentIsFile, "%s is a file, not a folder.", ref.Path)
	}
	return at, nil
}
