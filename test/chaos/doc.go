// Package chaos breaks the machine under a running server, on purpose and thousands of
// times, and looks afterwards whether a promise was broken: power cuts on real file
// systems, kill -9 between any two system calls, full disks, no inodes, no descriptors,
// failing syncs, a network that lies, races, and a ledger that must not drift.
//
// It has tests only. Each prints its seed; a facility that a machine lacks skips the
// test and says which. `make chaos` runs the release numbers and writes
// docs/RELIABILITY.md; `make test` runs the short form.
//
//	WHARF_CHAOS=release        the release numbers (default: short)
//	WHARF_CHAOS_CUTS=50        one number by itself; likewise _KILLS, _POINTS, _RACES, _LEDGER
//	WHARF_CHAOS_SEED=17        the same random choices again
//	WHARF_CHAOS_RESULTS=FILE   append what was run, a JSON object a line
//	WHARF_CHAOS_DIR=DIR        where images and data are kept (default: the temporary directory)
//
// One oracle judges every fault (world_test.go). The client keeps what it was told, in
// memory and in a journal outside the cut file system, and after each restart:
//
//   - every acknowledged chunk is received; sent again it is 0, with a bit flipped 409
//   - every acknowledged completion downloads with the SHA-256 that was sent
//   - what was refused has no effect; what got no answer is one or the other, for good
//   - used and reserved are the sums of what is listed
//   - no blob without a row, no row without a blob, nothing staged without a session
//   - unfinished uploads go on to the end
package chaos
