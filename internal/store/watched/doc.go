// Package watched is a store that tells what was changed in it. It stands between the
// rooms that write names and the store itself, so that no change of a name is missed,
// whoever makes it; it tells after the transaction has been committed, and reads
// nothing while nobody listens.
//
//	hub := event.New()
//	cat := catalog.New(catalog.Options{Store: watched.Catalog(st.Catalog(), hub), …})
//
// Only the wiring comes in.
package watched
