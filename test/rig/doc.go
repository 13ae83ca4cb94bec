// Package rig runs the real binary for tests: server processes that can be killed
// and started again on the same data, and plain requests to them with nothing of ours
// in between, so that what a test finds does not depend on the client under test.
//
// Only tests come in. WHARF_BIN names the binary; without it, it is built once.
//
//	srv := rig.NewServer(t)
//	srv.Start()
//	a := rig.NewAPI(t, srv.URL())
//	srv.Kill()
package rig
