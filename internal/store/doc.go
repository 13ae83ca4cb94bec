// Package store is the only SQL of the house. It keeps the rows that catalog,
// upload and auth ask for, on SQLite or on PostgreSQL, and answers nothing
// before it is durable.
//
// One text per query serves both engines: query/*.sql, checked and turned into
// Go by sqlc. What cannot be the same lives in sqlite.go and postgres.go, and in
// dialect, which knows what both mean by their errors; the listing of folders,
// whose text depends on the question, in listing.go. Migrations are one directory
// per engine and never change once released.
//
// SQLite has one writing connection, which serial owns: transactions queue up
// for it, run one after another, and share one flush to the disk; a flush that
// fails fails all of them.
//
// Only app and the commands open a store; storetest proves the contracts on both
// engines.
//
//	s, err := store.Open(ctx, store.Config{Path: "data/wharf.db", Clock: time.Now})
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	engine := upload.New(upload.Options{Store: s.Upload()})
package store

//go:generate sqlc generate
