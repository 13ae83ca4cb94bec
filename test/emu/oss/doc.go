// Package oss holds requests to the V4 signatures of Alibaba Cloud OSS, in
// headers and in addresses, written from the vendor's documents. It shares no
// code with any driver and knows no objects: it is the judge that an emulator
// of OSS stands on.
//
// Tests may import it. It imports the standard library only.
//
//	j := oss.Judge{Bucket: "b", Region: "cn-hangzhou", Key: "ak", Secret: "sk"}
//	if refused := j.Check(r, now); refused != nil { … }
package oss
