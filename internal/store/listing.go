package store

import (
	"context"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// A page of a folder is read in runs over an index of (parent, kind, what it is
// sorted by, id), from the last node of the page before. Folders come first in
// either direction, so they are runs of their own. The id makes the order total:
// first come the nodes that are equal to the last one but have a later id, then
// those past it. That is two runs and not one condition (x, id) > (?, ?) because
// SQLite enters an index by the first column of it only and would read all that
// are equal. Nothing that a client sends becomes part of the text.

const nodeColumns = "id, owner, parent, name, name_key, kind, size, version, created_us, updated_us, meta, session, rev"

// sorting is a column to sort by, with its value in a node.
type sorting struct {
	column string
	of     func(*catalog.Node) any
}

var sortings = map[catalog.Order]sorting{
	catalog.ByName:    {"name_key", func(n *catalog.Node) any { return n.Key }},
	catalog.BySize:    {"size", func(n *catalog.Node) any { return n.Size }},
	catalog.ByUpdated: {"updated_us", func(n *catalog.Node) any { return micros(n.Updated) }},
	catalog.ByCreated: {"created_us", func(n *catalog.Node) any { return micros(n.Created) }},
}

// stretch says where a run lies.
type stretch int

const (
	whole stretch = iota // all nodes of the kind
	equal                // those equal to after, with a later id
	past                 // those past after
)

// run is one stretch of a listing, of nodes of one kind.
type run struct {
	sorting
	stretch
	parent int64
	kind   catalog.Kind
	desc   bool
	after  *catalog.Node
	skip   int64
	limit  int
}

func (r run) text() (string, []any) {
	dir, later := "ASC", ">"
	if r.desc {
		dir, later = "DESC", "<"
	}
	text := "SELECT " + nodeColumns + " FROM nodes WHERE parent = $1 AND kind = $2"
	args := []any{r.parent, int64(r.kind)}
	order := r.column + " " + dir + ", id " + dir
	switch r.stretch {
	case equal:
		text += " AND " + r.column + " = $3 AND id " + later + " $4"
		args = append(args, r.of(r.after), int64(r.after.ID))
		order = "id " + dir
	case past:
		text += " AND " + r.column + " " + later + " $3"
		args = append(args, r.of(r.after))
	case whole:
	}
	args = append(args, int64(r.limit))
	text += " ORDER BY " + order + " LIMIT $" + strconv.Itoa(len(args))
	if r.skip > 0 {
		args = append(args, r.skip)
		text += " OFFSET $" + strconv.Itoa(len(args))
	}
	return text, args
}

// runs are what a page is read from, until it is full.
func runs(q catalog.Query, by sorting) []run {
	r := run{sorting: by, parent: int64(q.Parent), desc: q.Desc, after: q.After}
	folders, files := r, r
	folders.kind, files.kind = catalog.Folder, catalog.File
	if q.After == nil {
		return []run{folders, files}
	}
	r.kind = q.After.Kind
	same, rest := r, r
	same.stretch, rest.stretch = equal, past
	if r.kind == catalog.Folder {
		return []run{same, rest, files}
	}
	return []run{same, rest}
}

// Children implements catalog.Tree.
func (t *tx) Children(ctx context.Context, q catalog.Query) ([]catalog.Node, error) {
	const op = "store.Children"
	by, ok := sortings[q.Order]
	if !ok {
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "There is no order %q.", q.Order).At(op)
	}
	page := []catalog.Node{}
	for _, r := range runs(q, by) {
		if r.limit = q.Limit - len(page); r.limit <= 0 {
			break
		}
		var err error
		if q.Skip, r.skip, err = t.skip(ctx, r, q.Skip); err != nil {
			return nil, t.fail(op, err)
		}
		if page, err = t.appendRun(ctx, page, r); err != nil {
			return nil, t.fail(op, err)
		}
	}
	return page, nil
}

// skip says how many of a run are left out when so many are of the whole listing,
// and how many then are of the next.
func (t *tx) skip(ctx context.Context, r run, n int64) (rest, here int64, err error) {
	if n <= 0 || r.stretch != whole || r.kind != catalog.Folder {
		return 0, max(n, 0), nil
	}
	folders, err := t.q.CountKind(ctx, query.CountKindParams{Parent: r.parent, Kind: int64(r.kind)})
	return max(n-folders, 0), min(n, folders), err
}

func (t *tx) appendRun(ctx context.Context, page []catalog.Node, r run) ([]catalog.Node, error) {
	text, args := r.text()
	rows, err := t.db.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n query.Node
		if err := rows.Scan(&n.ID, &n.Owner, &n.Parent, &n.Name, &n.NameKey, &n.Kind, &n.Size, &n.Version,
			&n.CreatedUs, &n.UpdatedUs, &n.Meta, &n.Session, &n.Rev); err != nil {
			return nil, err
		}
		node, err := toNode(n)
		if err != nil {
			return nil, err
		}
		page = append(page, node)
	}
	return page, rows.Err()
}
