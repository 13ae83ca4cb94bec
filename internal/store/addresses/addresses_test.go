package addresses_test

import (
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/internal/address"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/addresses"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestAddressesAreKeptByBothDatabases(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testAddresses(t, open(t))
		})
	}
}

func want(t testing.TB, err error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	if !errs.Is(err, kind) || !errs.Has(err, reason) {
		t.Errorf("got error %v, want %v/%v", err, kind, reason)
	}
}

func testAddresses(t *testing.T, s *store.Store) {
	kept := addresses.Over(s)
	file := func(h *storetest.Home) catalog.Node { return h.Add(h.Root.ID, core.NewUUID(), catalog.File) }
	newAddress := func(h *storetest.Home, n core.NodeID) address.Address {
		return address.Address{ID: h.ID(), Owner: h.User.ID, Node: n, Created: storetest.Epoch}
	}
	t.Run("a file has one address, however many ask for it at once", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		n := file(h)
		got := make([]address.Address, 8)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				got[i], err = kept.Add(h.Ctx, newAddress(h, n.ID))
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, a := range got {
			if a != got[0] {
				t.Errorf("address: got %+v, want %+v", a, got[0])
			}
		}
		read, err := kept.Address(h.Ctx, got[0].ID)
		h.Must(err)
		if read != got[0] {
			t.Errorf("address: got %+v, want %+v", read, got[0])
		}
		_, err = kept.Address(h.Ctx, h.ID())
		want(t, err, errs.NotFound, errs.AddressMissing)
	})
	t.Run("only the owner ends it, and the next one is another", func(t *testing.T) {
		h, other := storetest.NewHome(t, s, -1), storetest.NewHome(t, s, -1)
		n := file(h)
		a, err := kept.Add(h.Ctx, newAddress(h, n.ID))
		h.Must(err)
		want(t, kept.Remove(h.Ctx, a.ID, other.User.ID), errs.NotFound, errs.AddressMissing)
		h.Must(kept.Remove(h.Ctx, a.ID, h.User.ID))
		want(t, kept.Remove(h.Ctx, a.ID, h.User.ID), errs.NotFound, errs.AddressMissing)
		next, err := kept.Add(h.Ctx, newAddress(h, n.ID))
		h.Must(err)
		if next.ID == a.ID {
			t.Error("an address that ended opens the file again")
		}
	})
	t.Run("every download is counted", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		a, err := kept.Add(h.Ctx, newAddress(h, file(h).ID))
		h.Must(err)
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if err := kept.Count(h.Ctx, a.ID); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		a, err = kept.Address(h.Ctx, a.ID)
		h.Must(err)
		if a.Downloaded != 16 {
			t.Errorf("downloads: got %+v, want %+v", a.Downloaded, 16)
		}
		h.Must(kept.Count(h.Ctx, h.ID()))
	})
	t.Run("it ends with its file", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		n := file(h)
		a, err := kept.Add(h.Ctx, newAddress(h, n.ID))
		h.Must(err)
		h.Must(s.Catalog().InTx(h.Ctx, func(tx catalog.Tx) error {
			_, err := tx.RemoveTree(h.Ctx, n.ID, storetest.Epoch)
			return err
		}))
		_, err = kept.Address(h.Ctx, a.ID)
		want(t, err, errs.NotFound, errs.AddressMissing)
	})
}
