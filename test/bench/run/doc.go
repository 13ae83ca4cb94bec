//go:build linux

// Command run measures the server beside its peers and beside measuring sticks, and
// writes docs/PERFORMANCE.md. `make bench` starts it with everything it needs.
//
// All servers run on one disk and are driven by one generator (test/bench/load), one
// after the other in an order that rotates each round, so that what happens to the
// machine happens to all of them. Ratios are taken within a round and then the median
// of the rounds. What was stored is read back before a figure counts. The processor
// that others used meanwhile stands beside each figure: above some tenths of a core
// the figure tells about the machine and not about the server.
//
//	go run ./test/bench/run -bin .tools/bench -short
package main
