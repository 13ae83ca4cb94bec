// Package address is the door of lasting addresses of files, which the protocol calls
// direct links: made and ended by the owner of the file, opened by anybody.
//
//	d := address.New(address.Options{Desk: desk, Book: book, Catalog: cat, Send: files.SendLasting})
//	desk.Mount(d.Routes())
//	mux.Handle("GET /f/", address.Short(desk))
package address
