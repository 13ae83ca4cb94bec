package catalog

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// The contracts of this file are implemented by internal/store on SQLite and on
// PostgreSQL, and proved by internal/store/storetest. Unless said otherwise:
//
//   - nothing found is an *errs.Error of kind NotFound with the reason named;
//   - a database that is gone, locked too long or full is kind Transient or
//     Internal with reason store_failed;
//   - every method works inside and outside a transaction.

// Tree keeps names.
type Tree interface {
	// Node returns the node; NotFound/path_missing.
	Node(ctx context.Context, id core.NodeID) (Node, error)

	// Walk follows the name keys from the root of owner downward and returns the
	// nodes that exist: the root first, then as far as the path goes. The root
	// always exists for a user who exists.
	Walk(ctx context.Context, owner core.UserID, keys []string) ([]Node, error)

	// Children returns one page of a folder in the order that q names; an
	// empty slice at the end. Its cost does not grow with the size of the folder.
	Children(ctx context.Context, q Query) ([]Node, error)

	// InsertNode adds n with revision 1, below a parent: roots are made by AddUser.
	// Exists/name_taken when (parent, key) is there already; NotFound/path_missing
	// when the parent is not there, is a file or is another owner's. Neither spoils
	// the transaction it happens in.
	InsertNode(ctx context.Context, n Node) error

	// UpdateNode writes n where the revision still is `was` and makes it was+1.
	// Conflict/changed otherwise, also for a node that is gone; Exists/name_taken
	// on a name clash. The owner is never written.
	UpdateNode(ctx context.Context, n Node, was core.Rev) error

	// RemoveTree removes the node and all below it: nodes, versions (their blobs
	// become doomed, their sizes leave the owner's used bytes), locks. Sessions
	// are not touched: the caller has seen to it that none is open.
	// NotFound/path_missing.
	RemoveTree(ctx context.Context, id core.NodeID, at time.Time) (Removed, error)

	// Summary counts the files, folders and bytes of current versions below a
	// folder; NotFound/path_missing.
	Summary(ctx context.Context, id core.NodeID) (Summary, error)
}

// Versions keeps which bytes a file has had.
type Versions interface {
	// AddVersion adds the row and nothing else: Ledger.Settle accounts for its
	// bytes. NotFound/path_missing when the node is not there.
	AddVersion(ctx context.Context, v Version) error
	// Version: NotFound/version_missing.
	Version(ctx context.Context, id core.VersionID) (Version, error)
	// VersionsOf returns all versions of a node, newest first.
	VersionsOf(ctx context.Context, id core.NodeID) ([]Version, error)
	// DamagedIn returns the files in a folder of owner whose current version is
	// known to be damaged. Its cost grows with what is damaged, not with the folder.
	DamagedIn(ctx context.Context, owner core.UserID, folder core.NodeID) ([]core.NodeID, error)
	// DropVersion removes the row, dooms its blob unless a copy has it too, and takes
	// its size from the owner's used bytes. A version that is not there is no error.
	// The node is not touched.
	DropVersion(ctx context.Context, id core.VersionID, at time.Time) error
	// MoveBlob gives a version and its copies other bytes of the same content, if its
	// blob still is m.From, which then is doomed. false when it is not, also for a
	// version that is not there; nothing changes then.
	MoveBlob(ctx context.Context, m Move) (bool, error)
	// HoldVersions returns the versions of a node, in no order, and keeps them as they
	// are until the transaction ends: a row that names the blob of one of them may be
	// added meanwhile, and the blob is there.
	HoldVersions(ctx context.Context, id core.NodeID) ([]Version, error)
}

// Ledger keeps what each user has used and reserved. It always holds that
// used = the sizes of the user's versions, reserved = the sizes of the user's
// open sessions, and used+reserved ≤ total whenever Reserve succeeded.
type Ledger interface {
	Capacity(ctx context.Context, u core.UserID) (Capacity, error)
	// Reserve takes n bytes in one conditional update; NoSpace/quota_full when
	// they do not fit. n ≥ 0; no bytes always fit, also over a lowered quota.
	Reserve(ctx context.Context, u core.UserID, n int64) error
	// Release gives n reserved bytes back. More than are reserved is a defect:
	// Internal/store_failed, and nothing changes. The same holds for Settle.
	Release(ctx context.Context, u core.UserID, n int64) error
	// Settle turns n reserved bytes into used ones.
	Settle(ctx context.Context, u core.UserID, n int64) error
	// Recount returns what used and reserved should be by counting rows.
	Recount(ctx context.Context, u core.UserID) (Capacity, error)
}

