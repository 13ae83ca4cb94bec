package share

import (
	"context"
	"math"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// NoLimit is the Remain of a share that may be downloaded as often as one likes.
const NoLimit = -1

// Share is one link to a file or folder. Name and Kind are what the node was when
// the share was made: the share outlives it.
type Share struct {
	ID         core.ShareID
	Owner      core.UserID
	Node       core.NodeID
	Name       string
	Kind       catalog.Kind
	Sealed     []byte    // the password, sealed; empty without one
	Expires    time.Time // zero: never
	Remain     int64     // downloads left; NoLimit
	Visited    int64
	Downloaded int64
	ShowView   bool // visitors see the folder as its owner set it
	ShowReadme bool
	Created    time.Time
}

// Private reports whether the share has a password.
func (s Share) Private() bool { return len(s.Sealed) > 0 }

// Order is what a list of shares is sorted by; shares that are equal in it come in
// the order of their making.
type Order int

// The orders. The numbers are those of the queries.
const (
	ByMade Order = iota
	ByVisited
	ByDownloaded
	ByExpiry // what never expires comes after all that does
)

// Rank is what s is sorted by.
func (s Share) Rank(by Order) int64 {
	switch {
	case by == ByVisited:
		return s.Visited
	case by == ByDownloaded:
		return s.Downloaded
	case by == ByExpiry && s.Expires.IsZero():
		return math.MaxInt64
	case by == ByExpiry:
		return core.Micros(s.Expires)
	}
	return 0
}

// Query names one page of an owner's shares. After is the last share of the page
// before, 0 for the first page, and Rank what that was sorted by then.
type Query struct {
	Owner core.UserID
	By    Order
	After core.ShareID
	Rank  int64
	Desc  bool
	Limit int
}

// Store keeps shares. Implemented by internal/store/shares; common rules as in
// catalog/store.go.
type Store interface {
	// Share: NotFound/share_missing.
	Share(ctx context.Context, id core.ShareID) (Share, error)
	// Add adds s, whose counts are 0. s.ID is minted by the caller.
	Add(ctx context.Context, s Share) error
	// Update writes the terms of s: password, limits and what is shown.
	// NotFound/share_missing, also when s.Owner is not the owner.
	Update(ctx context.Context, s Share) error
	// Remove: NotFound/share_missing, also when owner is not the owner.
	Remove(ctx context.Context, id core.ShareID, owner core.UserID) error
	// Of returns one page; an empty slice at the end.
	Of(ctx context.Context, q Query) ([]Share, error)
	// Visit counts a visit. A share that is not there is no error.
	Visit(ctx context.Context, id core.ShareID) error
	// Take counts a download if one is left and the share has not expired at now,
	// in one conditional update; NotFound/share_expired.
	Take(ctx context.Context, id core.ShareID, now time.Time) error
}
