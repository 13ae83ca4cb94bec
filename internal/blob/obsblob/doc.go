// Package obsblob keeps bytes in a bucket of Huawei Cloud Object Storage
// Service, by its XML API and its own signature (OBS, HMAC-SHA1). It speaks to
// the store through the RoundTripper it is given and no other way, reads no
// environment, and never holds more of an object than the transport's buffer.
//
// The composition root and this package's tests may import it. It imports blob,
// xmlstore, which does all but the signing, and core.
//
//	d, err := obsblob.Open(ctx, obsblob.Config{
//		Bucket: "files", Region: "cn-north-4", AccessKey: id, SecretKey: key,
//	}, transport, time.Now)
//	direct := d.(blob.Direct)
package obsblob
