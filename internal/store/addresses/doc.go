// Package addresses keeps lasting addresses of files: the rows behind address.Store,
// over part.Base. Only the wiring comes in.
//
//	book := address.New(address.Options{Store: addresses.Over(st), …})
package addresses
