package catalog

import (
	"slices"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Kind tells files from folders, with the numbers of the wire.
type Kind int64

// The kinds of node.
const (
	File   Kind = 0
	Folder Kind = 1
)

// Node is one name in one user's tree.
type Node struct {
	ID      core.NodeID
	Owner   core.UserID
	Parent  core.NodeID // 0 for a root
	Name    string      // as given; "" for a root
	Key     string      // NameKey(Name): what makes names equal
	Kind    Kind
	Size    int64          // of the current version; 0 while there is none
	Version core.VersionID // the current version; 0 while there is none
	Created time.Time
	Updated time.Time
	Meta    map[string]string // "category:name" → value; nil when empty
	Session core.SessionID    // the open upload onto this node; "" if none
	Rev     core.Rev
}

// VersionKind tells what the bytes of a version are for, with the numbers of
// the wire.
type VersionKind int64

// The kinds of version.
const (
	Content   VersionKind = 0
	Thumbnail VersionKind = 1
	LivePhoto VersionKind = 2
)

// Version is one content that a file has or had. Its bytes never change.
type Version struct {
	ID      core.VersionID
	Node    core.NodeID
	Owner   core.UserID
	Kind    VersionKind
	Size    int64
	Policy  core.PolicyID
	Blob    string      // key in the policy's bucket; "" for a content of no bytes without a blob
	CRC64   uint64      // CRC-64/NVME of the plaintext
	SHA256  []byte      // of the plaintext; nil where the policy does not ask for it
	Cipher  *Encryption // nil when stored as it is
	Created time.Time
	Creator core.UserID
	Damage  string // what the last look at the bytes found wrong; "": nothing
}

// Encryption is how a version is encrypted at rest.
type Encryption struct {
	Algorithm string // "aes-256-ctr"
	SealedKey []byte // the file key, sealed by the master key (blob.Keyring)
	IV        []byte // 16 bytes, the counter at offset 0
}

// Open returns the cipher that e describes; Internal/cipher_failed when the
// keyring is not the one that sealed it.
func (e *Encryption) Open(k *blob.Keyring) (*blob.Cipher, error) {
	const op = "catalog.Encryption.Open"
	key, err := k.Open(e.SealedKey)
	if err != nil {
		return nil, errs.As(op, errs.Internal, errs.CipherFailed, err)
	}
	if e.Algorithm != blob.CipherName || len(e.IV) != 16 {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "unknown cipher %q", e.Algorithm).At(op)
	}
	return &blob.Cipher{Key: key, IV: [16]byte(e.IV)}, nil
}

// Order is what a listing is sorted by. Folders come before files in each.
type Order string

// The orders, as the wire spells them.
const (
	ByName    Order = "name"
	BySize    Order = "size"
	ByUpdated Order = "updated_at"
	ByCreated Order = "created_at"
)

// Query names one page of a folder. After is the last node of the page before,
// nil for the first page; it need not exist any more. Skip leaves out so many
// instead, and reads past them.
type Query struct {
	Parent core.NodeID
	Order  Order
	Desc   bool
	After  *Node
	Skip   int64
	Limit  int
}

// Summary is what lies below a folder.
type Summary struct{ Files, Folders, Bytes int64 }

// Removed is what RemoveTree took away.
type Removed struct{ Nodes, Bytes int64 }

// Capacity is a user's account of bytes. Free is Total-Used-Reserved.
type Capacity struct{ Total, Used, Reserved int64 }

// Lock says that a node is held. Application is what holds it, in the words of
// the wire ("upload").
type Lock struct {
	Token       string // UUIDv4
	Node        core.NodeID
	Owner       core.UserID
	Application string
	Session     core.SessionID // the upload that holds it; "" otherwise
	Created     time.Time
}

// DoomedBlob is a blob to be unlinked.
type DoomedBlob struct {
	Policy core.PolicyID
	Blob   string
	At     time.Time
}

// Status is whether a user may sign in, in the words of the wire.
type Status string

// The states of an account.
const (
	Active   Status = "active"
	Inactive Status = "inactive"
	Banned   Status = "manual_banned"
)

// User is an account.
type User struct {
	ID       core.UserID
	Email    string
	Nick     string
	Password core.Secret // argon2id in PHC form
	Group    core.GroupID
	Status   Status
	Quota    int64 // bytes; -1: as the group says
	Epoch    int64 // raised to end every token of the user
	Language string
	Created  time.Time
	Profile  Profile
}

// Profile is what users say about themselves; internal/account changes it.
type Profile struct {
	Theme       string // as the client that chose it understands it
	Avatar      string // "file" with a picture, "" without
	ViewAlone   bool   // how folders are shown is not kept on the server
	ShareLinks  string // which share links strangers see, in the words of the wire
	MaxVersions int64  // contents kept of a file, as far as the group keeps them; 0: as many as it does
	// KeepExt are the extensions of the files of which former contents are kept, in
	// lower case and without the dot; none: of all.
	KeepExt []string
}

// Permission bits of a group, as the wire numbers them (surface.md §0).
const (
	PermAdmin           = 0
	PermAnonymous       = 1
	PermShare           = 2
	PermArchiveDownload = 4
	PermShareDownload   = 7
	// PermDirectLink has no bit on the wire, which shows a number of links instead.
	PermDirectLink = 40
)

// Group carries what its users may do and where their bytes go.
type Group struct {
	ID          core.GroupID
	Name        string
	Permissions int64 // bit set
	Quota       int64 // bytes
	Policy      core.PolicyID
	MaxSessions int64         // open uploads a user may have
	MaxVersions int64         // contents kept of a file; at least 1
	TrashFor    time.Duration // how long what was deleted can be restored
}

// Keeps is how many contents of a file are kept for u, at least 1.
func (g Group) Keeps(u User) int64 {
	n := g.MaxVersions
	if u.Profile.MaxVersions > 0 {
		n = min(n, u.Profile.MaxVersions)
	}
	return max(1, n)
}

// KeepsOf is how many contents are kept for u of a file of that name, at least 1.
func (g Group) KeepsOf(u User, name string) int64 {
	if ext := u.Profile.KeepExt; len(ext) > 0 && !slices.Contains(ext, extension(name)) {
		return 1
	}
	return g.Keeps(u)
}

// Admin reports whether the group administers the site.
func (g Group) Admin() bool { return g.May(PermAdmin) }

// May reports whether users of the group have the permission of that bit.
func (g Group) May(bit uint) bool { return g.Permissions>>bit&1 != 0 }

// Anonymous is the group of those who did not sign in.
const Anonymous core.GroupID = 3

// Policy says where bytes go and under which rules.
type Policy struct {
	ID            core.PolicyID
	Rev           core.Rev
	Name          string
	Type          string // "local"
	Config        string // JSON for the driver
	ChunkSize     int64  // bytes; 0: the whole file in one request
	MaxSize       int64  // bytes a file may have; 0: no limit
	AllowedSuffix []string
	DeniedSuffix  []string
	AllowedName   string // RE2, unanchored; "" allows all
	DeniedName    string // RE2, unanchored; "" denies none
	Encrypt       bool
	Sync          blob.Sync
	SHA256        bool  // keep the SHA-256 of each whole file as well
	Concurrency   int64 // chunks a client may send at once
	Relay         bool
}
