package storetest

import (
	"math"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func testAudit(t *testing.T, s *store.Store) {
	t.Run("versions are read in order of their ids, and found by their blobs", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		f := h.Add(h.Root.ID, "f", catalog.File)
		first, second := h.AddVersion(f.ID, 10), h.AddVersion(f.ID, 20)
		got, err := h.Names.VersionsAfter(h.Ctx, first.ID-1, 1)
		h.Must(err)
		equal(t, "first", got, []catalog.Version{first})
		got, err = h.Names.VersionsAfter(h.Ctx, second.ID-1, 1)
		h.Must(err)
		equal(t, "second", got, []catalog.Version{second})
		got, err = h.Names.VersionsAfter(h.Ctx, math.MaxInt64, 10)
		h.Must(err)
		equal(t, "end", len(got), 0)
		n, err := h.Names.BytesAfter(h.Ctx, first.ID-1)
		h.Must(err)
		if n < 30 {
			t.Errorf("%d bytes after, want at least these 30", n)
		}
		v, err := h.Names.VersionOfBlob(h.Ctx, 1, second.Blob)
		h.Must(err)
		equal(t, "by blob", v, second)
		_, err = h.Names.VersionOfBlob(h.Ctx, 2, second.Blob)
		want(t, err, errs.NotFound, errs.VersionMissing)
	})
	t.Run("a blob is doomed from the drop of its version until it is forgotten", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		v := h.AddVersion(h.Add(h.Root.ID, "f", catalog.File).ID, 10)
		doomed := func() bool {
			yes, err := h.Names.IsDoomed(h.Ctx, 1, v.Blob)
			h.Must(err)
			return yes
		}
		equal(t, "before", doomed(), false)
		h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
		equal(t, "dropped", doomed(), true)
		h.Must(h.Names.Forget(h.Ctx, []catalog.DoomedBlob{{Policy: 1, Blob: v.Blob}}))
		equal(t, "forgotten", doomed(), false)
	})
	t.Run("damage stays with its version until it is taken back", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		v := h.AddVersion(h.Add(h.Root.ID, "f", catalog.File).ID, 10)
		for _, what := range []string{"other bytes", ""} {
			h.Must(h.Names.SetDamage(h.Ctx, v.ID, what))
			got, err := h.Names.Version(h.Ctx, v.ID)
			h.Must(err)
			v.Damage = what
			equal(t, "version", got, v)
		}
		h.Must(h.Names.SetDamage(h.Ctx, math.MaxInt64, "x"))
	})
	t.Run("a ledger that drifted is found and booked anew", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		f := h.Add(h.Root.ID, "f", catalog.File)
		h.AddVersion(f.ID, 10)
		h.Must(h.Names.AddVersion(h.Ctx, h.NewVersion(f.ID, 5))) // behind the ledger's back
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 7))
		mine := func() []catalog.Drift {
			all, err := h.Names.Drifted(h.Ctx, 1000)
			h.Must(err)
			var out []catalog.Drift
			for _, d := range all {
				if d.User == h.User.ID {
					out = append(out, d)
				}
			}
			return out
		}
		equal(t, "drift", mine(), []catalog.Drift{{
			User: h.User.ID, Has: catalog.Capacity{Used: 10, Reserved: 7}, Counted: catalog.Capacity{Used: 15},
		}})
		h.Must(h.Names.Rebook(h.Ctx, h.User.ID))
		equal(t, "booked anew", len(mine()), 0)
		equal(t, "capacity", h.Capacity(), catalog.Capacity{Total: 1000, Used: 15})
		want(t, h.Names.Rebook(h.Ctx, math.MaxInt64), errs.NotFound, errs.UserUnknown)
	})
	t.Run("booking anew while bytes come and go does not drift", func(t *testing.T) {
		h := NewHome(t, s, 1<<40)
		f := h.Add(h.Root.ID, "f", catalog.File)
		for _, err := range race(8, func(i int) error {
			for range 10 {
				if i%2 == 0 {
					if err := h.Names.Rebook(h.Ctx, h.User.ID); err != nil {
						return err
					}
					continue
				}
				v := h.AddVersion(f.ID, int64(i))
				if err := h.Names.DropVersion(h.Ctx, v.ID, Epoch); err != nil {
					return err
				}
			}
			return nil
		}) {
			h.Must(err)
		}
		counted, err := h.Names.Recount(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "ledger", h.Capacity(), counted)
	})
}

func testTrail(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	up := s.Upload()
	in := h.AddSession(100)
	events := func() []upload.Event {
		got, err := up.Events(h.Ctx, in.ID)
		h.Must(err)
		return got
	}
	first := upload.Event{
		At: Epoch, Kind: upload.Refused, Range: core.Range{From: 5, To: 9}, Reason: errs.ChunkShort, Note: "it ended early",
	}
	second := upload.Event{At: Epoch.Add(-time.Hour), Kind: upload.SettleFailed, Reason: errs.IOFailed}
	equal(t, "empty", len(events()), 0)
	h.Must(up.AddEvent(h.Ctx, in.ID, first, 2))
	h.Must(up.InTx(h.Ctx, func(tx upload.Tx) error { return tx.AddEvent(h.Ctx, in.ID, second, 2) }))
	h.Must(up.AddEvent(h.Ctx, in.ID, first, 2)) // full
	equal(t, "in the order of their coming", events(), []upload.Event{first, second})
	h.Must(up.AddEvent(h.Ctx, core.SessionID(core.NewUUID()), first, 2))
	for _, err := range race(8, func(int) error { return up.AddEvent(h.Ctx, in.ID, first, 10) }) {
		h.Must(err)
	}
	equal(t, "none is lost in a race", len(events()), 10)
	h.end(in, upload.Aborted)
	h.Must(up.ForgetSession(h.Ctx, in.ID))
	equal(t, "gone with the session", len(events()), 0)
}
