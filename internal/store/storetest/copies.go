package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

// copyOf gives another file a version with the bytes of the first one of node.
// Nothing is copied when node has none any more.
func copyOf(ctx context.Context, tx catalog.Tx, node core.NodeID, f catalog.Node, id core.VersionID) (bool, error) {
	held, err := tx.HoldVersions(ctx, node)
	if err != nil || len(held) == 0 {
		return false, err
	}
	v := held[0]
	v.ID, v.Node = id, f.ID
	for _, step := range []func() error{
		func() error { return tx.InsertNode(ctx, f) },
		func() error { return tx.Reserve(ctx, v.Owner, v.Size) },
		func() error { return tx.Settle(ctx, v.Owner, v.Size) },
		func() error { return tx.AddVersion(ctx, v) },
	} {
		if err := step(); err != nil {
			return false, err
		}
	}
	return true, nil
}

// copied is copyOf into the root of the user.
func (h *Home) copied(node core.NodeID, name string) catalog.Version {
	h.T.Helper()
	f, id := h.New(h.Root.ID, name, catalog.File), core.VersionID(h.ID())
	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
		done, err := copyOf(h.Ctx, tx, node, f, id)
		if err == nil && !done {
			h.T.Error("there was nothing to copy")
		}
		return err
	}))
	v, err := h.Names.Version(h.Ctx, id)
	h.Must(err)
	return v
}

func (h *Home) doomed(key string) bool {
	h.T.Helper()
	yes, err := h.Names.IsDoomed(h.Ctx, 1, key)
	h.Must(err)
	return yes
}

func testCopies(t *testing.T, s *store.Store) {
	t.Run("bytes go with the last that names them", func(t *testing.T) {
		h := NewHome(t, s, 100)
		f := h.Add(h.Root.ID, "f", catalog.File)
		v := h.AddVersion(f.ID, 10)
		one, two := h.copied(f.ID, "one"), h.copied(f.ID, "two")
		equal(t, "blobs", []string{one.Blob, two.Blob}, []string{v.Blob, v.Blob})
		equal(t, "each is charged", h.Capacity().Used, 30)
		h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
		_, err := h.Names.RemoveTree(h.Ctx, one.Node, Epoch)
		h.Must(err)
		equal(t, "used", h.Capacity().Used, 10)
		equal(t, "doomed while a copy is there", h.doomed(v.Blob), false)
		h.Must(h.Names.Doom(h.Ctx, catalog.DoomedBlob{Policy: 1, Blob: v.Blob, At: Epoch}))
		equal(t, "doomed by mistake", h.doomed(v.Blob), false)
		_, err = h.Names.RemoveTree(h.Ctx, two.Node, Epoch)
		h.Must(err)
		equal(t, "doomed with the last", h.doomed(v.Blob), true)
		equal(t, "used", h.Capacity().Used, 0)
	})
	t.Run("a tree may hold a file and its copies", func(t *testing.T) {
		h := NewHome(t, s, -1)
		dir := h.Add(h.Root.ID, "dir", catalog.Folder)
		f := h.Add(dir.ID, "f", catalog.File)
		v := h.AddVersion(f.ID, 10)
		outside := h.copied(f.ID, "outside")
		for i := range 150 { // more than one statement dooms
			c, id := h.New(dir.ID, fmt.Sprint(i), catalog.File), core.VersionID(h.ID())
			h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				_, err := copyOf(h.Ctx, tx, f.ID, c, id)
				return err
			}))
			h.AddVersion(c.ID, 1)
		}
		own, err := h.Names.VersionsOf(h.Ctx, f.ID)
		h.Must(err)
		gone, err := h.Names.RemoveTree(h.Ctx, dir.ID, Epoch)
		h.Must(err)
		equal(t, "removed", gone, catalog.Removed{Nodes: 152, Bytes: 151*10 + 150})
		equal(t, "doomed while a copy is there", h.doomed(own[0].Blob), false)
		h.Must(h.Names.DropVersion(h.Ctx, outside.ID, Epoch))
		equal(t, "doomed with the last", h.doomed(v.Blob), true)
	})
	t.Run("copies move and are damaged together", func(t *testing.T) {
		h := NewHome(t, s, -1)
		f := h.Add(h.Root.ID, "f", catalog.File)
		pack := blob.PackKey(plainUUID())
		v := h.NewVersion(f.ID, 10)
		v.Blob = blob.Packed{Pack: pack, At: 0, Size: 10}.Key()
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 10))
		h.Must(h.Names.Settle(h.Ctx, h.User.ID, 10))
		h.Must(h.Names.AddVersion(h.Ctx, v))
		c := h.copied(f.ID, "c")
		use, err := h.Names.PackUse(h.Ctx, 1, pack)
		h.Must(err)
		equal(t, "use", use, catalog.PackUse{Objects: 1, Bytes: 10})
		in, err := h.Names.VersionsIn(h.Ctx, 1, pack, "", 10)
		h.Must(err)
		equal(t, "one for all", in, []catalog.Version{v})
		to := "moved/" + plainUUID()
		done, err := h.Names.MoveBlob(h.Ctx, catalog.Move{Version: c.ID, From: v.Blob, To: to, At: Epoch})
		h.Must(err)
		h.Must(h.Names.SetDamage(h.Ctx, v.ID, "broken"))
		for _, id := range []core.VersionID{v.ID, c.ID} {
			got, err := h.Names.Version(h.Ctx, id)
			h.Must(err)
			equal(t, "moved and damaged", []string{got.Blob, got.Damage}, []string{to, "broken"})
		}
		equal(t, "moved, and the old place is given up", []bool{done, h.doomed(v.Blob)}, []bool{true, true})
	})
}

