package store

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) HiddenRoot(ctx context.Context, owner core.UserID, key string) (catalog.Node, error) {
	const op = "store.HiddenRoot"
	r, err := t.q.HiddenRoot(ctx, query.HiddenRootParams{Owner: int64(owner), NameKey: key})
	return t.node(op, r, err)
}

// node is the end of a query of one node.
func (t *tx) node(op string, r query.Node, err error) (catalog.Node, error) {
	if err != nil {
		return catalog.Node{}, t.found(op, err, errs.PathMissing)
	}
	n, err := toNode(r)
	return n, t.fail(op, err)
}

func (t *tx) AddHiddenRoot(ctx context.Context, n catalog.Node) error {
	const op = "store.AddHiddenRoot"
	_, err := t.q.InsertHiddenRoot(ctx, query.InsertHiddenRootParams{
		ID: int64(n.ID), Owner: int64(n.Owner), NameKey: n.Key, CreatedUs: micros(n.Created),
	})
	return t.fail(op, err)
}

func (t *tx) MarkDue(ctx context.Context, id core.NodeID, token string, at time.Time) error {
	const op = "store.MarkDue"
	return t.fail(op, t.q.AddTrashed(ctx, query.AddTrashedParams{Node: int64(id), Token: token, DueUs: micros(at)}))
}

func (t *tx) ClearDue(ctx context.Context, id core.NodeID) error {
	const op = "store.ClearDue"
	return t.fail(op, t.q.DropTrashed(ctx, int64(id)))
}

func (t *tx) DueByToken(ctx context.Context, token string) (catalog.Node, error) {
	const op = "store.DueByToken"
	r, err := t.q.Trashed(ctx, token)
	return t.node(op, r, err)
}

func (t *tx) DueBefore(ctx context.Context, at time.Time, limit int) ([]catalog.Node, error) {
	const op = "store.DueBefore"
	rows, err := t.q.DueTrash(ctx, query.DueTrashParams{BeforeUs: micros(at), Lim: int64(max(limit, 0))})
	if err != nil {
		return nil, t.fail(op, err)
	}
	nodes, err := each(rows, toNode)
	return nodes, t.fail(op, err)
}

func (t *tx) FoldersBelow(ctx context.Context, id core.NodeID) (int, error) {
	const op = "store.FoldersBelow"
	n, err := t.q.FoldersBelow(ctx, int64(id))
	return int(n), t.fail(op, err)
}

func (t *tx) CountBelow(ctx context.Context, id core.NodeID, limit int) (int, error) {
	const op = "store.CountBelow"
	if _, err := t.Node(ctx, id); err != nil {
		if errs.Is(err, errs.NotFound) {
			err = nil
		}
		return 0, errs.Wrap(op, err)
	}
	// Not one statement for the whole tree: SQLite would read all that is in a folder,
	// however few of them are wanted.
	count := 1
	for folders := []core.NodeID{id}; len(folders) > 0 && count < limit; folders = folders[1:] {
		in, err := t.q.ChildKinds(ctx, query.ChildKindsParams{Parent: fromParent(folders[0]), Lim: int64(limit - count)})
		if err != nil {
			return 0, t.fail(op, err)
		}
		count += len(in)
		for _, n := range in {
			if catalog.Kind(n.Kind) == catalog.Folder {
				folders = append(folders, core.NodeID(n.ID))
			}
		}
	}
	return count, nil
}

func (t *tx) Child(ctx context.Context, id core.NodeID, key string) (catalog.Node, error) {
	const op = "store.Child"
	r, err := t.child(ctx, query.ChildParams{Parent: fromParent(id), NameKey: key})
	return t.node(op, r, err)
}

func (t *tx) CountChildren(ctx context.Context, id core.NodeID) (int64, error) {
	const op = "store.CountChildren"
	n, err := t.q.CountChildren(ctx, int64(id))
	return n, t.fail(op, err)
}

func (t *tx) HoldVersions(ctx context.Context, id core.NodeID) ([]catalog.Version, error) {
	const op = "store.HoldVersions"
	rows, err := t.q.HoldVersions(ctx, int64(id))
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toVersion))
}
