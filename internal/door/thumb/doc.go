// Package thumb is the door to small pictures of files: an address of one for who may
// read the file, and the picture for who has the address.
//
//	d := thumb.New(thumb.Options{Desk: desk, Catalog: cat, Signer: signer, Maker: maker})
//	desk.Mount(d.Routes())
package thumb
