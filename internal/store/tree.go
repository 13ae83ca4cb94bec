package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) Node(ctx context.Context, id core.NodeID) (catalog.Node, error) {
	const op = "store.Node"
	r, err := t.q.Node(ctx, int64(id))
	if err != nil {
		return catalog.Node{}, t.found(op, err, errs.PathMissing)
	}
	n, err := toNode(r)
	return n, t.fail(op, err)
}

// Walk looks each name up by itself: a lookup is a few microseconds on SQLite,
// and one statement for a whole path would be another text for each depth.
func (t *tx) Walk(ctx context.Context, owner core.UserID, keys []string) ([]catalog.Node, error) {
	const op = "store.Walk"
	r, err := t.root(ctx, int64(owner))
	if dialect.IsNoRows(err) {
		return nil, nil
	}
	nodes := make([]catalog.Node, 0, len(keys)+1)
	for i := 0; ; i++ {
		if err != nil {
			return nil, t.fail(op, err)
		}
		n, err2 := toNode(r)
		if err2 != nil {
			return nil, t.fail(op, err2)
		}
		nodes = append(nodes, n)
		if i == len(keys) || n.Kind != catalog.Folder {
			return nodes, nil
		}
		r, err = t.child(ctx, query.ChildParams{Parent: sql.NullInt64{Int64: r.ID, Valid: true}, NameKey: keys[i]})
		if dialect.IsNoRows(err) {
			return nodes, nil
		}
	}
}

func (t *tx) InsertNode(ctx context.Context, n catalog.Node) error {
	const op = "store.InsertNode"
	rows, err := t.q.InsertNode(ctx, query.InsertNodeParams{
		ID: int64(n.ID), Owner: int64(n.Owner), Parent: int64(n.Parent), Name: n.Name, NameKey: n.Key,
		Kind: int64(n.Kind), Size: n.Size, Version: int64(n.Version), CreatedUs: micros(n.Created),
		UpdatedUs: micros(n.Updated), Meta: toJSON(n.Meta), Session: string(n.Session),
	})
	if err != nil {
		return t.fail(op, err)
	}
	if rows == 1 {
		return nil
	}
	p, err := t.q.Node(ctx, int64(n.Parent))
	if err == nil && (p.Owner != int64(n.Owner) || catalog.Kind(p.Kind) != catalog.Folder) {
		err = sql.ErrNoRows
	}
	if err != nil {
		return t.found(op, err, errs.PathMissing)
	}
	return errs.New(errs.Exists, errs.NameTaken).At(op)
}

func (t *tx) UpdateNode(ctx context.Context, n catalog.Node, was core.Rev) error {
	const op = "store.UpdateNode"
	if n.Kind == catalog.Folder {
		t.known.forget()
	}
	rows, err := t.q.UpdateNode(ctx, query.UpdateNodeParams{
		Parent: fromParent(n.Parent), Name: n.Name, NameKey: n.Key, Kind: int64(n.Kind), Size: n.Size,
		Version: int64(n.Version), CreatedUs: micros(n.Created), UpdatedUs: micros(n.Updated), Meta: toJSON(n.Meta),
		Session: string(n.Session), ID: int64(n.ID), Was: int64(was),
	})
	if err != nil {
		return t.fail(op, err)
	}
	if rows == 1 {
		return nil
	}
	now, err := t.q.Node(ctx, int64(n.ID))
	switch {
	case err != nil && !dialect.IsNoRows(err):
		return t.fail(op, err)
	case err == nil && now.Rev == int64(was):
		return errs.New(errs.Exists, errs.NameTaken).At(op)
	}
	return errs.New(errs.Conflict, errs.Changed).At(op)
}

// RemoveTree takes the rows away from the leaves of the schema upward: versions,
// nodes. On PostgreSQL somebody may add to the tree meanwhile; the last
// statement then breaks a foreign key and everything runs again.
func (t *tx) RemoveTree(ctx context.Context, id core.NodeID, at time.Time) (catalog.Removed, error) {
	const op = "store.RemoveTree"
	t.known.forget()
	versions, err := t.q.RemoveVersionsBelow(ctx, int64(id))
	if err != nil {
		return catalog.Removed{}, t.fail(op, err)
	}
	nodes, err := t.q.RemoveNodesBelow(ctx, int64(id))
	if dialect.IsForeignKey(err) {
		err = &dialect.LostRace{Err: err}
	}
	if err != nil {
		return catalog.Removed{}, t.fail(op, err)
	}
	if nodes == 0 {
		return catalog.Removed{}, errs.New(errs.NotFound, errs.PathMissing).At(op)
	}
	gone := catalog.Removed{Nodes: nodes}
	freed := map[int64]int64{}
	dead := make([]query.Doomed, 0, len(versions))
	for _, v := range versions {
		gone.Bytes += v.Size
		freed[v.Owner] += v.Size
		if v.Blob != "" {
			dead = append(dead, query.Doomed{Policy: v.Policy, Blob: v.Blob, AtUs: micros(at)})
		}
	}
	if err := t.doom(ctx, dead); err != nil {
		return catalog.Removed{}, t.fail(op, err)
	}
	for owner, n := range freed {
		if err := t.unuse(ctx, owner, n); err != nil {
			return catalog.Removed{}, t.fail(op, err)
		}
	}
	return gone, nil
}

func (t *tx) Summary(ctx context.Context, id core.NodeID) (catalog.Summary, error) {
	const op = "store.Summary"
	r, err := t.q.Summary(ctx, int64(id))
	if err == nil && r.Nodes == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return catalog.Summary{}, t.found(op, err, errs.PathMissing)
	}
	return catalog.Summary{Files: r.Files, Folders: r.Folders, Bytes: r.Bytes}, nil
}
