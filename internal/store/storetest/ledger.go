package storetest

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func testLedger(t *testing.T, s *store.Store) {
	t.Run("bytes go from free to reserved to used to free", func(t *testing.T) {
		h := NewHome(t, s, 100)
		f := h.Add(h.Root.ID, "f", catalog.File)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 60))
		equal(t, "reserved", h.Capacity(), catalog.Capacity{Total: 100, Reserved: 60})
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 20))
		v := h.NewVersion(f.ID, 40)
		h.Must(h.Names.AddVersion(h.Ctx, v))
		h.Must(h.Names.Settle(h.Ctx, h.User.ID, 40))
		equal(t, "settled", h.Capacity(), catalog.Capacity{Total: 100, Used: 40})
		counted, err := h.Names.Recount(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "recount", counted, h.Capacity())
		h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
		h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
		equal(t, "dropped", h.Capacity(), catalog.Capacity{Total: 100})
	})
	t.Run("what does not fit is refused without wrapping", func(t *testing.T) {
		h := NewHome(t, s, 100)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 99))
		for _, n := range []int64{2, 101, math.MaxInt64 - 1, math.MaxInt64} {
			want(t, h.Names.Reserve(h.Ctx, h.User.ID, n), errs.NoSpace, errs.QuotaFull)
		}
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 1))
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 0))
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 100))
	})
	t.Run("the largest quota does not wrap either", func(t *testing.T) {
		h := NewHome(t, s, math.MaxInt64)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, math.MaxInt64))
		want(t, h.Names.Reserve(h.Ctx, h.User.ID, 1), errs.NoSpace, errs.QuotaFull)
		h.Must(h.Names.Release(h.Ctx, h.User.ID, math.MaxInt64))
	})
	t.Run("without a quota of one's own the group's counts", func(t *testing.T) {
		h := NewHome(t, s, -1)
		equal(t, "total", h.Capacity().Total, int64(1)<<40)
		want(t, h.Names.Reserve(h.Ctx, h.User.ID, 1<<40+1), errs.NoSpace, errs.QuotaFull)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 1<<40))
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 1<<40))
	})
	t.Run("a lowered quota still takes files without bytes", func(t *testing.T) {
		h := NewHome(t, s, 100)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 50))
		h.User.Quota = 10
		h.Must(h.Names.UpdateUser(h.Ctx, h.User))
		equal(t, "capacity", h.Capacity(), catalog.Capacity{Total: 10, Reserved: 50})
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 0))
		want(t, h.Names.Reserve(h.Ctx, h.User.ID, 1), errs.NoSpace, errs.QuotaFull)
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 50))
	})
	t.Run("more than was taken cannot be given back", func(t *testing.T) {
		h := NewHome(t, s, 100)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 5))
		want(t, h.Names.Release(h.Ctx, h.User.ID, 6), errs.Internal, errs.StoreFailed)
		want(t, h.Names.Settle(h.Ctx, h.User.ID, 6), errs.Internal, errs.StoreFailed)
		equal(t, "capacity", h.Capacity(), catalog.Capacity{Total: 100, Reserved: 5})
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 5))
	})
	t.Run("negative amounts and unknown users are refused", func(t *testing.T) {
		h := NewHome(t, s, 100)
		for _, fn := range []func(u core.UserID, n int64) error{
			func(u core.UserID, n int64) error { return h.Names.Reserve(h.Ctx, u, n) },
			func(u core.UserID, n int64) error { return h.Names.Release(h.Ctx, u, n) },
			func(u core.UserID, n int64) error { return h.Names.Settle(h.Ctx, u, n) },
		} {
			want(t, fn(h.User.ID, -1), errs.Invalid, errs.BadParam)
			want(t, fn(math.MaxInt64, 1), errs.NotFound, errs.UserUnknown)
		}
		_, err := h.Names.Capacity(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.UserUnknown)
		_, err = h.Names.Recount(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.UserUnknown)
	})
}

var errAbandon = errors.New("abandoned on purpose")

// ledgerWalk is a random walk through sessions and versions; at each step the
// ledger, the recount and the model agree.
type ledgerWalk struct {
	*Home
	open     []upload.Session
	versions []catalog.Version
	next     int
}

