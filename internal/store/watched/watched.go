package watched

import (
	"context"
	"maps"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/event"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Catalog returns s, whose transactions tell hub of what they changed.
func Catalog(s catalog.Store, hub *event.Hub) catalog.Store { return names{s, hub} }

// Upload is Catalog for the engine.
func Upload(s upload.Store, hub *event.Hub) upload.Store { return uploads{s, hub} }

type names struct {
	catalog.Store
	hub *event.Hub
}

// InTx implements catalog.Store.
func (s names) InTx(ctx context.Context, fn func(catalog.Tx) error) error {
	if !s.hub.Anyone() {
		return s.Store.InTx(ctx, fn)
	}
	var seen notes
	err := s.Store.InTx(ctx, func(tx catalog.Tx) error {
		seen = notes{hub: s.hub, by: event.OriginOf(ctx)} // of the last run alone
		return fn(namesTx{tx, &seen})
	})
	return seen.tell(err)
}

// Both is InTx of what Catalog returns, for transactions that hold something more.
func Both[M any](ctx context.Context, hub *event.Hub, in func(context.Context, func(catalog.Tx, M) error) error, fn func(catalog.Tx, M) error) error {
	if !hub.Anyone() {
		return in(ctx, fn)
	}
	var seen notes
	err := in(ctx, func(tx catalog.Tx, more M) error {
		seen = notes{hub: hub, by: event.OriginOf(ctx)}
		return fn(namesTx{tx, &seen}, more)
	})
	return seen.tell(err)
}

type uploads struct {
	upload.Store
	hub *event.Hub
}

// InTx implements upload.Store.
func (s uploads) InTx(ctx context.Context, fn func(upload.Tx) error) error {
	if !s.hub.Anyone() {
		return s.Store.InTx(ctx, fn)
	}
	var seen notes
	err := s.Store.InTx(ctx, func(tx upload.Tx) error {
		seen = notes{hub: s.hub, by: event.OriginOf(ctx)}
		return fn(uploadTx{tx, &seen})
	})
	return seen.tell(err)
}

// Finish implements upload.Express.
func (s uploads) Finish(ctx context.Context, x upload.Session, v catalog.Version, updated time.Time) (bool, error) {
	seen := notes{hub: s.hub, by: event.OriginOf(ctx)}
	ok, err := s.Store.Finish(ctx, x, v, updated)
	if ok && err == nil {
		seen.finished(ctx, s.Store, x)
	}
	return ok, seen.tell(err)
}

type namesTx struct {
	catalog.Tx
	seen *notes
}

func (t namesTx) InsertNode(ctx context.Context, n catalog.Node) error {
	return t.seen.insert(ctx, t.Tx, n)
}

func (t namesTx) UpdateNode(ctx context.Context, n catalog.Node, was core.Rev) error {
	return t.seen.update(ctx, t.Tx, n, was)
}

func (t namesTx) RemoveTree(ctx context.Context, id core.NodeID, at time.Time) (catalog.Removed, error) {
	return t.seen.remove(ctx, t.Tx, id, at)
}

type uploadTx struct {
	upload.Tx
	seen *notes
}

func (t uploadTx) InsertNode(ctx context.Context, n catalog.Node) error {
	return t.seen.insert(ctx, t.Tx, n)
}

func (t uploadTx) UpdateNode(ctx context.Context, n catalog.Node, was core.Rev) error {
	return t.seen.update(ctx, t.Tx, n, was)
}

func (t uploadTx) RemoveTree(ctx context.Context, id core.NodeID, at time.Time) (catalog.Removed, error) {
	return t.seen.remove(ctx, t.Tx, id, at)
}

func (t uploadTx) Finish(ctx context.Context, s upload.Session, v catalog.Version, updated time.Time) (bool, error) {
	ok, err := t.Tx.Finish(ctx, s, v, updated)
	if ok && err == nil {
		t.seen.finished(ctx, t.Tx, s)
	}
	return ok, err
}

// notes are the changes of one run of a transaction. What it cannot find out does
// not fail the transaction: those who listen are told to look at everything.
type notes struct {
	hub   *event.Hub
	by    event.Origin
	users map[core.UserID][]event.Change
}

// tell passes the notes on, if the transaction succeeded.
func (s *notes) tell(err error) error {
	if err == nil {
		for u, changes := range s.users {
			s.hub.Tell(u, changes)
		}
	}
	return err
}

// full reports whether so much was noted that all has to be looked at anyway.
func (s *notes) full(u core.UserID) bool { return len(s.users[u]) > event.MaxWaiting }

func (s *notes) add(u core.UserID, c event.Change) {
	if s.full(u) {
		return
	}
	if s.users == nil {
		s.users = map[core.UserID][]event.Change{}
	}
	c.By = s.by
	s.users[u] = append(s.users[u], c)
}

// flood notes that everything may have changed.
func (s *notes) flood(u core.UserID) {
	for !s.full(u) {
		s.add(u, event.Change{})
	}
}

func (s *notes) wants(u core.UserID) bool { return !s.full(u) && s.hub.Wants(u) }

func (s *notes) insert(ctx context.Context, tx catalog.Tree, n catalog.Node) error {
	err := tx.InsertNode(ctx, n)
	if err == nil && n.Session == "" && s.wants(n.Owner) { // what is yet to be uploaded is told of when it is there
		s.moved(ctx, tx, nil, &n)
	}
	return err
}

func (s *notes) update(ctx context.Context, tx catalog.Tree, n catalog.Node, was core.Rev) error {
	if !s.wants(n.Owner) {
		return tx.UpdateNode(ctx, n, was)
	}
	old, rerr := tx.Node(ctx, n.ID)
	err := tx.UpdateNode(ctx, n, was)
	switch {
	case err != nil:
	case rerr != nil:
		s.flood(n.Owner)
	case old.Parent != n.Parent || old.Name != n.Name:
		s.moved(ctx, tx, &old, &n)
	case old.Version == 0 && old.Session != "" && n.Version != 0:
		s.moved(ctx, tx, nil, &n)
	case old.Version != n.Version || !old.Updated.Equal(n.Updated) || !sameMeta(old.Meta, n.Meta):
		s.at(ctx, tx, n, event.Modified)
	}
	return err
}

// sameMeta compares what clients see.
func sameMeta(a, b map[string]string) bool {
	return maps.Equal(catalog.Node{Meta: a}.Shown(), catalog.Node{Meta: b}.Shown())
}

func (s *notes) remove(ctx context.Context, tx catalog.Tree, id core.NodeID, at time.Time) (catalog.Removed, error) {
	old, err := tx.Node(ctx, id)
	if err != nil || !s.wants(old.Owner) {
		return tx.RemoveTree(ctx, id, at) // whose error says it better
	}
	was := notes{hub: s.hub, by: s.by}
	was.moved(ctx, tx, &old, nil) // its folders are looked up before
	gone, err := tx.RemoveTree(ctx, id, at)
	if err == nil {
		for _, c := range was.users[old.Owner] {
			s.add(old.Owner, c)
		}
	}
	return gone, err
}

func (s *notes) finished(ctx context.Context, tx catalog.Tree, x upload.Session) {
	if !s.wants(x.Owner) {
		return
	}
	n, err := tx.Node(ctx, x.Node)
	if err != nil {
		s.flood(x.Owner)
		return
	}
	s.moved(ctx, tx, nil, &n)
}

// at notes what happened to n where it is, if that is in the drive.
func (s *notes) at(ctx context.Context, tx catalog.Tree, n catalog.Node, kind event.Kind) {
	p, ok, err := where(ctx, tx, n)
	switch {
	case err != nil:
		s.flood(n.Owner)
	case ok:
		s.add(n.Owner, event.Change{Kind: kind, Node: n.ID, From: p, To: p})
	}
}

// moved notes that a node came from one place to another; nil is none.
func (s *notes) moved(ctx context.Context, tx catalog.Tree, from, to *catalog.Node) {
	var was, is core.Path
	var left, came bool
	var err error
	if from != nil {
		was, left, err = where(ctx, tx, *from)
	}
	if to != nil && err == nil {
		is, came, err = where(ctx, tx, *to)
	}
	c := event.Change{Kind: event.Renamed, From: was, To: is}
	n := to
	if n == nil {
		n = from
	}
	c.Node = n.ID
	switch {
	case err != nil:
		s.flood(n.Owner)
		return
	case !left && !came:
		return
	case !left:
		c.Kind, c.From = event.Created, is
	case !came:
		c.Kind, c.To = event.Deleted, was
	}
	s.add(n.Owner, c)
}

// where is the path of n; ok is false in the trash and in other hidden trees.
func where(ctx context.Context, tx catalog.Tree, n catalog.Node) (p core.Path, ok bool, err error) {
	var names []string
	for n.Parent != 0 {
		if len(names) > core.MaxDepth {
			return core.Root, false, errs.New(errs.Internal, errs.StoreFailed).At("watched.where")
		}
		names = append(names, n.Name)
		if n, err = tx.Node(ctx, n.Parent); err != nil {
			return core.Root, false, err
		}
	}
	for i := len(names) - 1; i >= 0; i-- {
		p = p.Join(names[i])
	}
	return p, n.Key == "", nil
}
