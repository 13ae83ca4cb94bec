//go:build linux

package main

import (
	"cmp"
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

// Each round removes two folders of removed files: into the trash, and for good.
const removed = 100_000

func trashDir(round int) string { return fmt.Sprintf("trash%d", round) }
func goneDir(round int) string  { return fmt.Sprintf("gone%d", round) }

// The tree is so many folders of so many files each.
const (
	treeDir   = "tree"
	treeWidth = 1000
)

// seed fills the folders and returns the server that has them.
func (s *suite) seed(all []peer) (peer, error) {
	var p peer
	for _, x := range all {
		if x.name == ours && !x.tls {
			p = x
		}
	}
	v, err := p.start(s.folder("seed", ours))
	if err != nil {
		return p, err
	}
	dirs := []string{treeDir + "/0"}
	for _, n := range s.o.folders {
		dirs = append(dirs, listDir(n))
	}
	for round := range s.o.rounds {
		dirs = append(dirs, trashDir(round+1), goneDir(round+1))
	}
	for _, dir := range dirs {
		if r := v.run(dir, 1).Small(1, 1, time.Minute); r.Err != "" {
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
	err = cloneAll(db, s.o)
	fmt.Printf("seeded %v files and a tree in %.0f s\n", s.o.folders, time.Since(t0).Seconds())
	return p, errors.Join(err, db.Close())
}

func cloneAll(db *sql.DB, o options) error {
	columns, err := columnsOf(db, "nodes")
	if err != nil {
		return err
	}
	for _, n := range o.folders {
		err = errors.Join(err, cloneFile(db, columns, listDir(n), n-1))
	}
	err = errors.Join(err, cloneFile(db, columns, "0", treeWidth-1), cloneTree(db, columns, o.folders[len(o.folders)-1]/treeWidth-1))
	for round := 1; round <= o.rounds; round++ {
		err = errors.Join(err, cloneFile(db, columns, trashDir(round), removed-1), cloneFile(db, columns, goneDir(round), removed-1))
		err = errors.Join(err, cloneVersions(db, goneDir(round)))
	}
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`UPDATE ids SET next = max(next, (SELECT max(id) + 1 FROM nodes), (SELECT max(id) + 1 FROM versions))`,
		`UPDATE users SET used = (SELECT coalesce(sum(size), 0) FROM versions WHERE versions.owner = users.id)`,
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

// values says what an INSERT … SELECT puts into columns: own where there is one, else
// what the original has.
func values(columns []string, original string, own map[string]string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = cmp.Or(own[c], original+"."+c)
	}
	return strings.Join(all, ", ")
}

func cloneFile(db *sql.DB, columns []string, dir string, n int) error {
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
		strings.Join(columns, ", "), values(columns, "nodes", cloned))
	_, err = db.Exec(text, child, max(last, next), n)
	return err
}

// cloneTree copies the first folder of the tree with its files, n times.
func cloneTree(db *sql.DB, columns []string, n int) error {
	own := map[string]string{
		"id":       "?1 + k.i * 4096 + s.nth",
		"parent":   "iif(s.nth = 0, s.parent, ?1 + k.i * 4096)",
		"name":     "iif(s.nth = 0, k.i, s.name)",
		"name_key": "iif(s.nth = 0, k.i, s.name_key)",
	}
	text := fmt.Sprintf(`WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < ?2),
		top AS (SELECT d.* FROM nodes d JOIN nodes t ON t.id = d.parent WHERE t.name = ?3 AND d.name = '0'),
		s AS MATERIALIZED (SELECT 0 AS nth, top.* FROM top UNION ALL SELECT row_number() OVER (), f.* FROM nodes f JOIN top ON f.parent = top.id)
		INSERT INTO nodes (%s) SELECT %s FROM k, s ORDER BY 1`,
		strings.Join(columns, ", "), values(columns, "s", own))
	var last int64
	if err := db.QueryRow(`SELECT max((SELECT max(id) FROM nodes), (SELECT next FROM ids))`).Scan(&last); err != nil {
		return err
	}
	_, err := db.Exec(text, last, n, treeDir)
	return err
}

// cloneVersions gives each file of a folder a version of its own, as copies have them:
// they share bytes. Room is counted for each.
func cloneVersions(db *sql.DB, dir string) error {
	columns, err := columnsOf(db, "versions")
	if err != nil {
		return err
	}
	const files = `FROM nodes n JOIN nodes d ON d.id = n.parent JOIN versions v ON v.id = n.version WHERE d.name = ?2 AND v.node <> n.id`
	var last int64
	if err := db.QueryRow(`SELECT max(max(id), (SELECT max(id) FROM nodes)) FROM versions`).Scan(&last); err != nil {
		return err
	}
	if _, err := db.Exec(fmt.Sprintf(`INSERT INTO versions (%s) SELECT %s `+files, strings.Join(columns, ", "), values(columns, "v", map[string]string{"id": "n.id + ?1", "node": "n.id"})), last, dir); err != nil {
		return err
	}
	_, err = db.Exec(`UPDATE nodes SET version = id + ?1 WHERE id + ?1 IN (SELECT id FROM versions) AND parent = (SELECT id FROM nodes WHERE name = ?2)`, last, dir)
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
