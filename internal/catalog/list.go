package catalog

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Page sizes of a listing.
const (
	DefaultPage = 100
	MaxPage     = 2000
)

// ListQuery asks for one page of a folder. After is the last node of the page
// before, nil for the first. Page is for clients that know nothing but numbers:
// they are told how many there are in all, and a late page costs more than an
// early one.
type ListQuery struct {
	Order Order
	Desc  bool
	After *Node
	Page  int64 // from 0; counts without After only
	Limit int
}

// Listing is one page of a folder. More says that another page follows; Damaged
// are the files whose bytes were found missing or changed. What a search found has
// its folder in In, below Parent; Limited says that it did not look everywhere.
type Listing struct {
	Parent  Node
	Nodes   []Node
	More    bool
	Damaged []core.NodeID
	Page    int64 // its number, where it was asked for by that, and
	Total   int64 // how many nodes all pages have; else 0
	Single  bool  // a share of one file: Nodes is that file, and no folder holds it
	In      []core.Path
	Limited bool
}

// List returns one page of the folder at ref. NotFound/path_missing for a file,
// unless it is what a share opens.
func (c *Catalog) List(ctx context.Context, who core.Actor, ref Ref, q ListQuery) (Listing, error) {
	const op = "catalog.List"
	parent, err := c.Look(ctx, who, ref)
	if err != nil {
		return Listing{}, errs.Wrap(op, err)
	}
	if parent.Kind == File && ref.Share != nil && ref.Path.IsRoot() {
		return Listing{Nodes: []Node{parent}, Single: true}, nil
	}
	if parent.Kind != Folder {
		return Listing{}, errs.Newf(errs.NotFound, errs.PathMissing, "%s is a file.", ref.Path).At(op)
	}
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultPage
	}
	limit = min(limit, MaxPage)
	order := q.Order
	switch order {
	case ByName, BySize, ByUpdated, ByCreated:
	default:
		order = ByName
	}
	by := Query{Parent: parent.ID, Order: order, Desc: q.Desc, After: q.After, Limit: limit + 1}
	var page, total int64
	if q.After == nil && q.Page > 0 {
		page = q.Page
		if total, err = c.store.CountChildren(ctx, parent.ID); err != nil {
			return Listing{}, errs.Wrap(op, err)
		}
		by.Skip = min(page, total) * int64(limit)
	}
	nodes, err := c.store.Children(ctx, by)
	if err != nil {
		return Listing{}, errs.Wrap(op, err)
	}
	damaged, err := c.store.DamagedIn(ctx, parent.Owner, parent.ID)
	if err != nil {
		return Listing{}, errs.Wrap(op, err)
	}
	l := Listing{Parent: parent, Nodes: nodes, Damaged: damaged, Page: page, Total: total}
	if len(nodes) > limit {
		l.Nodes, l.More = nodes[:limit], true
	}
	return l, nil
}

// Summary counts what is below a folder.
func (c *Catalog) Summary(ctx context.Context, n Node) (Summary, error) {
	const op = "catalog.Summary"
	s, err := c.store.Summary(ctx, n.ID)
	return s, errs.Wrap(op, err)
}

// VersionsOf returns the versions of a node that was found for its owner.
func (c *Catalog) VersionsOf(ctx context.Context, n Node) ([]Version, error) {
	const op = "catalog.VersionsOf"
	vs, err := c.store.VersionsOf(ctx, n.ID)
	return vs, errs.Wrap(op, err)
}
