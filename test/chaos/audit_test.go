package chaos_test

import (
	"context"
	"database/sql"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// audit compares the rows with the bytes, both ways, past the server: it opens the
// database and walks the directory itself.
func (w *world) audit(versions int) {
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(w.srv.Data, "wharf.db"), RawQuery: "_pragma=query_only(ON)&_pragma=busy_timeout(5000)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		w.violated("the database cannot be opened: %v", err)
		return
	}
	defer func() { _ = db.Close() }()

	owned := w.column(db, "SELECT blob FROM versions")
	if len(owned) != versions {
		w.violated("the database has %d versions, the client knows %d", len(owned), versions)
	}
	if doomed := w.column(db, "SELECT blob FROM doomed"); len(doomed) > 0 {
		w.violated("after the sweep of the start, %d deleted blobs wait still", len(doomed))
	}
	staged := w.column(db, "SELECT blob FROM sessions WHERE state IN ('open', 'sealing')")

	storage := filepath.Join(w.srv.Data, "storage")
	found := map[string]bool{}
	err = filepath.WalkDir(storage, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(storage, name)
		key := filepath.Base(name)
		switch {
		case strings.HasPrefix(rel, "blobs/") && owned[key]:
			found[key] = true
		case staged[key]: // staged, or stored and not recorded yet
		default:
			w.violated("%s belongs to nobody", rel)
		}
		return nil
	})
	if err != nil {
		w.violated("walking the storage: %v", err)
	}
	for key := range owned {
		if !found[key] {
			w.violated("the version with the blob %s has no bytes", key)
		}
	}
}

// integrity asks SQLite itself. It reads everything, so it is not done each time.
func (w *world) integrity() {
	db, err := sql.Open("sqlite", filepath.Join(w.srv.Data, "wharf.db"))
	if err != nil {
		w.violated("the database cannot be opened: %v", err)
		return
	}
	defer func() { _ = db.Close() }()
	for answer := range w.column(db, "PRAGMA integrity_check") {
		if answer != "ok" {
			w.violated("integrity_check: %s", answer)
		}
	}
	for answer := range w.column(db, "SELECT \"table\" FROM pragma_foreign_key_check") {
		w.violated("foreign_key_check: %s", answer)
	}
	w.count("integrity checks", 1)
}

func (w *world) column(db *sql.DB, query string) map[string]bool {
	out := map[string]bool{}
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		w.violated("%s: %v", query, err)
		return out
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.violated("%s: %v", query, err)
			return out
		}
		out[s] = true
	}
	if err := rows.Err(); err != nil {
		w.violated("%s: %v", query, err)
	}
	return out
}
