package blob

import (
	"context"
	"net/http"
	"time"
)

// Direct is the ability to let a client send the bytes to the store by itself,
// with addresses that were signed for it.
//
// Nothing a client or a callback says is believed: Confirm asks the store. All
// methods may be called again after any failure, in another process too; the
// handle is all that is needed.
type Direct interface {
	// Grant opens an upload at the store. A key that exists is refused (kind
	// Exists). If Grant fails nothing is left behind.
	Grant(ctx context.Context, a Ask) (Handle, error)

	// Sign returns what the client needs to send the parts from..to (to
	// excluded), numbered from 0, and to end the upload. It asks nobody: ten
	// thousand addresses take less than 100 ms.
	Sign(ctx context.Context, h Handle, a Ask, from, to int) (Signed, error)

	// Confirm asks the store what became of the upload. NotFound when it knows
	// neither the upload nor the object.
	Confirm(ctx context.Context, h Handle) (Evidence, error)

	// Finish ends an upload of which the store holds these parts, as Confirm told
	// them, and returns the object. Called again after it succeeded it succeeds
	// again.
	Finish(ctx context.Context, h Handle, parts []StoredPart) (Info, error)

	// Revoke forgets an upload and its parts at the store. One that is not there
	// is no error; an object that it became is left alone.
	Revoke(ctx context.Context, h Handle) error
}

// Ask is an upload that a client will make by itself. It can be made anew from
// the session's row at any time.
type Ask struct {
	Key      string
	Size     int64
	PartSize int64     // of every part but the last, which may be smaller
	MIME     string    // "" is application/octet-stream
	Until    time.Time // how long the addresses hold
	Now      time.Time // which the signatures carry
	Callback string    // address that the store calls when the upload is complete; "" if it shall call nobody
}

// Parts returns how many parts the upload has: at least one.
func (a Ask) Parts() int {
	if a.PartSize <= 0 || a.Size <= a.PartSize {
		return 1
	}
	return int((a.Size + a.PartSize - 1) / a.PartSize)
}

// Part returns the length of part n, from 0.
func (a Ask) Part(n int) int64 {
	if a.PartSize <= 0 {
		return a.Size
	}
	return min(a.PartSize, a.Size-int64(n)*a.PartSize)
}

// Signed is what a client sends its parts with.
type Signed struct {
	Parts    []string    // PUT addresses, in order
	Complete string      // POST address that ends the upload; "" where there is none
	Header   http.Header // that the client must send with every request; nil for none
	Ending   http.Header // that it must send with Complete: all of them
	Bare     bool        // Complete wants no body; else the list of the parts and their ETags
}

// Evidence is what a store says of an upload.
type Evidence struct {
	Stored bool // the object is there, and Info describes it
	Info   Info
	Sum    []Digest     // of the whole object, where the store keeps one
	Parts  []StoredPart // that are in, in order, while it is not stored

	// Parted is the MD5 of the MD5s of the parts that a stored object was made of,
	// where the store may have kept a part that broke off as if it were whole: what
	// it says of the size is no evidence then, and the bytes are. Else nil.
	Parted []byte
}

// StoredPart is a part that the store holds.
type StoredPart struct {
	Number int // from 0
	Size   int64
	ETag   string // as the store gave it
	Sum    []Digest
}

// Linker is the ability to hand out an address from which anybody can read an
// object for a while.
type Linker interface {
	Link(ctx context.Context, key string, o LinkOptions) (string, error)
}

// LinkOptions say how the object is to be served.
type LinkOptions struct {
	Until      time.Time
	Now        time.Time
	Name       string // shown to the person who saves it
	Attachment bool   // to be saved, not shown
	MIME       string // "" as it was stored
}

// Caller is the ability to tell whether a callback was made by the store.
type Caller interface {
	// ReadCallback checks the store's own signature of a callback. Forbidden when
	// it does not hold. What the body says is a hint and is not returned.
	ReadCallback(ctx context.Context, c Callback) error
}

// Callback is a request that says it comes from a store.
type Callback struct {
	Target string // path and query as they came
	Header http.Header
	Body   []byte
}

// Copier is the ability to store an object again under another key without its bytes
// passing through us.
type Copier interface {
	// Copy stores what is under from under to as well, up to MaxCopy bytes. It must
	// refuse a `to` that exists (kind Exists).
	Copy(ctx context.Context, from, to string) (Info, error)
}

// MaxCopy is the largest object that all these stores copy in one request: Amazon, Tencent
// and Huawei say 5 GiB; Alibaba copies more inside a bucket.
const MaxCopy = 5 << 30

// Origins is the ability to tell the store which sites' pages may send to it and read
// from it in a browser (CORS).
type Origins interface {
	// AllowOrigins adds a rule for origins, such as https://files.example.com, or
	// changes the one that it added before. Rules of others stay as they are.
	AllowOrigins(ctx context.Context, origins []string) error
}

// Strays is the ability to list uploads that the store holds unfinished, for
// audits: up to limit, in the store's order, after that mark; next is "" at the
// end.
type Strays interface {
	Unfinished(ctx context.Context, after string, limit int) (found []StrayUpload, next string, err error)
}

// StrayUpload is an unfinished upload as the store lists it.
type StrayUpload struct {
	Handle Handle
	Began  time.Time
}
