package upload

import (
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// State is where a session stands: open → sealing → done, open → aborted,
// open → expired. A sealing session is finished forward, by whoever finds it.
type State string

// The states.
const (
	Open    State = "open"
	Sealing State = "sealing"
	Done    State = "done"
	Aborted State = "aborted"
	Expired State = "expired"
)

// Ended reports whether the session will never change again.
func (s State) Ended() bool { return s == Done || s == Aborted || s == Expired }

// Session is one upload of one content.
type Session struct {
	ID        core.SessionID
	Owner     core.UserID
	Node      core.NodeID    // the file it will be a version of
	Version   core.VersionID // minted at creation, becomes a row at completion
	Policy    core.PolicyID
	PolicyRev core.Rev
	URI       string // the request's URI, as answered at creation
	Size      int64
	ChunkSize int64 // 0: all in one
	Received  int64 // bytes in, of which each counts once
	State     State
	Fresh     bool                // the node was made for this upload; abort removes it
	Kind      catalog.VersionKind // content or live photo
	Modified  time.Time           // what the client says; zero: time of completion
	MIME      string
	Meta      map[string]string // to be set at completion
	Blob      string            // key in the bucket
	VendorID  string            // blob.Handle.Upload
	Cipher    *catalog.Encryption
	Sealed    bool   // the client encrypts
	Lock      string // token
	Locked    bool   // the lock is held (read only)
	Secret    []byte // SHA-256 of the callback secret
	Created   time.Time
	Touched   time.Time // last byte acknowledged
	Expires   time.Time
	Ending    Ending
}

// Ending is what a done session knows of its content.
type Ending struct {
	At     time.Time
	CRC64  uint64
	SHA256 []byte // nil where the policy does not ask
}

// Handle returns what the bucket needs to go on with the upload.
func (s Session) Handle() blob.Handle {
	return blob.Handle{Key: s.Blob, Size: s.Size, Upload: s.VendorID}
}

// smallFile is up to which size a file that comes in one chunk is stored in one
// go. It has no staged bytes: nothing of it can be resumed but all of it.
const smallFile = 256 << 10

// small reports whether the session is such a file.
func (s Session) small() bool {
	return s.Size <= smallFile && !s.Direct() && (s.ChunkSize == 0 || s.Size <= s.ChunkSize)
}

// pieceAlign is where a chunk may be cut into pieces. It bounds how many rows a
// session has, and leaves no gap that no piece fits.
const pieceAlign = 16 << 10

// PieceAlign is a number of bytes: pieces of a chunk begin and end at multiples
// of it, counted from where the chunk begins, or with the chunk. 0 where chunks
// come whole.
func (s Session) PieceAlign() int64 {
	if s.small() {
		return 0
	}
	return pieceAlign
}

// Part is a received and durable piece.
type Part struct {
	Range  core.Range
	CRC64  uint64 // CRC-64/NVME of the plaintext
	SHA256 []byte // nil where the policy does not ask
	At     time.Time
}
