package app

import (
	rules "github.com/wharfinger/wharfinger/internal/address"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	addressdoor "github.com/wharfinger/wharfinger/internal/door/address"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/door/rest"
	thumbdoor "github.com/wharfinger/wharfinger/internal/door/thumb"
	"github.com/wharfinger/wharfinger/internal/search"
	"github.com/wharfinger/wharfinger/internal/store/addresses"
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

func (b *Base) addresses(front *desk.Desk, files *rest.Door) *addressdoor.Door {
	return addressdoor.New(addressdoor.Options{
		Desk: front, Catalog: b.catalog, Send: files.SendLasting, Book: rules.New(rules.Options{
			Store: addresses.Over(b.store), Tree: b.store.Catalog(), Catalog: b.catalog, Clock: b.cfg.Clock,
		}),
	})
}
