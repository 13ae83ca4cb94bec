// Package policies holds what storage at vendors promises, tried on every kind of it
// against a real store or an emulator of one: each thing that can go wrong with an
// upload ends with exactly one file, or none, and the right answer. What passed is the
// table of docs/policies/README.md.
//
// There are only tests here. A new kind of store is one more of worlds.
//
//	go test ./test/policies -update
package policies
