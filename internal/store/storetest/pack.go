package storetest

import (
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
)

func testPacks(t *testing.T, s *store.Store) {
	h := NewHome(t, s, 1000)
	f := h.Add(h.Root.ID, "f", catalog.File)
	var tag string
	for _, c := range core.NewUUID() {
		if c != '-' {
			tag += string(c)
		}
	}
	pack, other := blob.PackKey(tag+"a"), blob.PackKey(tag+"aa")
	var vs []catalog.Version
	for i, key := range []string{
		blob.Packed{Pack: pack, At: 0, Size: 10}.Key(), blob.Packed{Pack: pack, At: 32, Size: 20}.Key(),
		blob.Packed{Pack: pack, At: 64, Size: 30}.Key(), blob.Packed{Pack: other, At: 0, Size: 40}.Key(),
		pack, tag + "b",
	} {
		v := h.NewVersion(f.ID, int64(10*(i+1)))
		v.Blob = key
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, v.Size))
		h.Must(h.Names.Settle(h.Ctx, h.User.ID, v.Size))
		h.Must(h.Names.AddVersion(h.Ctx, v))
		vs = append(vs, v)
	}
	uses := func(policy core.PolicyID, pack string, w catalog.PackUse) {
		t.Helper()
		got, err := h.Names.PackUse(h.Ctx, policy, pack)
		h.Must(err)
		equal(t, "use of "+pack, got, w)
	}
	uses(1, pack, catalog.PackUse{Objects: 3, Bytes: 60})
	uses(1, other, catalog.PackUse{Objects: 1, Bytes: 40})
	uses(2, pack, catalog.PackUse{})
	uses(1, blob.PackKey(tag), catalog.PackUse{})

	var paged []catalog.Version
	for after := ""; ; {
		page, err := h.Names.VersionsIn(h.Ctx, 1, pack, after, 2)
		h.Must(err)
		if len(page) == 0 {
			break
		}
		paged, after = append(paged, page...), page[len(page)-1].Blob
	}
	equal(t, "versions of the pack", paged, vs[:3])

	later := Epoch.Add(time.Hour)
	move := catalog.Move{Version: vs[0].ID, From: vs[0].Blob, To: blob.Packed{Pack: other, At: 64, Size: 10}.Key(), At: later}
	moved := func(m catalog.Move, w bool) {
		t.Helper()
		got, err := h.Names.MoveBlob(h.Ctx, m)
		h.Must(err)
		equal(t, "moved", got, w)
	}
	wrong := move
	wrong.From = vs[1].Blob
	moved(wrong, false)
	uses(1, pack, catalog.PackUse{Objects: 3, Bytes: 60})
	moved(move, true)
	moved(move, false)
	got, err := h.Names.Version(h.Ctx, vs[0].ID)
	h.Must(err)
	vs[0].Blob = move.To
	equal(t, "version", got, vs[0])
	uses(1, pack, catalog.PackUse{Objects: 2, Bytes: 50, Doomed: 1})
	uses(1, other, catalog.PackUse{Objects: 2, Bytes: 50})
	due := func(before time.Time) (found bool) {
		all, err := h.Names.DoomedBefore(h.Ctx, before, 1000)
		h.Must(err)
		for _, d := range all {
			found = found || d.Blob == move.From
		}
		return found
	}
	equal(t, "due at once", due(later), false)
	equal(t, "due then", due(later.Add(time.Second)), true)

	h.Must(h.Names.DropVersion(h.Ctx, vs[1].ID, Epoch))
	uses(1, pack, catalog.PackUse{Objects: 1, Bytes: 30, Doomed: 2})
	moved(catalog.Move{Version: vs[1].ID, From: vs[1].Blob, To: move.To, At: Epoch}, false)
	counted, err := h.Names.Recount(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "ledger", h.Capacity(), counted)
}
