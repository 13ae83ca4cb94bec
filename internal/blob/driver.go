package blob

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Driver is the least that a place to keep bytes must do. It knows nothing of
// users, names, sessions, digests or ciphers.
//
// Keys are made by the catalog, opaque and already valid ([ValidKey]): 1..200
// bytes of [0-9a-z/-], no slash first, last or twice in a row. Keys should
// begin with random characters, so that they spread over folders and shards. A
// key is written once and its bytes never change afterwards.
//
// Every method may be called from many goroutines. Errors are returned raw:
// [Bucket] names and wraps them, asking Classify for their kind.
type Driver interface {
	// Stat returns what is stored under key; an error of kind NotFound (by
	// Classify) if there is nothing, or if only an unfinished upload is there.
	Stat(ctx context.Context, key string) (Info, error)

	// Open returns the bytes r of key. The caller closes it. An r that does not
	// lie inside the object is an error of kind Invalid; the reader ends after
	// r.Len() bytes, or fails.
	Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error)

	// Put stores src, whole, durably as o.Sync says, and returns when it is so.
	// Nothing appears under key unless all of src was stored, from its first byte
	// to its end, and that was src.Size() bytes. It must refuse a key that exists
	// (kind Exists). A driver that tries again must Rewind src before.
	Put(ctx context.Context, key string, src Source, o PutOptions) (Info, error)

	// Delete removes the keys. A key that is not there counts as removed.
	// failed names those that could not be removed; err is for the whole call.
	Delete(ctx context.Context, keys []string) (failed []KeyError, err error)

	// List returns up to limit finished objects whose key starts with prefix, in
	// key order, after the key `after`. Unfinished uploads are not objects.
	List(ctx context.Context, prefix, after string, limit int) (Page, error)

	// Classify names the kind of an error that this driver returned.
	Classify(err error) errs.Kind

	// Close lets go of what the driver holds. Called once, after the last call.
	Close() error
}

// Parts is the ability to take an object in pieces that pass through us, in any
// order and in parallel.
//
// An upload begun here survives a restart of the process and of the machine:
// the Handle is all that is needed to go on.
type Parts interface {
	// Begin makes room for size bytes under key and returns the handle of the
	// upload. A full disk is told here (kind NoSpace), not in the middle. A key
	// that exists, finished or not, is refused (kind Exists). If Begin fails
	// nothing is left behind.
	Begin(ctx context.Context, key string, size int64, o PutOptions) (Handle, error)

	// WriteAt stores src as the bytes r of the upload and returns when they are
	// durable as o.Sync says. src yields exactly r.Len() bytes and then io.EOF, or
	// an error; it must be read to the EOF, and its error must be returned, before
	// anything is made durable. If WriteAt fails, the bytes r are undefined and
	// may be written again; bytes outside r are untouched. Called from several
	// goroutines at a time, but never for bytes that overlap: the engine sees to
	// that. An unknown handle is kind NotFound.
	WriteAt(ctx context.Context, h Handle, r core.Range, src io.Reader, o PutOptions) error

	// Staged returns the bytes r of the upload while it is not committed, for
	// digests and audits.
	Staged(ctx context.Context, h Handle, r core.Range) (io.ReadCloser, error)

	// Commit turns the upload into the object, durably unless o.Sync is
	// SyncNever. Called again after it succeeded, even in another process, it
	// succeeds again with the same Info. It never replaces another object. It
	// must refuse if it can see that fewer bytes than h.Size were written. It is
	// never called while a WriteAt of the same upload runs: the engine sees to
	// that.
	Commit(ctx context.Context, h Handle, o PutOptions) (Info, error)

	// Abort forgets the upload and its bytes. An unknown handle is no error; a
	// committed one is left alone.
	Abort(ctx context.Context, h Handle) error

	// Pending lists unfinished uploads for audits, up to limit, in key order
	// after the key `after`. Size in these handles is what is staged so far, or 0
	// where the driver cannot tell; they serve Abort, not WriteAt.
	Pending(ctx context.Context, after string, limit int) ([]Handle, error)
}

// Filer is the ability to hand out an object as an open file, so that the
// kernel can send it without copying.
type Filer interface {
	OpenFile(ctx context.Context, key string) (*os.File, error)
}

// Spacer is the ability to say how much room there is.
type Spacer interface {
	// Free returns the bytes that can still be stored, and the bytes there are.
	Free(ctx context.Context) (free, total int64, err error)
}

// Checker is the ability to say that writes are refused.
type Checker interface {
	// Check returns nil while the driver takes writes, else why it does not. It
	// is cheap and asks nobody.
	Check() error
}

// ErrSuspect is in the chain of every refusal after a failed sync. What the
// system calls written may be lost, and asking again would be answered with a
// lie, so a driver that saw a sync fail takes no writes until it is opened
// anew. Reading goes on.
var ErrSuspect = errors.New("a sync failed, no writes until the storage is opened again")

// ValidKey reports whether key has the form that drivers can rely on.
func ValidKey(key string) bool {
	if key == "" || len(key) > 200 {
		return false
	}
	last := byte('/')
	for i := range len(key) {
		c := key[i]
		switch {
		case c == '/' && last == '/':
			return false
		case c != '/' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z'):
			return false
		}
		last = c
	}
	return last != '/'
}

// Source is what is to be stored: a reader that knows its size and can go back
// to its start, so that a retry is honest.
type Source interface {
	io.Reader
	Size() int64
	// Rewind goes back to the first byte; an error means that a retry is not
	// possible.
	Rewind() error
}

// Sync says when bytes must be on the medium.
type Sync string

// The levels, as policies spell them.
const (
	SyncAnswer   Sync = "answer"   // before each answer: an acknowledged chunk survives a power cut
	SyncComplete Sync = "complete" // before a completion is answered; a chunk survives a killed process
	SyncNever    Sync = "never"    // whenever the machine likes
)

// PutOptions are what a driver needs to know of the policy.
type PutOptions struct{ Sync Sync }

// Handle names an unfinished upload. It is stored with the session.
type Handle struct {
	Key    string
	Size   int64
	Upload string // the vendor's id of a multipart upload; "" where there is none
}

// Info is what a driver knows of an object.
type Info struct {
	Key     string
	Size    int64
	ModTime time.Time
}

// Page is one page of a listing. Next is the `after` of the next page, "" at
// the end.
type Page struct {
	Objects []Info
	Next    string
}

// KeyError says why one key of a batch failed.
type KeyError struct {
	Key string
	Err error
}
