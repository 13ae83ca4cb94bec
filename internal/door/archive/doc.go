// Package archive is the door through which many files leave as one: a zip that is
// made while it is sent, so that it needs neither disk nor memory for what is in it.
//
// What goes in is kept for an hour in memory under an id nobody can guess; what is
// there, and who may read it, is looked up again when the archive is made.
//
//	d := archive.New(archive.Options{Desk: desk, Catalog: cat, Signer: signer})
//	desk.Mount(d.Routes())
//	address, err := d.Offer(q, refs, until)
package archive
