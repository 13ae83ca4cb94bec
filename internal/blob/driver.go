package blob

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Driver is the least that a place to keep bytes must do. It knows nothing of
// users, names, sessions, digests or ciphers.
//
// Keys are made by the catalog, opaque and already valid: 1..200 bytes of
// [0-9a-z/-]. A key is written once and its bytes never change afterwards.
// Every method may be called from many goroutines. Errors are returned raw:
// [Bucket] names and wraps them, asking Classify for their kind.
type Driver interface {
	// Stat returns what is stored under key; an error of kind NotFound (by
	// Classify) if there is nothing, or if only an unfinished upload is there.
	Stat(ctx context.Context, key string) (Info, error)

	// Open returns the bytes r of key. The caller closes it. r must lie inside
	// the object; the reader ends after r.Len() bytes, or fails.
	Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error)

	// Put stores src, whole, durably as o.Sync says, and returns when it is so.
	// Nothing appears under key unless all of src was stored. It must refuse a
	// key that exists (kind Exists).
	Put(ctx context.Context, key string, src Source, o PutOptions) (Info, error)

	// Delete removes the keys. A key that is not there counts as removed.
	// failed names those that could not be removed; err is for the whole call.
	Delete(ctx context.Context, keys []string) (failed []KeyError, err error)

	// List returns up to limit finished objects whose key starts with prefix, in
	// key order, after the key `after`.
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
	// upload. A full disk is told here (kind NoSpace), not in the middle.
	Begin(ctx context.Context, key string, size int64, o PutOptions) (Handle, error)

	// WriteAt stores src as the bytes r of the upload and returns when they are
	// durable as o.Sync says. src yields exactly r.Len() bytes or an error.
	// If it fails, the bytes r are undefined and may be written again; bytes
	// outside r are untouched. Never called twice at a time for bytes that
	// overlap: the engine sees to that.
	WriteAt(ctx context.Context, h Handle, r core.Range, src io.Reader, o PutOptions) error

	// Staged returns the bytes r of the upload while it is not committed, for
	// digests and audits.
	Staged(ctx context.Context, h Handle, r core.Range) (io.ReadCloser, error)

	// Commit turns the upload into the object, durably unless o.Sync is
	// SyncNever. Called again after it succeeded, even in another process, it
	// succeeds again with the same Info. It never replaces another object.
	Commit(ctx context.Context, h Handle, o PutOptions) (Info, error)

	// Abort forgets the upload and its bytes. An unknown handle is no error; a
	// committed one is left alone.
	Abort(ctx context.Context, h Handle) error

	// Pending lists unfinished uploads for audits, up to limit, in key order
	// after the key `after`.
	Pending(ctx context.Context, after string, limit int) ([]Handle, error)
}

// Filer is the ability to hand out an object as an open file, so that the
// kernel can send it without copying.
type Filer interface {
	OpenFile(ctx context.Context, key string) (*os.File, error)
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
