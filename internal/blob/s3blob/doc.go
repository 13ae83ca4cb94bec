// Package s3blob keeps bytes in a bucket of Amazon S3 or of a store that speaks
// as it does: MinIO, Cloudflare R2, Ceph, versitygw, and Kingsoft KS3, which is
// a flavour.
//
// Requests of our own go through the vendor's SDK, which is told everything: it
// reads no environment, looks for no credentials, never tries again by itself,
// signs by the clock it is given and speaks through the given RoundTripper. The
// addresses that clients get are signed here, ten thousand at a time; the tests
// hold them against the SDK's own.
//
// The composition root and this package's tests may import it. It imports blob,
// core and errs.
//
//	d, err := s3blob.Open(ctx, s3blob.Config{
//		Region: "eu-central-1", Bucket: "files", AccessKey: id, SecretKey: key,
//	}, transport, time.Now)
//	direct := d.(blob.Direct)
package s3blob
