// Package share is the room of share links: who may make one, what it opens and
// for how long, its password and how often it was opened.
//
// It is the catalog's Gate: the catalog asks it about every place in a share, at
// each request anew. Rows are kept by internal/store/shares behind the contract
// of store.go. Doors come in; share itself imports catalog, core and errs.
//
//	links := share.New(share.Options{Store: shares, Tree: st.Catalog(), Guesses: bound, Vault: vault, Clock: time.Now})
//	c := catalog.New(catalog.Options{Gate: links, …})
//	s, err := links.Make(ctx, who, catalog.At(path), share.Terms{Private: true})
package share
