// Package ks3 behaves like Kingsoft Cloud KS3 in the mode that the driver speaks: Amazon's
// signature of version 4 with the vendor's regions, in header or address, over the bucket's
// host; objects, multipart uploads, listings, deletes in batches, copies, the header that
// forbids overwriting, and the vendor's words of refusal. It shares no code with the driver, and its
// reading of the signature is held to Amazon's published ones and to those that the vendor's
// kit made.
//
// Tests and a stand-alone run for end-to-end tests may import it. It imports shelf
// and the standard library.
//
//	e := ks3.New(ks3.Options{Bucket: "files", Region: "BEIJING", AccessKey: "id", SecretKey: "key", Clock: time.Now})
//	server := httptest.NewServer(e)
package ks3
