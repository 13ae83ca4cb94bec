package app

import (
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	thumbdoor "github.com/wharfinger/wharfinger/internal/door/thumb"
	"github.com/wharfinger/wharfinger/internal/search"
	"github.com/wharfinger/wharfinger/internal/store/watched"
	"github.com/wharfinger/wharfinger/internal/thumb"
)

// names is the store for all who write names: those who listen are told.
func (b *Base) names() catalog.Store { return watched.Catalog(b.store.Catalog(), b.hub) }

func (b *Base) finder() *search.Finder {
	return search.New(search.Options{Catalog: b.catalog, Tree: b.store.Catalog(), Clock: b.cfg.Clock})
}

func (b *Base) thumbs(front *desk.Desk, signer *auth.Signer) *thumbdoor.Door {
	return thumbdoor.New(thumbdoor.Options{
		Desk: front, Catalog: b.catalog, Signer: signer, Maker: thumb.New(thumb.Options{Open: b.catalog.OpenVersion}),
	})
}
