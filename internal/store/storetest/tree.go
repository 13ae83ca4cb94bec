package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

func testTree(t *testing.T, s *store.Store) {
	t.Run("a new user has an empty root", func(t *testing.T) {
		h := NewHome(t, s, -1)
		equal(t, "root", h.Root, catalog.Node{
			ID: h.Root.ID, Owner: h.User.ID, Kind: catalog.Folder, Created: Epoch, Updated: Epoch, Rev: 1,
		})
		none, err := h.Names.Walk(h.Ctx, core.UserID(math.MaxInt64), []string{"a"})
		h.Must(err)
		equal(t, "walk of nobody", len(none), 0)
	})
	t.Run("a node reads back as it was inserted", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.New(h.Root.ID, "Ä \U0001f600 'quoted\" %_", catalog.File)
		n.Size, n.Version, n.Session = math.MaxInt64, 77, "3f0c"
		n.Meta = map[string]string{"tag:x": "#fff", "props:y": "ü\n"}
		h.Must(h.Names.InsertNode(h.Ctx, n))
		got, err := h.Names.Node(h.Ctx, n.ID)
		h.Must(err)
		equal(t, "node", got, n)
	})
	t.Run("a name is taken once, and case counts", func(t *testing.T) {
		h := NewHome(t, s, -1)
		h.Add(h.Root.ID, "x", catalog.File)
		h.Add(h.Root.ID, "X", catalog.File)
		want(t, h.Names.InsertNode(h.Ctx, h.New(h.Root.ID, "x", catalog.Folder)), errs.Exists, errs.NameTaken)
	})
	t.Run("a parent must be there, be a folder and be the owner's", func(t *testing.T) {
		h, other := NewHome(t, s, -1), NewHome(t, s, -1)
		file := h.Add(h.Root.ID, "f", catalog.File)
		for _, parent := range []core.NodeID{0, math.MaxInt64, file.ID, other.Root.ID} {
			want(t, h.Names.InsertNode(h.Ctx, h.New(parent, "x", catalog.File)), errs.NotFound, errs.PathMissing)
		}
	})
	t.Run("a walk goes as far as the path does", func(t *testing.T) {
		h := NewHome(t, s, -1)
		a := h.Add(h.Root.ID, "a", catalog.Folder)
		f := h.Add(a.ID, "f", catalog.File)
		for path, far := range map[string][]core.NodeID{
			"": {h.Root.ID}, "a": {h.Root.ID, a.ID}, "a/f": {h.Root.ID, a.ID, f.ID}, "b/f": {h.Root.ID},
			"a/b/c": {h.Root.ID, a.ID}, "a/f/g": {h.Root.ID, a.ID, f.ID},
		} {
			got, err := h.Names.Walk(h.Ctx, h.User.ID, strings.FieldsFunc(path, func(r rune) bool { return r == '/' }))
			h.Must(err)
			equal(t, "walk "+path, ids(got), far)
		}
	})
	t.Run("a path may be 256 deep", func(t *testing.T) {
		h := NewHome(t, s, -1)
		at, keys := h.Root, []string{}
		for i := range core.MaxDepth {
			at = h.Add(at.ID, fmt.Sprint(i), catalog.Folder)
			keys = append(keys, fmt.Sprint(i))
		}
		got, err := h.Names.Walk(h.Ctx, h.User.ID, keys)
		h.Must(err)
		equal(t, "nodes of the walk", len(got), core.MaxDepth+1)
		sum, err := h.Names.Summary(h.Ctx, h.Root.ID)
		h.Must(err)
		equal(t, "summary", sum, catalog.Summary{Folders: core.MaxDepth})
		gone, err := h.Names.RemoveTree(h.Ctx, got[1].ID, Epoch)
		h.Must(err)
		equal(t, "removed", gone, catalog.Removed{Nodes: core.MaxDepth})
	})
	t.Run("an update", func(t *testing.T) { testUpdate(t, s) })
	t.Run("a summary counts what is below", func(t *testing.T) {
		h := NewHome(t, s, -1)
		a := h.Add(h.Root.ID, "a", catalog.Folder)
		h.Add(a.ID, "b", catalog.Folder)
		f := h.New(a.ID, "f", catalog.File)
		f.Size = 40
		h.Must(h.Names.InsertNode(h.Ctx, f))
		got, err := h.Names.Summary(h.Ctx, h.Root.ID)
		h.Must(err)
		equal(t, "summary", got, catalog.Summary{Files: 1, Folders: 2, Bytes: 40})
		_, err = h.Names.Summary(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.PathMissing)
	})
	t.Run("what is not there is path_missing", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.Node(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.PathMissing)
	})
}

