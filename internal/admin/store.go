package admin

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The contracts of this file are implemented by internal/store/administration,
// with the same common rules as those of catalog/store.go.

// Line is one change that somebody made.
type Line struct {
	ID      int64
	At      time.Time
	Who     core.UserID // 0: whoever had the data directory
	Request string      // correlation id of the request
	Action  Action
	Kind    Kind
	Subject string // id, or name of a setting
	Note    string // what was changed; never a secret
}

// Action is what was done.
type Action string

// The actions.
const (
	Added   Action = "add"
	Changed Action = "change"
	Removed Action = "remove"
)

// Kind is of what.
type Kind string

// The kinds.
const (
	OfUser    Kind = "user"
	OfGroup   Kind = "group"
	OfPolicy  Kind = "policy"
	OfSetting Kind = "setting"
	OfUpload  Kind = "upload"
)

// Window is where a list looks: at up to Limit rows behind Past, upward or downward
// in their ids.
type Window struct {
	Up    bool
	Past  int64
	Limit int
}

// Row is as much of a row as lists look for.
type Row struct {
	ID     int64
	Owner  core.UserID
	Policy core.PolicyID
	Group  core.GroupID
	Status catalog.Status
	Text   []string // in which words are looked for, folded
	Folder bool
	Broken bool // known to be damaged
}

// Upload is an upload that has not ended.
type Upload struct {
	ID                        core.SessionID
	Owner                     core.UserID
	Node                      core.NodeID
	Policy                    core.PolicyID
	URI                       string
	Size, Received            int64
	Sealing                   bool
	Created, Touched, Expires time.Time
}

// Share is a link that somebody made.
type Share struct {
	ID                  core.ShareID
	Owner               core.UserID
	Node                core.NodeID
	Name                string
	Folder, Sealed      bool // Sealed: it has a password
	Visited, Downloaded int64
	Created, Expires    time.Time
}

// Totals counts what there is.
type Totals struct{ Users, Files, Versions, Shares int64 }

// Windows reads lists. The rows of a window come in no order.
type Windows interface {
	Users(ctx context.Context, w Window) ([]Row, error)
	Files(ctx context.Context, w Window) ([]Row, error) // and folders
	Versions(ctx context.Context, w Window) ([]Row, error)
	Shares(ctx context.Context, w Window) ([]Share, error)
	Lines(ctx context.Context, w Window) ([]Line, error)
	// Uploads returns up to limit uploads that have not ended.
	Uploads(ctx context.Context, limit int) ([]Upload, error)
	// Groups returns up to limit groups in order of their ids.
	Groups(ctx context.Context, limit int) ([]catalog.Group, error)
}

// Facts reads single things.
type Facts interface {
	// UploadsOf returns up to limit ids of a user's uploads that have not ended.
	UploadsOf(ctx context.Context, u core.UserID, limit int) ([]core.SessionID, error)
	// OwnerOf: NotFound/session_gone.
	OwnerOf(ctx context.Context, id core.SessionID) (core.UserID, error)
	// Span returns when the first and the last change of a thing was made; zero
	// times where none was.
	Span(ctx context.Context, k Kind, subject string) (first, last time.Time, err error)
	// Doomed counts the blobs that wait to be unlinked, up to limit.
	Doomed(ctx context.Context, limit int) (int64, error)
	// Sharing counts the contents whose bytes that blob is: copies share them.
	Sharing(ctx context.Context, p core.PolicyID, blob string) (int64, error)
	// Totals reads as much as there is.
	Totals(ctx context.Context) (Totals, error)
	// Setting returns what SetSetting wrote, "" before that.
	Setting(ctx context.Context, name string) (string, error)
}

// Changes is what a transaction of ours does beside those of the catalog.
type Changes interface {
	// Hold makes other transactions of ours wait until this one ends.
	Hold(ctx context.Context) error
	// HoldUser makes everything wait that writes the row of a user; NotFound/user_unknown.
	HoldUser(ctx context.Context, id core.UserID) error
	// Admins returns up to limit active users of groups that administer the site.
	Admins(ctx context.Context, limit int) ([]core.UserID, error)
	// Note adds a line to the trail.
	Note(ctx context.Context, l Line) error
	SetSetting(ctx context.Context, name, value string) error
	// RemoveUser takes away all that is the user's but nodes: devices, second factor,
	// passkeys, picture, ended uploads, shares, and the account. NotFound/user_unknown;
	// Conflict/changed while something of the user is there yet.
	RemoveUser(ctx context.Context, id core.UserID) error
	// Roots returns the roots of a user, of the drive and the hidden ones.
	Roots(ctx context.Context, id core.UserID) ([]core.NodeID, error)
}

// Use says what keeps a policy from being removed.
type Use struct {
	Group                     string // the first that uploads to it; "": none
	Versions, Uploads, Doomed bool
}

// Places changes groups and policies.
type Places interface {
	// AddGroup and UpdateGroup: Exists/name_taken when another has the name;
	// NotFound/policy_missing.
	AddGroup(ctx context.Context, g catalog.Group) error
	// UpdateGroup: NotFound/group_missing.
	UpdateGroup(ctx context.Context, g catalog.Group) error
	// RemoveGroup: NotFound/group_missing; Conflict/group_in_use while it has users.
	RemoveGroup(ctx context.Context, id core.GroupID) error
	// Members returns up to limit users of a group.
	Members(ctx context.Context, id core.GroupID, limit int) ([]core.UserID, error)
	UseOf(ctx context.Context, id core.PolicyID) (Use, error)
	// RemovePolicy: NotFound/policy_missing; Conflict/policy_in_use where rows say so.
	RemovePolicy(ctx context.Context, id core.PolicyID) error
}

// Tx is what admin does inside one transaction.
type Tx interface {
	catalog.Tx
	Changes
	Places
}

// Store is what admin reads, and transactions.
type Store interface {
	Windows
	Facts
	// InTx is as that of catalog.Store.
	InTx(ctx context.Context, fn func(tx Tx) error) error
}
