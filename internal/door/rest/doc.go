// Package rest is the Cloudreve v4 door: it turns HTTP requests of the contract
// into calls of the catalog, the upload engine and auth, and their answers into
// envelopes.
//
// What a request may be is in one table, routes.go: method, path, who may call,
// how large a body. Only codes.go knows which number of the protocol a reason
// has. Bodies of chunks are streamed and never held.
//
// internal/app builds the door and mounts it:
//
//	d := rest.New(rest.Options{Catalog: cat, Engine: eng, Tokens: tok, …})
//	mux.Handle("/api/v4/", d)
package rest
