package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func onBoth(b *testing.B, fn func(*testing.B, *storetest.Home)) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) { fn(b, storetest.NewHome(b, open(b), -1)) })
	}
}

// Parallel callers are what the group commit is for.
const callers = 32

func BenchmarkAddPart(b *testing.B) {
	onBoth(b, func(b *testing.B, h *storetest.Home) {
		sessions := make([]core.SessionID, callers)
		for i := range sessions {
			sessions[i] = h.AddSession(0).ID
		}
		var next atomic.Int64
		b.SetParallelism(callers)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				i := next.Add(1)
				_, err := h.Store.Upload().AddPart(h.Ctx, sessions[i%callers], upload.Part{
					Range: core.Range{From: i * 10, To: i*10 + 10}, At: storetest.Epoch,
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkInsertNode(b *testing.B) {
	onBoth(b, func(b *testing.B, h *storetest.Home) {
		b.SetParallelism(callers)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				id, err := h.Names.MintID(h.Ctx)
				if err == nil {
					name := fmt.Sprint(id)
					err = h.Names.InsertNode(h.Ctx, catalog.Node{
						ID: core.NodeID(id), Owner: h.User.ID, Parent: h.Root.ID, Name: name, Key: name,
						Created: storetest.Epoch, Updated: storetest.Epoch,
					})
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func BenchmarkWalk(b *testing.B) {
	onBoth(b, func(b *testing.B, h *storetest.Home) {
		at, keys := h.Root, []string{}
		for i := range 8 {
			at = h.Add(at.ID, fmt.Sprint(i), catalog.Folder)
			keys = append(keys, at.Key)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.Names.Walk(h.Ctx, h.User.ID, keys); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkChildren(b *testing.B) {
	for _, size := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			onBoth(b, func(b *testing.B, h *storetest.Home) {
				crowd(h, size)
				for name, after := range map[string]*catalog.Node{"first": nil, "deep": middle(h, size)} {
					b.Run(name, func(b *testing.B) {
						q := catalog.Query{Parent: h.Root.ID, Order: catalog.BySize, After: after, Limit: 100}
						b.ReportAllocs()
						for b.Loop() {
							if _, err := h.Names.Children(h.Ctx, q); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			})
		})
	}
}
