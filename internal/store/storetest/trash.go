package storetest

import (
	"math"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

// hideRoot gives the user a hidden root.
func (h *Home) hideRoot(key string) catalog.Node {
	h.T.Helper()
	n := h.New(0, key, catalog.Folder)
	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error { return tx.AddHiddenRoot(h.Ctx, n) }))
	got, err := h.Names.HiddenRoot(h.Ctx, h.User.ID, key)
	h.Must(err)
	return got
}

func testTrash(t *testing.T, s *store.Store) {
	t.Run("a hidden root is beside the drive and not in it", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.HiddenRoot(h.Ctx, h.User.ID, "trash")
		want(t, err, errs.NotFound, errs.PathMissing)
		root := h.hideRoot("trash")
		equal(t, "made twice", h.hideRoot("trash"), root)
		if root.Parent != 0 || root.Kind != catalog.Folder || root.ID == h.Root.ID || h.hideRoot("other").ID == root.ID {
			t.Errorf("the hidden root is %+v", root)
		}
		dir := h.Add(root.ID, "dir", catalog.Folder)
		h.Add(dir.ID, "f", catalog.File)
		got, err := h.Names.Walk(h.Ctx, h.User.ID, []string{"dir"})
		h.Must(err)
		equal(t, "the drive", got, []catalog.Node{h.Root})
		sum, err := h.Names.Summary(h.Ctx, h.Root.ID)
		h.Must(err)
		equal(t, "below the drive", sum, catalog.Summary{})
	})
	t.Run("a node moves out of sight and back", func(t *testing.T) {
		h := NewHome(t, s, -1)
		root := h.hideRoot("trash")
		dir := h.Add(h.Root.ID, "dir", catalog.Folder)
		f := h.Add(dir.ID, "f", catalog.File)
		v := h.AddVersion(f.ID, 7)
		away := dir
		away.Parent, away.Key = root.ID, "dir/token"
		h.Must(h.Names.UpdateNode(h.Ctx, away, 1))
		got, err := h.Names.Walk(h.Ctx, h.User.ID, []string{"dir", "f"})
		h.Must(err)
		equal(t, "the drive", got, []catalog.Node{h.Root})
		h.Must(h.Names.UpdateNode(h.Ctx, dir, 2))
		got, err = h.Names.Walk(h.Ctx, h.User.ID, []string{"dir", "f"})
		h.Must(err)
		equal(t, "as deep as before", len(got), 3)
		kept, err := h.Names.Version(h.Ctx, v.ID)
		h.Must(err)
		equal(t, "its version", kept, v)
	})
	t.Run("folders are counted in depth, and children", func(t *testing.T) {
		h := NewHome(t, s, -1)
		a := h.Add(h.Root.ID, "a", catalog.Folder)
		b := h.Add(a.ID, "b", catalog.Folder)
		h.Add(b.ID, "c", catalog.Folder)
		h.Add(b.ID, "f", catalog.File)
		for id, w := range map[core.NodeID][2]int64{h.Root.ID: {3, 1}, a.ID: {2, 1}, b.ID: {1, 2}, math.MaxInt64: {0, 0}} {
			deep, err := h.Names.FoldersBelow(h.Ctx, id)
			h.Must(err)
			n, err := h.Names.CountChildren(h.Ctx, id)
			h.Must(err)
			equal(t, "depth and children", [2]int64{int64(deep), n}, w)
		}
	})
}

// testDueNodes needs a database of its own: what is due is due for everybody.
func testDueNodes(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	mark := func(name string, at time.Time) (catalog.Node, string) {
		n, token := h.Add(h.Root.ID, name, catalog.Folder), core.NewUUID()
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error { return tx.MarkDue(h.Ctx, n.ID, token, at) }))
		return n, token
	}
	late, lateToken := mark("late", Epoch.Add(time.Hour))
	early, earlyToken := mark("early", Epoch)
	due := func(at time.Time, limit int) []catalog.Node {
		got, err := h.Names.DueBefore(h.Ctx, at, limit)
		h.Must(err)
		return got
	}
	equal(t, "none yet", due(Epoch.Add(-time.Microsecond), 10), []catalog.Node{})
	equal(t, "one", due(Epoch, 10), []catalog.Node{early})
	equal(t, "both", due(Epoch.Add(time.Hour), 10), []catalog.Node{early, late})
	equal(t, "limit", due(Epoch.Add(time.Hour), 1), []catalog.Node{early})
	got, err := h.Names.DueByToken(h.Ctx, lateToken)
	h.Must(err)
	equal(t, "by token", got, late)
	_, err = h.Names.DueByToken(h.Ctx, "nothing")
	want(t, err, errs.NotFound, errs.PathMissing)

	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error { return tx.ClearDue(h.Ctx, late.ID) }))
	_, err = h.Names.RemoveTree(h.Ctx, early.ID, Epoch)
	h.Must(err)
	for _, token := range []string{earlyToken, lateToken} {
		_, err = h.Names.DueByToken(h.Ctx, token)
		want(t, err, errs.NotFound, errs.PathMissing)
	}
	equal(t, "nothing is due", due(Epoch.AddDate(1, 0, 0), 10), []catalog.Node{})
}
