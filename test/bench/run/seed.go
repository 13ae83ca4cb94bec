//go:build linux

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database of the server that is measured

	"github.com/wharfinger/wharfinger/test/bench/load"
)

// Folders of a million files are not uploaded but cloned: one file of each folder goes
// through the server, and while that is stopped its row is copied, with another id,
// name, size and times. All clones share that one file's version. Columns that are not
// named here are copied as they are, so that a new one needs no change here.

func listDir(files int) string { return fmt.Sprintf("list%d", files) }

// seed fills the folders and returns the server that has them.
func (s *suite) seed(all []peer) (peer, error) {
	var p peer
	for _, x := range all {
		if x.name == ours {
			p = x
		}
	}
	v, err := p.start(s.folder("seed", ours))
	if err != nil {
		return p, err
	}
	for _, n := range s.o.folders {
		if r := v.run(listDir(n), 1).Small(1, 1, time.Minute); r.Err != "" {
			v.stop()
			return p, errors.New(r.Err)
		}
	}
	v.stop()

	t0 := time.Now()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(v.dir, "data", "wharf.db")+"?_pragma=synchronous(OFF)&_pragma=cache_size(-262144)")
	if err != nil {
		return p, err
	}
	db.SetMaxOpenConns(1)
	err = cloneAll(db, s.o.folders)
	fmt.Printf("seeded %v files in %.0f s\n", s.o.folders, time.Since(t0).Seconds())
	return p, errors.Join(err, db.Close())
}

func cloneAll(db *sql.DB, folders []int) error {
	columns, err := columnsOf(db, "nodes")
	if err != nil {
		return err
	}
	for _, n := range folders {
		if err := cloneFile(db, columns, listDir(n), n-1); err != nil {
			return err
		}
	}
	for _, statement := range []string{
		`UPDATE ids SET next = (SELECT max(id) + 1 FROM nodes) WHERE next <= (SELECT max(id) FROM nodes)`,
		`UPDATE groups SET quota = 1125899906842624`, // room for the sessions of 5 TB
		`PRAGMA wal_checkpoint(TRUNCATE)`,
	} {
		if _, err := db.Exec(statement); err != nil {
			return err
		}
	}
	return nil
}

func columnsOf(db *sql.DB, table string) ([]string, error) {
	rows, err := db.Query(`SELECT name FROM pragma_table_info(?)`, table)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}

// cloned says what a clone has of its own; i counts the clones. Multiplied by an odd
// number, i comes in an order of its own for each, and no name comes twice.
var cloned = map[string]string{
	"id":         "?2 + i",
	"name":       "printf('%08x.txt', (i * 2654435761) & 4294967295)",
	"name_key":   "printf('%08x.txt', (i * 2654435761) & 4294967295)",
	"size":       "(i * 40503) % 1000003",
	"created_us": "created_us + (i * 48271) % 1000000007",
	"updated_us": "updated_us + (i * 69621) % 1000000007",
}

func cloneFile(db *sql.DB, columns []string, dir string, n int) error {
	values := make([]string, len(columns))
	for i, c := range columns {
		values[i] = c
		if own, ok := cloned[c]; ok {
			values[i] = own
		}
	}
	var child, last int64
	err := db.QueryRow(`SELECT f.id, (SELECT max(id) FROM nodes) FROM nodes f JOIN nodes d ON d.id = f.parent WHERE d.name = ?`, dir).Scan(&child, &last)
	if err != nil {
		return fmt.Errorf("the file in %s: %w", dir, err)
	}
	var next int64
	if err := db.QueryRow(`SELECT next FROM ids`).Scan(&next); err != nil {
		return err
	}
	text := fmt.Sprintf(`WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < ?3)
		INSERT INTO nodes (%s) SELECT %s FROM k, nodes WHERE nodes.id = ?1`,
		strings.Join(columns, ", "), strings.Join(values, ", "))
	_, err = db.Exec(text, child, max(last, next), n)
	return err
}

// walk finds the deep pages of every folder in every order.
func (s *suite) walk(v *server) (pages []load.Page, err error) {
	for _, n := range s.o.folders {
		for _, order := range []string{"name", "size", "updated_at", "created_at"} {
			first := load.Page{Mode: fmt.Sprintf("list/%d/%s", n, order), Dir: listDir(n), Order: order}
			both, err := load.Walk(v.addr, first, n/10*9)
			if err != nil {
				return nil, err
			}
			pages = append(pages, both...)
		}
	}
	return pages, nil
}
