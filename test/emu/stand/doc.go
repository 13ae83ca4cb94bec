// Command stand runs one of the emulated stores by itself, for tests that are not in
// Go: those of the page in a browser. It is an HTTP proxy, because the emulators go by
// the vendors' names; whoever has it for a proxy finds the bucket there. It prints one
// line of JSON that says where it listens and what a policy needs, and ends when its
// input does, so that it never outlives the test.
//
//	go run ./test/emu/stand -kind oss -site 127.0.0.1:5212
package main