// Locks says who holds a node: the upload that is under way to it, until it ends or
// its owner unlocks it. A node has at most one lock.
type Locks interface {
	// LocksUnder returns the locks of owner on the node and on anything below it,
	// oldest first; on a file, the lock whosever it is. None for a node that is
	// not there.
	LocksUnder(ctx context.Context, owner core.UserID, id core.NodeID) ([]Lock, error)
	// Lock returns the lock of that token; NotFound/lock_unknown.
	Lock(ctx context.Context, token string) (Lock, error)
	// Unlock takes the node from its upload, which cannot go on; an unknown token is no error.
	Unlock(ctx context.Context, id core.NodeID, token string) error
}

// Trash keeps second trees of a user, below roots that no path leads to, and
// what in them is to go at a time of its own.
type Trash interface {
	// HiddenRoot returns the root of that key; NotFound/path_missing before it is made.
	HiddenRoot(ctx context.Context, owner core.UserID, key string) (Node, error)
	// AddHiddenRoot makes a root of n.Owner with n.ID, n.Key and n.Created; one of that
	// key stays.
	AddHiddenRoot(ctx context.Context, n Node) error
	// MarkDue says when a node is to go, and gives it a token that leads to it. It
	// ends with the node, or by ClearDue.
	MarkDue(ctx context.Context, id core.NodeID, token string, at time.Time) error
	ClearDue(ctx context.Context, id core.NodeID) error
	// DueByToken returns the node that is due under the token; NotFound/path_missing.
	DueByToken(ctx context.Context, token string) (Node, error)
	// DueBefore returns up to limit nodes that are due by then, the longest due first.
	DueBefore(ctx context.Context, at time.Time, limit int) ([]Node, error)
}

// Shape measures trees.
type Shape interface {
	// FoldersBelow says how deep folders lie below a folder; 0 when there is none.
	FoldersBelow(ctx context.Context, id core.NodeID) (int, error)
	// CountBelow counts a node and all below it, no further than to limit; 0 when it is
	// not there.
	CountBelow(ctx context.Context, id core.NodeID, limit int) (int, error)
	// Child returns what is of that key in a folder; NotFound/path_missing.
	Child(ctx context.Context, id core.NodeID, key string) (Node, error)
	// CountChildren counts what is in a folder. It reads as much as there is.
	CountChildren(ctx context.Context, id core.NodeID) (int64, error)
}

// Names is all that is known of trees.
type Names interface {
	Tree
	Trash
	Shape
}

// Doomed blobs are bytes whose last row is gone and that wait to be unlinked.
type Doomed interface {
	// Doom adds the blob, unless a version names it; one that is doomed already keeps
	// its time.
	Doom(ctx context.Context, b DoomedBlob) error
	// DoomedBefore returns up to limit blobs doomed before that time.
	DoomedBefore(ctx context.Context, before time.Time, limit int) ([]DoomedBlob, error)
	// DoomedOf is DoomedBefore for one policy, in no order that is told.
	DoomedOf(ctx context.Context, p core.PolicyID, before time.Time, limit int) ([]DoomedBlob, error)
	// Forget removes the rows after the bytes are gone.
	Forget(ctx context.Context, b []DoomedBlob) error
}

// Packs tells what is in use of the packs of blob.Packer. The rows are what says
// so: a pack does not know who needs it.
type Packs interface {
	// PackUse counts what rows name in a pack. Versions are counted before doomed
	// blobs, so that one that goes meanwhile is seen.
	PackUse(ctx context.Context, p core.PolicyID, pack string) (PackUse, error)
	// VersionsIn returns up to limit versions of a pack in order of their blobs,
	// after that blob; "" is the beginning.
	VersionsIn(ctx context.Context, p core.PolicyID, pack, after string, limit int) ([]Version, error)
}

