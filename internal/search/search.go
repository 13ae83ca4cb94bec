package search

import (
	"cmp"
	"container/heap"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// What one search may cost.
const (
	maxNodes   = 200_000 // looked at
	maxFolders = 10_000  // read
	patience   = 5 * time.Second
	pageSize   = 1000 // nodes read at once
)

// How many searches run at once.
const (
	maxRunning     = 8
	maxRunningEach = 3 // of one user
)

// Tree is what a search reads.
type Tree interface {
	// Children is that of catalog.Tree.
	Children(ctx context.Context, q catalog.Query) ([]catalog.Node, error)
}

// Options are what a Finder is made of; all are needed.
type Options struct {
	Catalog *catalog.Catalog
	Tree    Tree
	Clock   core.Clock
}

// Finder searches.
type Finder struct {
	Options
	mu      sync.Mutex
	all     int
	running map[core.UserID]int
}

// New returns the finder over o.
func New(o Options) *Finder { return &Finder{Options: o, running: map[core.UserID]int{}} }

// List returns one page of what by asks for below the folder at ref, in the order
// of q. A query that asks for nothing is the listing of the folder.
// Invalid/bad_param for one that cannot be read; Transient/overload when too many
// searches run.
func (f *Finder) List(ctx context.Context, who core.Actor, ref catalog.Ref, by url.Values, q catalog.ListQuery) (catalog.Listing, error) {
	const op = "search.List"
	terms, err := Parse(by)
	if err != nil {
		return catalog.Listing{}, errs.Wrap(op, err)
	}
	if terms == nil {
		return f.Catalog.List(ctx, who, ref, q)
	}
	first := q
	first.After, first.Limit = nil, 1
	at, err := f.Catalog.List(ctx, who, ref, first) // who may list the folder may search it
	if err != nil {
		return catalog.Listing{}, errs.Wrap(op, err)
	}
	if at.Single {
		return at, nil
	}
	leave, err := f.enter(who.User)
	if err != nil {
		return catalog.Listing{}, errs.Wrap(op, err)
	}
	defer leave()
	w := walk{tree: f.Tree, terms: terms, clock: f.Clock, page: newPage(q)}
	if err := w.run(ctx, at.Parent); err != nil {
		return catalog.Listing{}, errs.Wrap(op, err)
	}
	return w.listing(at.Parent), nil
}

// enter takes a place among the searches that run.
func (f *Finder) enter(who core.UserID) (leave func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all >= maxRunning || f.running[who] >= maxRunningEach {
		return nil, errs.Newf(errs.Transient, errs.Overload, "Too many searches run at once. Try again in a moment.")
	}
	f.all++
	f.running[who]++
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all--
		if f.running[who]--; f.running[who] == 0 {
			delete(f.running, who)
		}
	}, nil
}

// walk is one search on its way.
type walk struct {
	tree  Tree
	terms *Terms
	clock core.Clock
	page  *page

	nodes, folders int
	limited        bool // there was more than may be looked at
}

// spot is a folder that is still to be read. Its path is the names up to the folder
// that is searched: a path of its own for each would be long for deep ones.
type spot struct {
	id   core.NodeID
	name string
	up   *spot
}

// path of a folder below the one that is searched.
func (s *spot) path() core.Path {
	if s.up == nil {
		return core.Root
	}
	return s.up.path().Join(s.name)
}

func (w *walk) run(ctx context.Context, root catalog.Node) error {
	until := w.clock().Add(patience)
	for next := []*spot{{id: root.ID}}; len(next) > 0; next = next[1:] {
		if w.folders++; w.folders > maxFolders || w.clock().After(until) {
			w.limited = true
		}
		if w.limited {
			return nil
		}
		below, err := w.folder(ctx, next[0])
		if err != nil {
			return err
		}
		next = append(next, below...)
	}
	return nil
}

