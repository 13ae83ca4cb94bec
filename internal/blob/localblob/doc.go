// Package localblob keeps bytes as files in one directory of this machine.
//
//	blobs/<2>/<name>         finished objects, never opened for writing
//	staging/<2>/<name>       uploads under way
//	staging/<2>/<name>+lost  an upload whose bytes a failed sync may have lost
//
// <name> is the key with "." for "/", which keeps the order of keys; <2> are its
// first letters. Both trees are on the same file system, so an upload becomes
// an object by one rename. Directories are 0700, files 0600, and nothing is
// reached but through an os.Root.
//
// What is durable when:
//
//	Begin    O_EXCL create, fallocate, fsync of the staging directory (answer)
//	WriteAt  pwrite, fdatasync (answer)
//	Commit   fstat, fsync, rename without replacing, fsync of both directories
//
// A sync that fails is never repeated: on Linux the second would succeed while
// the data is gone (Rebello et al., "Can Applications Recover from fsync
// Failures?", USENIX ATC 2020). The driver says so and stays read-only until it
// is opened again.
//
// Only app comes in, by [Open]:
//
//	d, err := localblob.Open(ctx, localblob.Config{Root: "/srv/wharf/default"})
package localblob