// PackUse is how much of a pack is in use.
type PackUse struct {
	Objects, Bytes int64 // of versions
	Doomed         int64 // blobs that wait to be unlinked
}

// Move is a blob that takes the place of another.
type Move struct {
	Version  core.VersionID
	From, To string
	At       time.Time // when From is doomed; not unlinked before
}

// Directory keeps users and groups.
type Directory interface {
	// User: NotFound/user_unknown.
	User(ctx context.Context, id core.UserID) (User, error)
	// UserByEmail looks by EmailKey of the address; NotFound/user_unknown.
	UserByEmail(ctx context.Context, email string) (User, error)
	Users(ctx context.Context, after core.UserID, limit int) ([]User, error)
	// AddUser adds the user and the root folder of the user; Exists/name_taken
	// when the address is in use. u.ID and root are minted by the caller.
	AddUser(ctx context.Context, u User, root core.NodeID) error
	// UpdateUser writes all of u but the ledger's columns and the profile;
	// NotFound/user_unknown,
	// Exists/name_taken when the address is another's.
	UpdateUser(ctx context.Context, u User) error
	// Group and GroupByName: NotFound/user_unknown.
	Group(ctx context.Context, id core.GroupID) (Group, error)
	GroupByName(ctx context.Context, name string) (Group, error)
}

// Policies keeps the storage policies.
type Policies interface {
	// Policy: NotFound/policy_missing.
	Policy(ctx context.Context, id core.PolicyID) (Policy, error)
	PolicyByName(ctx context.Context, name string) (Policy, error)
	Policies(ctx context.Context) ([]Policy, error)
	// SetPolicy writes p where its revision still is `was`, making it was+1;
	// Conflict/changed otherwise. was 0 adds a policy, with revision 1.
	// Exists/name_taken when another policy has the name.
	SetPolicy(ctx context.Context, p Policy, was core.Rev) error
}

// Audit is what only the doctor and the scrubber ask for.
type Audit interface {
	// VersionsAfter returns up to limit versions of all users in order of their
	// ids, after that id.
	VersionsAfter(ctx context.Context, after core.VersionID, limit int) ([]Version, error)
	// BytesAfter returns the sizes of all versions after that id, added up.
	BytesAfter(ctx context.Context, after core.VersionID) (int64, error)
	// VersionOfBlob returns the version whose bytes the blob is;
	// NotFound/version_missing.
	VersionOfBlob(ctx context.Context, p core.PolicyID, blob string) (Version, error)
	// IsDoomed reports whether the blob waits to be unlinked.
	IsDoomed(ctx context.Context, p core.PolicyID, blob string) (bool, error)
	// SetDamage writes what is wrong with the bytes of a version and of its copies,
	// "" for nothing.
	// A version that is not there is no error.
	SetDamage(ctx context.Context, id core.VersionID, what string) error
	// Drifted returns up to limit ledgers that are not what their rows add up to.
	Drifted(ctx context.Context, limit int) ([]Drift, error)
	// Rebook sets what a user has used and reserved to what the rows add up to,
	// whatever goes on meanwhile.
	Rebook(ctx context.Context, u core.UserID) error
}

// Drift is a ledger that says Has where its rows add up to Counted. Total is
// not looked at.
type Drift struct {
	User         core.UserID
	Has, Counted Capacity
}

// Tx is what catalog does inside one transaction.
type Tx interface {
	Names
	Versions
	Ledger
	Locks
	Doomed
	Directory
	Policies
}

// Store is Tx, plus audits, transactions and ids.
type Store interface {
	Tx
	Audit
	Packs
	// InTx runs fn in one transaction and commits durably if it returns nil.
	// fn may run more than once (a lost race is retried) and must do nothing
	// but use tx: another transaction, or MintID, inside it waits for itself. It
	// may run on the goroutine of another caller; a panic in it is the caller's. A context
	// that ends while fn waits for its turn keeps it from running; on SQLite one
	// that ends later changes nothing. On SQLite many transactions share one flush.
	InTx(ctx context.Context, fn func(tx Tx) error) error
	// MintID returns an id that was never used for anything, below 2^53.
	MintID(ctx context.Context) (int64, error)
}
