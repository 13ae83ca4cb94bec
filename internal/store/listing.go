package store

import (
	"context"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// A page of a folder is read in one run over an index of (parent, kind, what it
// is sorted by, id), from the last node of the page before. Folders come first
// in either direction, so they are a run of their own. The id makes the order
// total. Nothing that a client sends becomes part of the text.

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

// run is one stretch of a listing: the nodes of one kind, from after on.
type run struct {
	sorting
	parent int64
	kind   catalog.Kind
	desc   bool
	after  *catalog.Node
	limit  int
}

func (r run) text() (string, []any) {
	dir, past := "ASC", ">"
	if r.desc {
		dir, past = "DESC", "<"
	}
	text := "SELECT " + nodeColumns + " FROM nodes WHERE parent = $1 AND kind = $2"
	args := []any{r.parent, int64(r.kind)}
	if r.after != nil {
		text += " AND (" + r.column + ", id) " + past + " ($3, $4)"
		args = append(args, r.of(r.after), int64(r.after.ID))
	}
	args = append(args, int64(r.limit))
	text += " ORDER BY " + r.column + " " + dir + ", id " + dir + " LIMIT $" + strconv.Itoa(len(args))
	return text, args
}

// Children implements catalog.Tree.
func (t *tx) Children(ctx context.Context, q catalog.Query) ([]catalog.Node, error) {
	const op = "store.Children"
	by, ok := sortings[q.Order]
	if !ok {
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "There is no order %q.", q.Order).At(op)
	}
	page := []catalog.Node{}
	for _, kind := range []catalog.Kind{catalog.Folder, catalog.File} {
		r := run{sorting: by, parent: int64(q.Parent), kind: kind, desc: q.Desc, limit: q.Limit - len(page)}
		if q.After != nil {
			if kind == catalog.Folder && q.After.Kind == catalog.File {
				continue // the folders were all before it
			}
			if kind == q.After.Kind {
				r.after = q.After
			}
		}
		if r.limit <= 0 {
			break
		}
		var err error
		if page, err = t.appendRun(ctx, page, r); err != nil {
			return nil, t.fail(op, err)
		}
	}
	return page, nil
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
