// Package search answers the query of a file URI: which nodes below a folder have
// such a name, kind, size, time or metadata.
//
// A search reads the folders below one after the other, in the order of their
// depth, keeps no more of what it finds than the page that was asked for, and stops
// after a bounded number of nodes and some seconds: then it says so. Names and texts
// are compared by the rules of the protocol, which no database knows, so it needs
// nothing of the store but listings.
//
//	f := search.New(search.Options{Catalog: cat, Tree: store, Clock: clock})
//	l, err := f.List(ctx, who, ref, uri.Query, catalog.ListQuery{Limit: 100})
package search