func (w *ledgerWalk) create(size int64, abandon bool) error {
	s := w.NewSession(w.Root.ID, size)
	err := w.Store.Upload().InTx(w.Ctx, func(tx upload.Tx) error {
		if err := tx.Reserve(w.Ctx, w.User.ID, size); err != nil {
			return err
		}
		if err := tx.AddSession(w.Ctx, s); err != nil {
			return err
		}
		if abandon {
			return errAbandon
		}
		return nil
	})
	if err == nil {
		w.open = append(w.open, s)
	}
	return err
}

func (w *ledgerWalk) finish(i int, to upload.State) {
	s := w.open[i]
	w.open = append(w.open[:i:i], w.open[i+1:]...)
	w.next++
	f := w.New(w.Root.ID, fmt.Sprint("f", w.next), catalog.File)
	v := w.NewVersion(f.ID, s.Size)
	w.Must(w.Store.Upload().InTx(w.Ctx, func(tx upload.Tx) error {
		if to == upload.Aborted {
			return errors.Join(tx.Advance(w.Ctx, s.ID, upload.Open, to, upload.Ending{}),
				tx.Release(w.Ctx, w.User.ID, s.Size))
		}
		return errors.Join(
			tx.Advance(w.Ctx, s.ID, upload.Open, upload.Sealing, upload.Ending{}),
			tx.InsertNode(w.Ctx, f),
			tx.AddVersion(w.Ctx, v),
			tx.Settle(w.Ctx, w.User.ID, s.Size),
			tx.Advance(w.Ctx, s.ID, upload.Sealing, upload.Done, upload.Ending{At: Epoch}))
	}))
	if to == upload.Done {
		w.versions = append(w.versions, v)
	}
}

func (w *ledgerWalk) drop(i int, tree bool) {
	v := w.versions[i]
	w.versions = append(w.versions[:i:i], w.versions[i+1:]...)
	if !tree {
		w.Must(w.Names.DropVersion(w.Ctx, v.ID, Epoch))
		return
	}
	gone, err := w.Names.RemoveTree(w.Ctx, v.Node, Epoch)
	w.Must(err)
	equal(w.T, "removed", gone, catalog.Removed{Nodes: 1, Bytes: v.Size})
}

func testLedgerModel(t *testing.T, s *store.Store) {
	const total = 1000
	rapid.Check(t, func(rt *rapid.T) {
		w := &ledgerWalk{Home: NewHome(t, s, total)}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			model := w.model()
			switch step := rapid.IntRange(0, 4).Draw(rt, "step"); {
			case step == 1 && len(w.open) > 0:
				w.finish(rapid.IntRange(0, len(w.open)-1).Draw(rt, "session"), upload.Aborted)
			case step == 2 && len(w.open) > 0:
				w.finish(rapid.IntRange(0, len(w.open)-1).Draw(rt, "session"), upload.Done)
			case step == 3 && len(w.versions) > 0:
				w.drop(rapid.IntRange(0, len(w.versions)-1).Draw(rt, "version"), rapid.Bool().Draw(rt, "tree"))
			default:
				size, abandon := rapid.Int64Range(0, 600).Draw(rt, "size"), step == 4
				err := w.create(size, abandon)
				fits := size == 0 || model.Used+model.Reserved+size <= total
				switch {
				case !fits:
					want(rt, err, errs.NoSpace, errs.QuotaFull)
				case abandon && !errors.Is(err, errAbandon):
					rt.Fatalf("the abandoned transaction said %v", err)
				case !abandon && err != nil:
					rt.Fatal(err)
				}
			}
			w.agree(rt)
		}
	})
}

func (w *ledgerWalk) model() catalog.Capacity {
	c := catalog.Capacity{Total: 1000}
	for _, s := range w.open {
		c.Reserved += s.Size
	}
	for _, v := range w.versions {
		c.Used += v.Size
	}
	return c
}

func (w *ledgerWalk) agree(rt *rapid.T) {
	counted, err := w.Names.Recount(w.Ctx, w.User.ID)
	if err != nil {
		rt.Fatal(err)
	}
	if kept, model := w.Capacity(), w.model(); kept != model || counted != model {
		rt.Fatalf("kept %+v, counted %+v, model %+v", kept, counted, model)
	}
}
