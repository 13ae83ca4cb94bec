// Package cos behaves like Tencent Cloud Object Storage as far as its documents
// tell: the q-sign signature in header or address, objects, multipart uploads,
// listings, deletes in batches, and the vendor's words of refusal. It shares no
// code with the driver, and its reading of the signature is held to the
// published ones.
//
// Tests and a stand-alone run for end-to-end tests may import it. It imports
// shelf and the standard library.
//
//	e := cos.New(cos.Options{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: "id", SecretKey: "key", Clock: time.Now})
//	server := httptest.NewServer(e)
package cos
