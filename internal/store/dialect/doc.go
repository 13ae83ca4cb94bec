// Package dialect knows what SQLite and PostgreSQL mean by their errors: the kind
// and reason of each, whether the transaction around it is still there, whether to
// run it again, and whether a flush has failed.
//
// Only store and its parts may come in.
//
//	return dialect.SQLite.Fail("store.Node", err)
package dialect
