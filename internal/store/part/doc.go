// Package part is what a part of the store sees of it: statements, transactions
// and the names of failures, but not how either database is opened or written
// to. A subject whose contract has grown its own package below internal/store
// (accounts, …) is built over a Base, which *store.Store is.
//
//	func (a *Accounts) AddPasskey(ctx context.Context, p account.Passkey) error {
//		return a.base.Write(ctx, func(t part.Turn) error {
//			return t.Fail("accounts.AddPasskey", t.InsertPasskey(ctx, …))
//		})
//	}
package part

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Base is a store as its parts see it.
type Base interface {
	// Read returns the statements on the pool of readers. What writes fails there.
	Read() Turn
	// Write runs fn in a transaction and returns when it is durable. fn may run
	// again after it lost a race, so it keeps nothing of a run that failed.
	Write(ctx context.Context, fn func(Turn) error) error
	// MintID returns an id that no row has; not inside Write.
	MintID(ctx context.Context) (int64, error)
}

// Turn is the statements of one transaction, or of the pool of readers.
type Turn struct {
	*query.Queries
	// FailFunc gives an error of the driver its kind and reason, nil stays nil.
	FailFunc func(op string, err error) error
	// ForgetFunc drops what the writer remembers of users, groups, policies and
	// folders.
	ForgetFunc func()
}

// Fail names op as the place of err, an error of a statement or nil.
func (t Turn) Fail(op string, err error) error { return t.FailFunc(op, err) }

// Found is Fail for a statement that returns one row: none is NotFound with that
// reason.
func (t Turn) Found(op string, err error, missing errs.Reason) error {
	if dialect.IsNoRows(err) {
		return errs.New(errs.NotFound, missing).At(op)
	}
	return t.Fail(op, err)
}

// Forget must be called in every transaction that writes to users, groups,
// policies or nodes: others read those rows from memory.
func (t Turn) Forget() { t.ForgetFunc() }
