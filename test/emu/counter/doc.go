// Package counter is what emulators of stores that speak like S3 have in common over HTTP:
// objects, multipart uploads, listings, deletes in batches, copies and CORS rules. What is
// a vendor's own, its signature before all, is in the vendor's package, and none of it is
// shared with the drivers.
//
// Emulators come in. It imports shelf and the standard library.
//
//	e := counter.New(counter.Vendor{Host: "files.example", Admit: verify, …}, shelf.New(…), nil)
package counter
