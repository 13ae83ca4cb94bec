// Package faultfs is a file system in memory that fails when told to and
// forgets what was not synced, as a machine does that loses power.
//
// It is the localblob.FS of tests:
//
//	disk := faultfs.New()
//	disk.Inject(func(c faultfs.Call) error { … }) // fail the n-th call, or a kind
//	d, err := localblob.Open(ctx, localblob.Config{FS: disk})
//	…
//	disk = disk.Crash(seed) // what a reboot finds
//
// The model is stricter than a journalling file system: each directory keeps
// any prefix of its unsynced changes, each file any subset of its unsynced
// pages, the last one perhaps torn, and a sync that fails throws the pages away
// while reading still shows them.
//
// Tests may come in.
package faultfs
