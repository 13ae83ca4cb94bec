package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/share"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/shares"
)

// newShare is a share of the user's root that is not added yet.
func newShare(h *Home) share.Share {
	return share.Share{
		ID: core.ShareID(h.ID()), Owner: h.User.ID, Node: h.Root.ID, Name: "n", Kind: catalog.Folder,
		Remain: share.NoLimit, Created: Epoch,
	}
}

func testShares(t *testing.T, s *store.Store) {
	kept := shares.Over(s)
	t.Run("a share reads back as it was added", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := newShare(h)
		in.Sealed, in.Expires, in.Remain, in.ShowView, in.ShowReadme = []byte{0, 1, 255}, Epoch.Add(time.Hour), 7, true, true
		h.Must(kept.Add(h.Ctx, in))
		got, err := kept.Share(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "share", got, in)
		_, err = kept.Share(h.Ctx, core.ShareID(h.ID()))
		want(t, err, errs.NotFound, errs.ShareMissing)
	})
	t.Run("only the owner changes or removes it", func(t *testing.T) {
		h, other := NewHome(t, s, -1), NewHome(t, s, -1)
		in := newShare(h)
		h.Must(kept.Add(h.Ctx, in))
		now := in
		now.Sealed, now.Expires, now.Remain, now.ShowView = []byte{9}, Epoch, 3, true
		theirs := now
		theirs.Owner = other.User.ID
		want(t, kept.Update(h.Ctx, theirs), errs.NotFound, errs.ShareMissing)
		want(t, kept.Remove(h.Ctx, in.ID, other.User.ID), errs.NotFound, errs.ShareMissing)
		h.Must(kept.Update(h.Ctx, now))
		got, err := kept.Share(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "share", got, now)
		h.Must(kept.Remove(h.Ctx, in.ID, h.User.ID))
		want(t, kept.Remove(h.Ctx, in.ID, h.User.ID), errs.NotFound, errs.ShareMissing)
	})
	t.Run("pages hold each share once in either direction", func(t *testing.T) {
		h := NewHome(t, s, -1)
		for range 5 {
			h.Must(kept.Add(h.Ctx, newShare(h)))
		}
		for _, desc := range []bool{false, true} {
			var all []core.ShareID
			q := share.Query{Owner: h.User.ID, Desc: desc, Limit: 2}
			for {
				page, err := kept.Of(h.Ctx, q)
				h.Must(err)
				if len(page) == 0 {
					break
				}
				for _, one := range page {
					if n := len(all); n > 0 && (all[n-1] < one.ID) == desc {
						t.Errorf("desc %v: %d comes after %d", desc, one.ID, all[n-1])
					}
					all = append(all, one.ID)
				}
				q.After = page[len(page)-1].ID
			}
			equal(t, "shares", len(all), 5)
		}
	})
	t.Run("of many downloads at once no more succeed than are left", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := newShare(h)
		in.Remain = 3
		h.Must(kept.Add(h.Ctx, in))
		var took atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				err := kept.Take(h.Ctx, in.ID, Epoch)
				if err == nil {
					took.Add(1)
				} else if !errs.Has(err, errs.ShareExpired) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		equal(t, "downloads", took.Load(), 3)
		got, err := kept.Share(h.Ctx, in.ID)
		h.Must(err)
		in.Remain, in.Downloaded = 0, 3
		equal(t, "share", got, in)
	})
	t.Run("nothing is taken after the end, and visits are counted", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := newShare(h)
		in.Expires = Epoch.Add(time.Second)
		h.Must(kept.Add(h.Ctx, in))
		h.Must(kept.Take(h.Ctx, in.ID, Epoch))
		want(t, kept.Take(h.Ctx, in.ID, in.Expires), errs.NotFound, errs.ShareExpired)
		h.Must(kept.Visit(h.Ctx, in.ID))
		h.Must(kept.Visit(h.Ctx, core.ShareID(h.ID())))
		got, err := kept.Share(h.Ctx, in.ID)
		h.Must(err)
		in.Downloaded, in.Visited = 1, 1
		equal(t, "share", got, in)
	})
}

func testSharesInOrder(t *testing.T, s *store.Store) {
	kept := shares.Over(s)
	h := NewHome(t, s, -1)
	ranks := [][3]int64{{0, 2, 0}, {2, 0, 5}, {1, 1, 9}, {2, 2, 0}, {0, 0, 5}} // visited, downloaded, hours
	for _, r := range ranks {
		in := newShare(h)
		if r[2] > 0 {
			in.Expires = Epoch.Add(time.Duration(r[2]) * time.Hour)
		}
		h.Must(kept.Add(h.Ctx, in))
		for range r[0] {
			h.Must(kept.Visit(h.Ctx, in.ID))
		}
		for range r[1] {
			h.Must(kept.Take(h.Ctx, in.ID, Epoch))
		}
	}
	for _, by := range []share.Order{share.ByVisited, share.ByDownloaded, share.ByExpiry} {
		for _, desc := range []bool{false, true} {
			var all []share.Share
			q := share.Query{Owner: h.User.ID, By: by, Desc: desc, Limit: 2}
			for {
				page, err := kept.Of(h.Ctx, q)
				h.Must(err)
				if len(page) == 0 {
					break
				}
				all = append(all, page...)
				last := page[len(page)-1]
				q.After, q.Rank = last.ID, last.Rank(by)
			}
			equal(t, "shares", len(all), len(ranks))
			for i := 1; i < len(all); i++ {
				a, b := all[i-1], all[i]
				if desc {
					a, b = b, a
				}
				if a.Rank(by) > b.Rank(by) || a.Rank(by) == b.Rank(by) && a.ID >= b.ID {
					t.Errorf("order %d, desc %v: %d (%d) before %d (%d)", by, desc, a.ID, a.Rank(by), b.ID, b.Rank(by))
				}
			}
		}
	}
}
