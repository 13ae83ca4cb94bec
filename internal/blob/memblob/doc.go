// Package memblob keeps bytes in memory. It is a whole driver: it passes
// blobtest, and tests of upper rooms stand on it. Nothing survives the process.
//
//	b := blob.New(memblob.Open(), blob.Options{})
//
// Tests may come in.
package memblob
