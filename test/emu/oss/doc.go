// Package oss is Alibaba Cloud OSS as far as drivers of it can tell: one bucket that
// holds requests to the V4 signatures, in headers and in addresses, refuses what the
// vendor refuses, makes signed callbacks and serves the key that they are signed
// with. It is written from the vendor's documents, shares no code with any driver,
// and goes wrong when a test asks for it.
//
// Tests may import it. It imports shelf and the standard library.
//
//	e := oss.New(oss.Options{Bucket: "b", Region: "cn-hangzhou", AccessKey: "ak", SecretKey: "sk", Clock: clock})
//	refused := oss.Judge{Bucket: "b", Region: "cn-hangzhou", Key: "ak", Secret: "sk"}.Check(r, now)
package oss
