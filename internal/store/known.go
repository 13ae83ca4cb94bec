package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// known are the rows that every upload asks for and that hardly ever change: of
// users all but the columns of the ledger, which nobody reads from it. It
// lives on SQLite's only writing connection, so nothing in it can be older than
// the transaction that reads it:
//
//   - every write of this process comes through that connection, and those to
//     these tables make it forget;
//   - a write of another process changes PRAGMA data_version, which is compared
//     inside each transaction, when no other process can write;
//   - what was undone may have been read: any rollback makes it forget.
type known struct {
	version  int64 // PRAGMA data_version; differs from connection to connection
	groups   map[int64]query.Group
	policies map[int64]query.Policy
	users    map[int64]query.User
	roots    map[int64]query.Node
	folders  map[query.ChildParams]query.Node
}

// mostKnown bounds each map.
const mostKnown = 1024

func (k *known) forget() {
	if k == nil {
		return
	}
	clear(k.groups)
	clear(k.policies)
	clear(k.users)
	clear(k.roots)
	clear(k.folders)
}

// check forgets everything if another process has written.
func (k *known) check(ctx context.Context, db query.DBTX) error {
	var now int64
	if err := db.QueryRowContext(ctx, "PRAGMA data_version").Scan(&now); err != nil {
		return err
	}
	if now != k.version {
		k.forget()
		k.version = now
	}
	return nil
}

func (t *tx) user(ctx context.Context, id int64) (query.User, error) {
	if t.known == nil {
		return t.q.User(ctx, id)
	}
	return recall(ctx, &t.known.users, id, t.q.User)
}

func (t *tx) group(ctx context.Context, id int64) (query.Group, error) {
	if t.known == nil {
		return t.q.Group(ctx, id)
	}
	return recall(ctx, &t.known.groups, id, t.q.Group)
}

func (t *tx) policy(ctx context.Context, id int64) (query.Policy, error) {
	if t.known == nil {
		return t.q.Policy(ctx, id)
	}
	return recall(ctx, &t.known.policies, id, t.q.Policy)
}

func (t *tx) root(ctx context.Context, owner int64) (query.Node, error) {
	if t.known == nil {
		return t.q.Root(ctx, owner)
	}
	return recall(ctx, &t.known.roots, owner, t.q.Root)
}

// child answers folders from memory; the names of files are too many.
func (t *tx) child(ctx context.Context, at query.ChildParams) (query.Node, error) {
	if t.known == nil {
		return t.q.Child(ctx, at)
	}
	if n, ok := t.known.folders[at]; ok {
		return n, nil
	}
	n, err := t.q.Child(ctx, at)
	if err != nil || catalog.Kind(n.Kind) != catalog.Folder {
		return n, err
	}
	if t.known.folders == nil || len(t.known.folders) >= mostKnown {
		t.known.folders = map[query.ChildParams]query.Node{}
	}
	t.known.folders[at] = n
	return n, nil
}

// recall answers from m, or asks and remembers.
func recall[R any](ctx context.Context, m *map[int64]R, id int64, ask func(context.Context, int64) (R, error)) (R, error) {
	if r, ok := (*m)[id]; ok {
		return r, nil
	}
	r, err := ask(ctx, id)
	if err != nil {
		return r, err
	}
	if *m == nil || len(*m) >= mostKnown {
		*m = map[int64]R{}
	}
	(*m)[id] = r
	return r, nil
}
