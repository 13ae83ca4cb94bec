package store

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// outside answers calls that belong to no transaction: reads through the
// embedded tx, which is bound to the pool of readers, and each write in a
// transaction of its own. A write that is missing here meets a read-only
// connection and fails.
type outside struct {
	*tx
	s *Store
}

// The views differ in nothing but the type of their transactions.
type (
	catalogView struct{ outside }
	uploadView  struct{ outside }
)

var (
	_ catalog.Store = catalogView{}
	_ upload.Store  = uploadView{}
	_ auth.Store    = outside{}
	_ upload.Tx     = (*tx)(nil)
	_ auth.Store    = (*tx)(nil)
)

func (s *Store) outside() outside { return outside{tx: s.reads, s: s} }

// InTx implements catalog.Store.
func (v catalogView) InTx(ctx context.Context, fn func(catalog.Tx) error) error {
	return v.s.write(ctx, func(t *tx) error { return fn(t) })
}

// InTx implements upload.Store.
func (v uploadView) InTx(ctx context.Context, fn func(upload.Tx) error) error {
	return v.s.write(ctx, func(t *tx) error { return fn(t) })
}

func (o outside) MintID(ctx context.Context) (int64, error) { return o.s.mintID(ctx) }

func (o outside) InsertNode(ctx context.Context, n catalog.Node) error {
	return o.s.write(ctx, func(t *tx) error { return t.InsertNode(ctx, n) })
}

func (o outside) UpdateNode(ctx context.Context, n catalog.Node, was core.Rev) error {
	return o.s.write(ctx, func(t *tx) error { return t.UpdateNode(ctx, n, was) })
}

func (o outside) RemoveTree(ctx context.Context, id core.NodeID, at time.Time) (gone catalog.Removed, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		gone, err = t.RemoveTree(ctx, id, at)
		return err
	})
	return gone, err
}

func (o outside) AddVersion(ctx context.Context, v catalog.Version) error {
	return o.s.write(ctx, func(t *tx) error { return t.AddVersion(ctx, v) })
}

func (o outside) DropVersion(ctx context.Context, id core.VersionID, at time.Time) error {
	return o.s.write(ctx, func(t *tx) error { return t.DropVersion(ctx, id, at) })
}

func (o outside) Reserve(ctx context.Context, u core.UserID, n int64) error {
	return o.s.write(ctx, func(t *tx) error { return t.Reserve(ctx, u, n) })
}

func (o outside) Release(ctx context.Context, u core.UserID, n int64) error {
	return o.s.write(ctx, func(t *tx) error { return t.Release(ctx, u, n) })
}

func (o outside) Settle(ctx context.Context, u core.UserID, n int64) error {
	return o.s.write(ctx, func(t *tx) error { return t.Settle(ctx, u, n) })
}

func (o outside) Unlock(ctx context.Context, id core.NodeID, token string) error {
	return o.s.write(ctx, func(t *tx) error { return t.Unlock(ctx, id, token) })
}

func (o outside) Doom(ctx context.Context, b catalog.DoomedBlob) error {
	return o.s.write(ctx, func(t *tx) error { return t.Doom(ctx, b) })
}

func (o outside) Forget(ctx context.Context, b []catalog.DoomedBlob) error {
	return o.s.write(ctx, func(t *tx) error { return t.Forget(ctx, b) })
}

func (o outside) AddUser(ctx context.Context, u catalog.User, root core.NodeID) error {
	return o.s.write(ctx, func(t *tx) error { return t.AddUser(ctx, u, root) })
}

func (o outside) UpdateUser(ctx context.Context, u catalog.User) error {
	return o.s.write(ctx, func(t *tx) error { return t.UpdateUser(ctx, u) })
}

func (o outside) SetPolicy(ctx context.Context, p catalog.Policy, was core.Rev) error {
	return o.s.write(ctx, func(t *tx) error { return t.SetPolicy(ctx, p, was) })
}

func (o outside) AddSession(ctx context.Context, s upload.Session) error {
	return o.s.write(ctx, func(t *tx) error { return t.AddSession(ctx, s) })
}

func (o outside) Advance(ctx context.Context, id core.SessionID, from, to upload.State, e upload.Ending) error {
	return o.s.write(ctx, func(t *tx) error { return t.Advance(ctx, id, from, to, e) })
}

func (o outside) ForgetSession(ctx context.Context, id core.SessionID) error {
	return o.s.write(ctx, func(t *tx) error { return t.ForgetSession(ctx, id) })
}

func (o outside) AddPart(ctx context.Context, id core.SessionID, p upload.Part) (received int64, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		received, err = t.AddPart(ctx, id, p)
		return err
	})
	return received, err
}

func (o outside) AddFamily(ctx context.Context, f auth.Family) error {
	return o.s.write(ctx, func(t *tx) error { return t.AddFamily(ctx, f) })
}

func (o outside) Rotate(ctx context.Context, id string, from int64, at, expires time.Time) error {
	return o.s.write(ctx, func(t *tx) error { return t.Rotate(ctx, id, from, at, expires) })
}

func (o outside) Revoke(ctx context.Context, id string) error {
	return o.s.write(ctx, func(t *tx) error { return t.Revoke(ctx, id) })
}

func (o outside) Failed(ctx context.Context, key string, at, since time.Time) (n int64, err error) {
	err = o.s.write(ctx, func(t *tx) (err error) {
		n, err = t.Failed(ctx, key, at, since)
		return err
	})
	return n, err
}

func (o outside) Cleared(ctx context.Context, key string) error {
	return o.s.write(ctx, func(t *tx) error { return t.Cleared(ctx, key) })
}
