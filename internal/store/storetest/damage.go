package storetest

import (
	"testing"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
)

func testDamage(t *testing.T, s *store.Store) {
	t.Run("a folder knows its files whose current version is damaged", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		sub := h.Add(h.Root.ID, "sub", catalog.Folder)
		broken, deeper, old := h.Add(h.Root.ID, "a", catalog.File), h.Add(sub.ID, "b", catalog.File), h.Add(h.Root.ID, "c", catalog.File)
		h.Add(h.Root.ID, "d", catalog.File)
		for _, n := range []catalog.Node{broken, deeper, old} {
			v := h.AddVersion(n.ID, 10)
			h.Must(h.Names.SetDamage(h.Ctx, v.ID, "other bytes"))
			if n.ID != old.ID {
				n.Version = v.ID
				h.Must(h.Names.UpdateNode(h.Ctx, n, n.Rev))
			}
		}
		in := func(folder core.NodeID) []core.NodeID {
			ids, err := h.Names.DamagedIn(h.Ctx, h.User.ID, folder)
			h.Must(err)
			return ids
		}
		equal(t, "root", in(h.Root.ID), []core.NodeID{broken.ID})
		equal(t, "sub", in(sub.ID), []core.NodeID{deeper.ID})
	})
}