// folder looks at all nodes of one folder and returns the folders among them.
func (w *walk) folder(ctx context.Context, s *spot) (below []*spot, err error) {
	q := catalog.Query{Parent: s.id, Order: catalog.ByName, Limit: pageSize}
	for {
		nodes, err := w.tree.Children(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range nodes {
			n := &nodes[i]
			if w.nodes++; w.nodes > maxNodes {
				w.limited = true
				return nil, nil
			}
			if w.terms.Match(n) {
				w.page.offer(*n, s)
			}
			if n.Kind == catalog.Folder && len(below)+w.folders <= maxFolders {
				below = append(below, &spot{id: n.ID, name: n.Name, up: s})
			}
		}
		if len(nodes) < pageSize {
			return below, nil
		}
		q.After = &nodes[len(nodes)-1]
	}
}

func (w *walk) listing(parent catalog.Node) catalog.Listing {
	l := catalog.Listing{Parent: parent, Nodes: []catalog.Node{}, In: []core.Path{}, Limited: w.limited}
	hits := w.page.hits
	slices.SortFunc(hits, func(a, b hit) int { return w.page.compare(&a.node, &b.node) })
	if l.More = len(hits) > w.page.limit; l.More {
		hits = hits[:w.page.limit]
	}
	for _, h := range hits {
		l.Nodes, l.In = append(l.Nodes, h.node), append(l.In, h.in.path())
	}
	return l
}

type hit struct {
	node catalog.Node
	in   *spot
}

// page keeps the first limit+1 of what it is offered, of those past after. It is a
// heap whose top is the last of them.
type page struct {
	hits  []hit
	limit int
	after *catalog.Node
	less  func(a, b *catalog.Node) int
	desc  bool
}

// orders compare by what a listing is sorted by.
var orders = map[catalog.Order]func(a, b *catalog.Node) int{
	catalog.ByName:    func(a, b *catalog.Node) int { return strings.Compare(a.Key, b.Key) },
	catalog.BySize:    func(a, b *catalog.Node) int { return cmp.Compare(a.Size, b.Size) },
	catalog.ByUpdated: func(a, b *catalog.Node) int { return a.Updated.Compare(b.Updated) },
	catalog.ByCreated: func(a, b *catalog.Node) int { return a.Created.Compare(b.Created) },
}

func newPage(q catalog.ListQuery) *page {
	p := &page{limit: q.Limit, after: q.After, desc: q.Desc, less: orders[q.Order]}
	if p.limit <= 0 {
		p.limit = catalog.DefaultPage
	}
	p.limit = min(p.limit, catalog.MaxPage)
	if p.less == nil {
		p.less = orders[catalog.ByName]
	}
	return p
}

// compare is the order of listings: folders first, then what is asked for, then
// the ids.
func (p *page) compare(a, b *catalog.Node) int {
	if a.Kind != b.Kind {
		return cmp.Compare(b.Kind, a.Kind)
	}
	c := cmp.Or(p.less(a, b), cmp.Compare(a.ID, b.ID))
	if p.desc {
		return -c
	}
	return c
}

func (p *page) offer(n catalog.Node, in *spot) {
	switch {
	case p.after != nil && p.compare(&n, p.after) <= 0:
	case len(p.hits) <= p.limit:
		heap.Push(p, hit{n, in})
	case p.compare(&n, &p.hits[0].node) < 0:
		p.hits[0] = hit{n, in}
		heap.Fix(p, 0)
	}
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (p *page) Len() int           { return len(p.hits) }
func (p *page) Less(i, j int) bool { return p.compare(&p.hits[i].node, &p.hits[j].node) > 0 }
func (p *page) Swap(i, j int)      { p.hits[i], p.hits[j] = p.hits[j], p.hits[i] }
func (p *page) Push(x any)         { p.hits = append(p.hits, x.(hit)) } //nolint:errcheck // the heap pushes hits alone
func (p *page) Pop() any {
	last := p.hits[len(p.hits)-1]
	p.hits = p.hits[:len(p.hits)-1]
	return last
}
