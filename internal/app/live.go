package app

import "github.com/wharfinger/wharfinger/internal/search"

func (b *Base) finder() *search.Finder {
	return search.New(search.Options{Catalog: b.catalog, Tree: b.store.Catalog(), Clock: b.cfg.Clock})
}
