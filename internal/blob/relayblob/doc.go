// Package relayblob keeps bytes in a store that takes only large parts, and
// takes uploads that pass through us in pieces of any size and order: they are
// gathered on the local disk, and a part leaves for the store as soon as it is
// whole.
//
// A piece is acknowledged when it is durable on the local disk. What was sent
// to the store is remembered in memory only: after a restart the parts of an
// unfinished upload are sent again from the disk, so that nothing which a dead
// process left at the store is ever believed. A Commit that is cut short goes on
// where it was when it is called again.
//
// Every key gets a prefix of its own at the store, so that a bucket may hold
// other things: they are neither listed nor touched.
//
// It imports blob, core and errs; the composition root hands it both drivers.
//
//	d, err := relayblob.New(relayblob.Config{Near: disk, Far: bucket, Part: 16 << 20, Prefix: "wharf-1f0c"})
package relayblob
