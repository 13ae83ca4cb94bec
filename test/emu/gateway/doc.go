// Package gateway runs versitygw, a real S3 server over plain files, on loopback
// for tests that want the truth and not an emulator. Tests may come in; they
// skip with the reason where the program is not there.
//
//	s, err := gateway.Start(t.TempDir(), "")
//	if err != nil {
//		t.Skip(err)
//	}
//	t.Cleanup(s.Stop)
package gateway
