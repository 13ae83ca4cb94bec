// Package ossblob keeps bytes in a bucket of Alibaba Cloud Object Storage Service,
// by its XML API and its fourth signature (OSS4-HMAC-SHA256). It speaks to the
// store, and to the host that has the keys of the store's callbacks, through the
// RoundTripper it is given and no other way, reads no environment, and never holds
// more of an object than the transport's buffer.
//
// The composition root and this package's tests may import it. It imports blob,
// xmlstore, which does all but the signing, core and errs.
//
//	d, err := ossblob.Open(ctx, ossblob.Config{
//		Bucket: "files", Region: "cn-hangzhou", AccessKey: id, SecretKey: key,
//	}, transport, time.Now)
//	direct := d.(blob.Direct)
package ossblob
