// Package obs behaves like Huawei Cloud Object Storage Service as far as its
// documents tell: the OBS signature in header or address, objects, multipart
// uploads, listings, deletes in batches, the callback of a completion, and the
// vendor's words of refusal. It shares no code with the driver, and its reading
// of the signature is held to those that the vendor's kit made.
//
// Tests and a stand-alone run for end-to-end tests may import it. It imports
// shelf and the standard library.
//
//	e := obs.New(obs.Options{Bucket: "files", Region: "cn-north-4", AccessKey: "id", SecretKey: "key", Clock: time.Now})
//	server := httptest.NewServer(e)
package obs
