package localblob

import (
	"io"
	"io/fs"
)

// FS is what localblob asks of a file system. Names are relative, with
// slashes, and never lead outside. It may be used from many goroutines. The
// real one is a directory under os.Root; blobtest/faultfs is one that breaks.
//
// It differs from the os package where durability needs it to: Rename never
// replaces, and a directory can be synced by name. If it also has the method
//
//	Free() (free, total int64, err error)
//
// that stands in where Preallocate is unsupported.
type FS interface {
	// OpenFile is os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)

	// Rename moves a file. It must fail with fs.ErrExist if to exists, except
	// that if to is the very same file it removes from and succeeds: a crash can
	// leave a file under both names.
	Rename(from, to string) error

	// Remove unlinks a file.
	Remove(name string) error

	// Mkdir makes one directory; fs.ErrExist if it is there.
	Mkdir(name string, perm fs.FileMode) error

	// Stat does not follow a link.
	Stat(name string) (fs.FileInfo, error)

	// ReadDir returns the entries in the order of their names.
	ReadDir(name string) ([]fs.DirEntry, error)

	// SyncDir makes the entries of the directory durable: what was created in
	// it, renamed into or out of it, removed from it.
	SyncDir(name string) error
}

// File is an open file of an [FS].
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)

	// Sync makes content and all metadata durable.
	Sync() error

	// SyncData makes content durable, and the metadata needed to read it back.
	SyncData() error

	// Preallocate reserves room for size bytes without changing the length of
	// the file. errors.ErrUnsupported if the file system cannot.
	Preallocate(size int64) error
}