func plainUUID() (out string) {
	for _, c := range core.NewUUID() {
		if c != '-' {
			out += string(c)
		}
	}
	return out
}

// testCopyRaces lets copies, drops, removals and moves of one content meet. In
// the end its bytes are doomed if and only if no row names them.
func testCopyRaces(t *testing.T, s *store.Store) {
	rounds := 30
	if testing.Short() {
		rounds = 8
	}
	for round := range rounds {
		h := NewHome(t, s, -1)
		f := h.Add(h.Root.ID, "f", catalog.File)
		v := h.AddVersion(f.ID, 5)
		c := h.copied(f.ID, "c")
		var mu sync.Mutex
		places := []string{v.Blob}
		const workers = 8
		nodes, ids := make([]catalog.Node, workers), make([]core.VersionID, workers)
		for i := range workers {
			nodes[i], ids[i] = h.New(h.Root.ID, fmt.Sprint("n", i), catalog.File), core.VersionID(h.ID())
		}
		for i, err := range race(workers, func(i int) error {
			switch (i + round) % workers {
			case 0, 1, 2:
				from := f.ID
				if i%2 == 1 {
					from = c.Node
				}
				return h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
					_, err := copyOf(h.Ctx, tx, from, nodes[i], ids[i])
					return err
				})
			case 3:
				return h.Names.DropVersion(h.Ctx, v.ID, Epoch)
			case 4:
				_, err := h.Names.RemoveTree(h.Ctx, c.Node, Epoch)
				return err
			case 5, 6:
				to := "race/" + plainUUID()
				mu.Lock()
				places = append(places, to)
				mu.Unlock()
				moved, err := h.Names.MoveBlob(h.Ctx, catalog.Move{Version: c.ID, From: v.Blob, To: to, At: Epoch})
				if err == nil && !moved { // who moves in vain gives the new place up, as nobody knows it
					err = h.Names.Doom(h.Ctx, catalog.DoomedBlob{Policy: 1, Blob: to, At: Epoch})
				}
				return err
			default:
				time.Sleep(time.Millisecond)
				return nil
			}
		}) {
			if err != nil {
				t.Errorf("round %d, worker %d: %v", round, i, err)
			}
		}
		for _, place := range places {
			_, err := h.Names.VersionOfBlob(h.Ctx, 1, place)
			if err != nil && !errs.Is(err, errs.NotFound) {
				t.Fatal(err)
			}
			if named := err == nil; named == h.doomed(place) {
				t.Fatalf("round %d: the blob %s is named by a row: %v, and doomed: %v", round, place, named, named)
			}
		}
		counted, err := h.Names.Recount(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "the ledger", h.Capacity(), counted)
	}
}
