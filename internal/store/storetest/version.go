package storetest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

func testSite(t *testing.T, s *store.Store) {
	ctx, key := t.Context(), core.NewUUID()
	site := func() string {
		v, err := s.Site(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	equal(t, "unset", site(), "")
	var kept [16]string
	for _, err := range race(16, func(i int) (err error) {
		kept[i], err = s.OfferSite(ctx, key, core.NewUUID())
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	for _, k := range kept {
		equal(t, "offered", k, site())
	}
	for _, v := range []string{"one", "two"} {
		if err := s.SetSite(ctx, key, v); err != nil {
			t.Fatal(err)
		}
		equal(t, "set", site(), v)
	}
	if err := s.Ping(ctx); err != nil {
		t.Error(err)
	}
	if n, err := s.Size(ctx); err != nil || n <= 0 {
		t.Errorf("size %d, %v", n, err)
	}
}

func testIDs(t *testing.T, s *store.Store) {
	const workers, each = 8, 700 // more than one block
	var got [workers][each]int64
	for _, err := range race(workers, func(i int) (err error) {
		for j := range each {
			if got[i][j], err = s.Catalog().MintID(context.Background()); err != nil {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[int64]bool{}
	for _, ids := range got {
		for _, id := range ids {
			if seen[id] || id < 1000 || id >= 1<<53 {
				t.Fatalf("id %d was minted twice or is out of range", id)
			}
			seen[id] = true
		}
	}
}

func testVersions(t *testing.T, s *store.Store) {
	t.Run("a version reads back as it was added", func(t *testing.T) {
		h := NewHome(t, s, 1000)
		f := h.Add(h.Root.ID, "f", catalog.File)
		plain := h.AddVersion(f.ID, 10)
		v := h.NewVersion(f.ID, 20)
		v.Kind, v.SHA256, v.Created = catalog.Thumbnail, []byte{0, 255}, Epoch.Add(time.Hour)
		v.Cipher = &catalog.Encryption{Algorithm: "aes-256-ctr", SealedKey: []byte("key"), IV: make([]byte, 16)}
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 20))
		h.Must(h.Names.Settle(h.Ctx, h.User.ID, 20))
		h.Must(h.Names.AddVersion(h.Ctx, v))
		got, err := h.Names.Version(h.Ctx, v.ID)
		h.Must(err)
		equal(t, "version", got, v)
		all, err := h.Names.VersionsOf(h.Ctx, f.ID)
		h.Must(err)
		equal(t, "newest first", all, []catalog.Version{v, plain})
	})
	t.Run("of a node that is not there is refused", func(t *testing.T) {
		h := NewHome(t, s, -1)
		want(t, h.Names.AddVersion(h.Ctx, h.NewVersion(math.MaxInt64, 0)), errs.NotFound, errs.PathMissing)
		_, err := h.Names.Version(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.VersionMissing)
	})
	t.Run("dropping one that the ledger does not know is a defect, and drops nothing", func(t *testing.T) {
		h := NewHome(t, s, -1)
		f := h.Add(h.Root.ID, "f", catalog.File)
		v := h.NewVersion(f.ID, 5)
		h.Must(h.Names.AddVersion(h.Ctx, v))
		want(t, h.Names.DropVersion(h.Ctx, v.ID, Epoch), errs.Internal, errs.StoreFailed)
		_, err := h.Names.Version(h.Ctx, v.ID)
		h.Must(err)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 5))
		h.Must(h.Names.Settle(h.Ctx, h.User.ID, 5))
		h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
	})
}

func testDoomed(t *testing.T, s *store.Store) {
	h := NewHome(t, s, 1000)
	f := h.Add(h.Root.ID, "f", catalog.File)
	v := h.AddVersion(f.ID, 10)
	bare := h.NewVersion(f.ID, 0)
	bare.Blob = ""
	h.Must(h.Names.AddVersion(h.Ctx, bare))
	h.Must(h.Names.DropVersion(h.Ctx, bare.ID, Epoch)) // no blob, no doom
	h.Must(h.Names.DropVersion(h.Ctx, v.ID, Epoch))
	other := catalog.DoomedBlob{Policy: 1, Blob: "x", At: Epoch.Add(time.Second)}
	h.Must(h.Names.Doom(h.Ctx, other))
	h.Must(h.Names.Doom(h.Ctx, catalog.DoomedBlob{Policy: 1, Blob: "x", At: Epoch.Add(time.Hour)})) // keeps its time
	first := catalog.DoomedBlob{Policy: 1, Blob: v.Blob, At: Epoch}
	doomed := func(before time.Time, limit int) []catalog.DoomedBlob {
		got, err := h.Names.DoomedBefore(h.Ctx, before, limit)
		h.Must(err)
		return got
	}
	equal(t, "before", doomed(Epoch, 10), []catalog.DoomedBlob{})
	equal(t, "one", doomed(Epoch.Add(time.Second), 10), []catalog.DoomedBlob{first})
	equal(t, "all", doomed(Epoch.Add(time.Minute), 10), []catalog.DoomedBlob{first, other})
	equal(t, "limit", doomed(Epoch.Add(time.Minute), 1), []catalog.DoomedBlob{first})
	of := func(p core.PolicyID, before time.Time, limit int) int {
		got, err := h.Names.DoomedOf(h.Ctx, p, before, limit)
		h.Must(err)
		return len(got)
	}
	equal(t, "of the policy", of(1, Epoch.Add(time.Minute), 10), 2)
	equal(t, "of the policy, before", of(1, Epoch.Add(time.Second), 10), 1)
	equal(t, "of the policy, limit", of(1, Epoch.Add(time.Minute), 1), 1)
	equal(t, "of another policy", of(2, Epoch.Add(time.Minute), 10), 0)
	h.Must(h.Names.Forget(h.Ctx, []catalog.DoomedBlob{first, other}))
	equal(t, "forgotten", len(doomed(Epoch.AddDate(1, 0, 0), 10)), 0)
}

func testLocks(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	dir := h.Add(h.Root.ID, "dir", catalog.Folder)
	sub := h.Add(dir.ID, "sub", catalog.Folder)
	file := h.Add(sub.ID, "file", catalog.File)
	beside := h.Add(h.Root.ID, "beside", catalog.File)
	a, b, c := h.Hold(file.ID, 0), h.Hold(dir.ID, time.Second), h.Hold(beside.ID, time.Hour)
	for _, under := range []struct {
		id   core.NodeID
		want []catalog.Lock
	}{
		{h.Root.ID, []catalog.Lock{a, b, c}},
		{dir.ID, []catalog.Lock{a, b}},
		{sub.ID, []catalog.Lock{a}},
		{file.ID, []catalog.Lock{a}},
		{math.MaxInt64, nil},
	} {
		got, err := h.Names.LocksUnder(h.Ctx, h.User.ID, under.id)
		h.Must(err)
		equal(t, "locks under", got, under.want)
	}
	got, err := h.Names.Lock(h.Ctx, a.Token)
	h.Must(err)
	equal(t, "lock", got, a)
	h.Must(h.Names.Unlock(h.Ctx, a.Node, a.Token))
	h.Must(h.Names.Unlock(h.Ctx, a.Node, a.Token))
	_, err = h.Names.Lock(h.Ctx, a.Token)
	want(t, err, errs.NotFound, errs.LockUnknown)
	none, err := h.Names.LocksUnder(h.Ctx, h.User.ID, file.ID)
	h.Must(err)
	equal(t, "locks of a free file", len(none), 0)
}

func testClose(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	if found, err := s.Check(h.Ctx); err != nil || len(found) > 0 {
		t.Errorf("check: %v, %v", found, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	err := s.Catalog().InTx(h.Ctx, func(catalog.Tx) error {
		t.Error("a transaction ran on a closed store")
		return nil
	})
	want(t, err, errs.Transient, errs.StoreFailed)
	want(t, s.Ping(h.Ctx), errs.Transient, errs.StoreFailed)
	if err := s.Close(); err != nil {
		t.Errorf("the second Close said %v", err)
	}
}
