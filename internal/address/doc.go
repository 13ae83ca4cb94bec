// Package address is the room of lasting addresses of files, which clients call direct
// links: who may make one, and what it opens for whom has it.
//
// An address belongs to a file and not to its path: it survives renames and moves,
// always opens the current content, and ends with the file. Whoever has it needs no
// sign-in. Rows are kept by internal/store/addresses behind the contract of store.go.
//
//	book := address.New(address.Options{Store: addresses.Over(st), Tree: st.Catalog(), Catalog: c, Clock: time.Now})
//	a, err := book.Make(ctx, who, catalog.At(path))
package address
