package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

var orders = []catalog.Order{catalog.ByName, catalog.BySize, catalog.ByUpdated, catalog.ByCreated}

func testListing(t *testing.T, s *store.Store) {
	t.Run("an empty or missing folder is an empty page", func(t *testing.T) {
		h := NewHome(t, s, -1)
		for _, parent := range []core.NodeID{h.Root.ID, 0, 1 << 60} {
			got, err := h.Names.Children(h.Ctx, catalog.Query{Parent: parent, Order: catalog.ByName, Limit: 10})
			h.Must(err)
			if got == nil || len(got) != 0 {
				t.Errorf("children of %d: %v, want an empty slice", parent, got)
			}
		}
	})
	t.Run("an order that does not exist is refused", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: "id; DROP TABLE nodes", Limit: 10})
		want(t, err, errs.Invalid, errs.BadParam)
	})
	t.Run("names sort by bytes on every engine", func(t *testing.T) {
		h := NewHome(t, s, -1)
		names := []string{"B", "a", "Z", "ä", "_", "10", "9", "-", "\U0001f600", "\uffee"}
		for _, n := range names {
			h.Add(h.Root.ID, n, catalog.File)
		}
		slices.Sort(names)
		got, err := h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: catalog.ByName, Limit: 100})
		h.Must(err)
		var have []string
		for _, n := range got {
			have = append(have, n.Name)
		}
		equal(t, "names", have, names)
	})
	t.Run("no limit, no page", func(t *testing.T) {
		h := NewHome(t, s, -1)
		h.Add(h.Root.ID, "a", catalog.File)
		got, err := h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: catalog.ByName})
		h.Must(err)
		equal(t, "page", len(got), 0)
	})
	t.Run("pages go on after a node that is gone", func(t *testing.T) {
		h := NewHome(t, s, -1)
		a, b := h.Add(h.Root.ID, "a", catalog.Folder), h.Add(h.Root.ID, "b", catalog.File)
		_, err := h.Names.RemoveTree(h.Ctx, a.ID, Epoch)
		h.Must(err)
		got, err := h.Names.Children(h.Ctx, catalog.Query{Parent: h.Root.ID, Order: catalog.ByName, After: &a, Limit: 10})
		h.Must(err)
		equal(t, "page", ids(got), []core.NodeID{b.ID})
	})
	t.Run("paging beside inserts shows each old node once", func(t *testing.T) { testListingBesideInserts(t, s) })
}

// compare is the order of a listing, in memory.
func compare(o catalog.Order, desc bool) func(a, b catalog.Node) int {
	return func(a, b catalog.Node) int {
		var c int
		switch o {
		case catalog.ByName:
			c = cmp.Compare(a.Key, b.Key)
		case catalog.BySize:
			c = cmp.Compare(a.Size, b.Size)
		case catalog.ByUpdated:
			c = a.Updated.Compare(b.Updated)
		case catalog.ByCreated:
			c = a.Created.Compare(b.Created)
		}
		c = cmp.Or(c, cmp.Compare(a.ID, b.ID))
		if desc {
			c = -c
		}
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), c)
	}
}

// byNumber checks that pages that are asked for by what lies before them are those
// of the whole.
func (h *Home) byNumber(q catalog.Query, all []catalog.Node) {
	h.T.Helper()
	q.After = nil
	for at := 0; at <= len(all); at += q.Limit {
		q.Skip = int64(at)
		page, err := h.Names.Children(h.Ctx, q)
		h.Must(err)
		equal(h.T, fmt.Sprintf("past %d", at), ids(page), ids(all[at:min(at+q.Limit, len(all))]))
	}
}

// pages lists a folder page by page.
func (h *Home) pages(q catalog.Query) []catalog.Node {
	h.T.Helper()
	var all []catalog.Node
	for {
		page, err := h.Names.Children(h.Ctx, q)
		h.Must(err)
		if len(page) > q.Limit {
			h.T.Fatalf("a page of %d has %d", q.Limit, len(page))
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		q.After = &page[len(page)-1]
	}
}

func testListingModel(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	rapid.Check(t, func(rt *rapid.T) {
		dir := h.Add(h.Root.ID, core.NewUUID(), catalog.Folder)
		few := rapid.Int64Range(0, 3) // so that most are equal
		var nodes []catalog.Node
		for i := range rapid.IntRange(0, 25).Draw(rt, "nodes") {
			name := fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"a", "B", "é", "_"}).Draw(rt, "name"), i)
			n := h.New(dir.ID, name, catalog.Kind(rapid.Int64Range(0, 1).Draw(rt, "kind")))
			n.Size = few.Draw(rt, "size")
			n.Created = Epoch.Add(time.Duration(few.Draw(rt, "created")) * time.Microsecond)
			n.Updated = Epoch.Add(time.Duration(few.Draw(rt, "updated")) * time.Microsecond)
			nodes = append(nodes, n)
		}
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			for _, n := range nodes {
				if err := tx.InsertNode(h.Ctx, n); err != nil {
					return err
				}
			}
			return nil
		}))
		limit := rapid.IntRange(1, 30).Draw(rt, "limit")
		order, desc := rapid.SampledFrom(orders).Draw(rt, "order"), rapid.Bool().Draw(rt, "desc")
		slices.SortFunc(nodes, compare(order, desc))
		q := catalog.Query{Parent: dir.ID, Order: order, Desc: desc, Limit: limit}
		h.byNumber(q, nodes)
		got := h.pages(q)
		if !slices.Equal(ids(got), ids(nodes)) {
			rt.Fatalf("by %s, desc %v, pages of %d: %v, want %v", order, desc, limit, ids(got), ids(nodes))
		}
	})
}

func testListingBesideInserts(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	old := map[core.NodeID]bool{}
	for i := range 60 {
		old[h.Add(h.Root.ID, fmt.Sprintf("%03d", i*7%60), catalog.Kind(i%2)).ID] = true
	}
	var fresh []catalog.Node
	for i := range 60 {
		fresh = append(fresh, h.New(h.Root.ID, fmt.Sprintf("%03d-new", i*11%60), catalog.Kind(i%2)))
	}
	var writers sync.WaitGroup
	writers.Go(func() {
		for _, n := range fresh {
			if err := h.Names.InsertNode(h.Ctx, n); err != nil {
				t.Error(err)
			}
		}
	})
	for _, order := range orders {
		for _, desc := range []bool{false, true} {
			seen := map[core.NodeID]int{}
			for _, n := range h.pages(catalog.Query{Parent: h.Root.ID, Order: order, Desc: desc, Limit: 7}) {
				seen[n.ID]++
			}
			for id := range old {
				if seen[id] != 1 {
					t.Errorf("by %s, desc %v: node %d was listed %d times", order, desc, id, seen[id])
				}
			}
		}
	}
	writers.Wait()
}