func testUpdate(t *testing.T, s *store.Store) {
	t.Run("writes all and raises the revision", func(t *testing.T) {
		h := NewHome(t, s, -1)
		dir := h.Add(h.Root.ID, "dir", catalog.Folder)
		n := h.Add(h.Root.ID, "old", catalog.File)
		n.Parent, n.Name, n.Key, n.Size, n.Version, n.Session = dir.ID, "New", "New", 9, 8, "s"
		n.Updated, n.Meta = Epoch.Add(time.Hour), map[string]string{"a:b": "c"}
		h.Must(h.Names.UpdateNode(h.Ctx, n, 1))
		got, err := h.Names.Node(h.Ctx, n.ID)
		h.Must(err)
		n.Rev = 2
		equal(t, "node", got, n)
	})
	t.Run("of a stale revision, or of nothing, is a conflict", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.Add(h.Root.ID, "n", catalog.File)
		h.Must(h.Names.UpdateNode(h.Ctx, n, 1))
		want(t, h.Names.UpdateNode(h.Ctx, n, 1), errs.Conflict, errs.Changed)
		n.ID = math.MaxInt64
		want(t, h.Names.UpdateNode(h.Ctx, n, 1), errs.Conflict, errs.Changed)
	})
	t.Run("to a taken name is refused, and the transaction goes on", func(t *testing.T) {
		h := NewHome(t, s, -1)
		h.Add(h.Root.ID, "taken", catalog.File)
		n := h.Add(h.Root.ID, "n", catalog.File)
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			n.Name, n.Key = "taken", "taken"
			want(t, tx.UpdateNode(h.Ctx, n, 1), errs.Exists, errs.NameTaken)
			n.Name, n.Key = "free", "free"
			return tx.UpdateNode(h.Ctx, n, 1)
		}))
		got, err := h.Names.Node(h.Ctx, n.ID)
		h.Must(err)
		equal(t, "name", got.Name, "free")
	})
	t.Run("keeps a root a root", func(t *testing.T) {
		h := NewHome(t, s, -1)
		h.Root.Updated = Epoch.Add(time.Hour)
		h.Must(h.Names.UpdateNode(h.Ctx, h.Root, 1))
		got, err := h.Names.Walk(h.Ctx, h.User.ID, nil)
		h.Must(err)
		h.Root.Rev = 2
		equal(t, "root", got[0], h.Root)
	})
}

func testRemoval(t *testing.T, s *store.Store) {
	t.Run("takes nodes and versions, frees what was held, and dooms the blobs", func(t *testing.T) {
		h := NewHome(t, s, 10_000)
		dir := h.Add(h.Root.ID, "dir", catalog.Folder)
		sub := h.Add(dir.ID, "sub", catalog.Folder)
		kept := h.Add(h.Root.ID, "kept", catalog.File)
		keptVersion := h.AddVersion(kept.ID, 5)
		var blobs []string
		for i := range 130 { // more than one statement dooms
			f := h.Add(sub.ID, fmt.Sprint(i), catalog.File)
			blobs = append(blobs, h.AddVersion(f.ID, 10).Blob)
		}
		held := h.Hold(sub.ID, 0)
		at := Epoch.Add(-time.Duration(h.User.ID) * time.Hour) // a time that no other suite uses
		gone, err := h.Names.RemoveTree(h.Ctx, dir.ID, at)
		h.Must(err)
		equal(t, "removed", gone, catalog.Removed{Nodes: 132, Bytes: 1300})
		_, err = h.Names.Lock(h.Ctx, held.Token)
		want(t, err, errs.NotFound, errs.LockUnknown)
		equal(t, "used", h.Capacity().Used, 5)
		left, err := h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: catalog.ByName, Limit: 10})
		h.Must(err)
		equal(t, "left", ids(left), []core.NodeID{kept.ID})
		_, err = h.Names.Version(h.Ctx, keptVersion.ID)
		h.Must(err)
		doomed, err := h.Names.DoomedBefore(h.Ctx, at.Add(time.Microsecond), 100_000)
		h.Must(err)
		var got []string
		for _, d := range doomed {
			if d.At.Equal(at) {
				got = append(got, d.Blob)
			}
		}
		equal(t, "doomed", sorted(got), sorted(blobs))
	})
	t.Run("of nothing is path_missing", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.RemoveTree(h.Ctx, math.MaxInt64, Epoch)
		want(t, err, errs.NotFound, errs.PathMissing)
	})
	t.Run("of a file leaves its folder", func(t *testing.T) {
		h := NewHome(t, s, -1)
		f := h.Add(h.Root.ID, "f", catalog.File)
		gone, err := h.Names.RemoveTree(h.Ctx, f.ID, Epoch)
		h.Must(err)
		equal(t, "removed", gone, catalog.Removed{Nodes: 1})
		h.Add(h.Root.ID, "f", catalog.File)
	})
}
