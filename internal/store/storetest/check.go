package storetest

import (
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/direct"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/providers"
	"github.com/wharfinger/wharfinger/internal/upload"
)

var _ direct.Rows = (*providers.Providers)(nil)

// testChecks needs a database of its own: others would be due too.
func testChecks(t *testing.T, s *store.Store) {
	kept := providers.Over(s)
	h := NewHome(t, s, -1)
	first, second := h.AddSession(10), h.AddSession(20)
	h.Must(kept.Granted(h.Ctx, first.ID, "vendor/1", Epoch.Add(2*time.Minute)))
	h.Must(kept.Granted(h.Ctx, second.ID, "vendor/2", Epoch.Add(time.Minute)))
	got, err := s.Upload().Session(h.Ctx, first.ID)
	h.Must(err)
	equal(t, "vendor id", got.VendorID, "vendor/1")
	due := func(after time.Duration, limit int) (ids []core.SessionID) {
		t.Helper()
		all, err := kept.DueChecks(h.Ctx, 1, Epoch.Add(after), limit)
		h.Must(err)
		for _, c := range all {
			ids = append(ids, c.Session)
		}
		return ids
	}
	equal(t, "due before", due(59*time.Second, 9), nil)
	equal(t, "due then", due(time.Minute, 9), []core.SessionID{second.ID})
	equal(t, "due later", due(time.Hour, 9), []core.SessionID{second.ID, first.ID})
	equal(t, "the longest due", due(time.Hour, 1), []core.SessionID{second.ID})
	others, err := kept.DueChecks(h.Ctx, 2, Epoch.Add(time.Hour), 9)
	h.Must(err)
	equal(t, "due of another policy", others, []upload.Check{})

	want1 := upload.Check{Session: second.ID, Due: Epoch.Add(time.Hour), Tries: 3, Parts: 7, Whole: true}
	h.Must(kept.SetCheck(h.Ctx, want1))
	h.Must(kept.DropCheck(h.Ctx, first.ID))
	h.Must(kept.DropCheck(h.Ctx, first.ID))
	all, err := kept.DueChecks(h.Ctx, 1, Epoch.Add(time.Hour), 9)
	h.Must(err)
	equal(t, "checks", all, []upload.Check{want1})

	ended := h.AddSession(30)
	h.end(ended, upload.Aborted)
	want(t, kept.Granted(h.Ctx, ended.ID, "vendor/3", Epoch), errs.NotFound, errs.SessionGone)
	equal(t, "due of an ended one", due(time.Minute, 9), nil)
}

func testGroupPolicy(t *testing.T, s *store.Store) {
	h, kept := NewHome(t, s, -1), providers.Over(s)
	g, err := s.Catalog().GroupByName(h.Ctx, "Anonymous")
	h.Must(err)
	h.Must(kept.SetGroupPolicy(h.Ctx, "anonymous", g.Policy))
	want(t, kept.SetGroupPolicy(h.Ctx, "nobody", g.Policy), errs.NotFound, errs.UserUnknown)
}
