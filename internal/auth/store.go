package auth

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// Account is what auth needs to know of a user.
type Account struct {
	User     core.UserID
	Group    core.GroupID
	Admin    bool
	Email    string
	Password core.Secret // argon2id in PHC form
	Active   bool        // may sign in
	Banned   bool
	Epoch    int64 // tokens of an older epoch are dead
}

// Family is one signed-in device: a chain of refresh tokens of which only the
// newest counts.
type Family struct {
	ID      string // UUIDv4
	User    core.UserID
	Epoch   int64     // of the account when it signed in, or when the account kept it
	Serial  int64     // of the newest refresh token, from 1
	Rotated time.Time // when that token was issued
	Created time.Time
	Expires time.Time // of the newest refresh token
	Agent   string    // User-Agent, cut to 256 bytes
	Addr    string    // where it signed in from, without a port; cut to 64 bytes
	Revoked bool
}

// Accounts reads accounts. Implemented by internal/store; common rules as in
// catalog/store.go.
type Accounts interface {
	// Account: NotFound/user_unknown.
	Account(ctx context.Context, id core.UserID) (Account, error)
	// AccountByEmail looks by the normalised address; NotFound/user_unknown.
	AccountByEmail(ctx context.Context, email string) (Account, error)
}

// Families keeps signed-in devices.
type Families interface {
	// AddFamily may forget families of that user that have expired.
	AddFamily(ctx context.Context, f Family) error
	// Family: NotFound/bad_token.
	Family(ctx context.Context, id string) (Family, error)
	// Rotate makes serial from+1 where it still is `from` and the family is not
	// revoked; Conflict/changed otherwise.
	Rotate(ctx context.Context, id string, from int64, at, expires time.Time) error
	// Revoke ends the family; an unknown one is no error.
	Revoke(ctx context.Context, id string) error
}

// Guesses bounds how often a secret may be guessed, across restarts.
type Guesses interface {
	// Failed counts a failure under key and returns how many there were since
	// `since`, this one included. Failures of any key that are older than both
	// `since` and a day may be forgotten.
	Failed(ctx context.Context, key string, at, since time.Time) (int64, error)
	// Failures returns how many there were since `since`.
	Failures(ctx context.Context, key string, since time.Time) (int64, error)
	// Cleared forgets the failures of key.
	Cleared(ctx context.Context, key string) error
}

// Store is all that auth needs kept.
type Store interface {
	Accounts
	Families
	Guesses
}
