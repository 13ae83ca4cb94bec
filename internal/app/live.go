package app

import (
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/search"
	"github.com/wharfinger/wharfinger/internal/store/watched"
)

// names is the store for all who write names: those who listen are told.
func (b *Base) names() catalog.Store { return watched.Catalog(b.store.Catalog(), b.hub) }

func (b *Base) finder() *search.Finder {
	return search.New(search.Options{Catalog: b.catalog, Tree: b.store.Catalog(), Clock: b.cfg.Clock})
}
