package address

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// Address opens one file.
type Address struct {
	ID         int64
	Owner      core.UserID
	Node       core.NodeID
	Downloaded int64
	Created    time.Time
}

// Store keeps addresses. Implemented by internal/store/addresses; common rules as in
// catalog/store.go. A file that is removed takes its address along.
type Store interface {
	// Address: NotFound/address_missing.
	Address(ctx context.Context, id int64) (Address, error)
	// Add adds a unless its file has one, and returns the one that is there then.
	Add(ctx context.Context, a Address) (Address, error)
	// Remove: NotFound/address_missing, also when owner is not the owner.
	Remove(ctx context.Context, id int64, owner core.UserID) error
	// Count counts a download. An address that is not there is no error.
	Count(ctx context.Context, id int64) error
}
