package upload

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The contracts of this file are implemented by internal/store, with the same
// common rules as those of catalog/store.go.

// Sessions keeps uploads in progress and, until they would have expired, those
// that ended.
type Sessions interface {
	// AddSession adds the row, state open, nothing received. It holds its node with
	// s.Lock, once the node names it. Ledger.Reserve accounts for its bytes.
	AddSession(ctx context.Context, s Session) error
	// Session: NotFound/session_gone. Session.Locked tells whether its lock is
	// still held.
	Session(ctx context.Context, id core.SessionID) (Session, error)
	// Advance is the compare-and-set of the state machine: Conflict/changed
	// when the state is not `from` any more; NotFound/session_gone. Only to=done
	// stores e.
	Advance(ctx context.Context, id core.SessionID, from, to State, e Ending) error
	// SessionsOf returns a user's sessions in that state, open or sealing, newest
	// first; none for another state.
	SessionsOf(ctx context.Context, u core.UserID, state State, limit int) ([]Session, error)
	// CountOpen returns how many sessions of a user are open or sealing.
	CountOpen(ctx context.Context, u core.UserID) (int64, error)
	// Due returns up to limit sessions in that state whose expiry is at or
	// before that time; for `sealing` pass a time far ahead to get them all.
	Due(ctx context.Context, state State, before time.Time, limit int) ([]Session, error)
	// ForgetSession removes an ended session and its parts. Conflict/changed for
	// one that has not ended; one that is not there is no error.
	ForgetSession(ctx context.Context, id core.SessionID) error
}

// Received keeps which bytes of a session are in. A part that was added is
// never changed.
type Received interface {
	// AddPart records bytes that are durable. In one statement group it adds
	// the row, adds its length to the session's received bytes and sets the
	// session's touched time. It returns the received bytes after it.
	// Exists/name_taken when a byte of it, or the same empty part, is there
	// (nothing changes then); Conflict/session_gone when the session is not open
	// or not there. Neither spoils the transaction it happens in.
	AddPart(ctx context.Context, id core.SessionID, p Part) (received int64, err error)
	// PartsIn returns the parts that have a byte in common with r, or start
	// where it does, in order of their start.
	PartsIn(ctx context.Context, id core.SessionID, r core.Range) ([]Part, error)
	// Parts returns all parts in order of their start.
	Parts(ctx context.Context, id core.SessionID) ([]Part, error)
}

// Trail keeps what went other than well in a session, until it is forgotten.
type Trail interface {
	// AddEvent adds e behind those that are there, unless they are `most` or
	// more. A session that is not there, or a full trail, is no error.
	AddEvent(ctx context.Context, id core.SessionID, e Event, most int64) error
	// Events returns all of them in order.
	Events(ctx context.Context, id core.SessionID) ([]Event, error)
}

// Express does at once, for the small file of which there are many, what the others
// do step by step.
type Express interface {
	// Admit is Reserve for a new session, if fewer than `most` of the user are open or
	// sealing. ok is false, and nothing changed, when there are as many or the bytes
	// do not fit: CountOpen and Reserve say which.
	Admit(ctx context.Context, u core.UserID, n, most int64) (ok bool, err error)
	// Finish makes v the first version of the node that s made, and ends s with
	// its digests: the session is done, its lock given back, its bytes settled,
	// the node shown with that time. It holds only for a session that is open and
	// received nothing, whose lock is held and whose node waits for it. ok is
	// false otherwise; what was done until then must be rolled back.
	Finish(ctx context.Context, s Session, v catalog.Version, updated time.Time) (ok bool, err error)
}

// Tx is what the engine does inside one transaction: names, bytes and progress
// change together or not at all.
type Tx interface {
	catalog.Tx
	Sessions
	Received
	Trail
	Express
}

// Store is Tx, plus audits, transactions and ids; see catalog.Store.
type Store interface {
	Tx
	catalog.Audit
	InTx(ctx context.Context, fn func(tx Tx) error) error
	MintID(ctx context.Context) (int64, error)
}
