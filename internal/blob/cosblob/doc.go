// Package cosblob keeps bytes in a bucket of Tencent Cloud Object Storage, by
// its XML API and its own signature (q-sign, HMAC-SHA1). It speaks to the store
// through the RoundTripper it is given and no other way, reads no environment,
// and never holds more of an object than the transport's buffer.
//
// The composition root and this package's tests may import it. It imports blob,
// xmlstore, which does all but the signing, and core.
//
//	d, err := cosblob.Open(ctx, cosblob.Config{
//		Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: id, SecretKey: key,
//	}, transport, time.Now)
//	direct := d.(blob.Direct)
package cosblob
