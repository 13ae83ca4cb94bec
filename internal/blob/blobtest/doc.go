// Package blobtest says what a blob.Driver must do, as one suite that every
// driver passes. A driver's own test is its Maker and little else:
//
//	func TestConformance(t *testing.T) {
//		blobtest.Run(t, func(t *testing.T) blobtest.Subject {
//			return blobtest.Subject{Driver: memblob.Open()}
//		})
//	}
//
// A group whose ability the driver does not have is skipped, and the skip says
// which. Tests of drivers may come in; below it is faultfs, the file system
// that breaks.
package blobtest
