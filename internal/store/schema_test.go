package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// lines reads a query of one text column.
func lines(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var l string
		if err := rows.Scan(&l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func TestBothEnginesHaveOneSchema(t *testing.T) {
	t.Parallel()
	pg, lite := storetest.Postgres(t).Readers(), storetest.SQLite(t).Readers()

	plain := strings.NewReplacer("bigint", "INTEGER", "boolean", "INTEGER", "text", "TEXT", "bytea", "BLOB")
	columns := lines(t, pg, `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
		FROM information_schema.columns WHERE table_schema = current_schema() AND table_name NOT LIKE 'goose%'`)
	for i := range columns {
		columns[i] = plain.Replace(columns[i])
	}
	slices.Sort(columns)
	got := lines(t, lite, `SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || CASE c."notnull" WHEN 1 THEN 'NO' ELSE 'YES' END
		FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`)
	if d := cmp.Diff(columns, got); d != "" {
		t.Errorf("columns (-PostgreSQL +SQLite):\n%s", d)
	}
	if len(columns) < 100 {
		t.Errorf("only %d columns were compared", len(columns))
	}

	// Indexes of CREATE INDEX; those of primary keys are the engines' own.
	indexes := lines(t, pg, `SELECT c.relname || ' ' || CASE WHEN i.indisunique THEN 'unique ' ELSE '' END ||
			(SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary AND t.relname NOT LIKE 'goose%'`)
	got = lines(t, lite, `SELECT l.name || ' ' || CASE l."unique" WHEN 1 THEN 'unique ' ELSE '' END ||
			(SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno))
		FROM sqlite_schema m, pragma_index_list(m.name) l
		WHERE m.type = 'table' AND l.origin = 'c' AND m.name NOT LIKE 'goose%'`)
	for i, name := range indexes {
		if i < len(got) && !slices.Contains(got, name) { // SQLite ends every index with the id
			indexes[i] = strings.TrimSuffix(name, ",id")
		}
	}
	if d := cmp.Diff(indexes, got); d != "" {
		t.Errorf("indexes (-PostgreSQL +SQLite):\n%s", d)
	}
}

func TestKeysSortByBytesOnPostgres(t *testing.T) {
	t.Parallel()
	pg := storetest.Postgres(t).Readers()
	loose := lines(t, pg, `SELECT c.relname || '.' || a.attname FROM pg_index i
		JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
		JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = current_schema()::regnamespace AND l.collname <> 'C' AND t.relname NOT LIKE 'goose%'`)
	if len(loose) > 0 {
		t.Errorf("these indexed columns are not COLLATE \"C\": %v", loose)
	}
}

// What only one of the engines understands, or what hides a value from the
// arguments.
var banned = regexp.MustCompile(`::|\bSERIAL\b|(?i:now\(\)|jsonb|\bANY\s*\(|ILIKE|FOR UPDATE|CURRENT_TIMESTAMP|sqlc\.slice)`)

func TestQueriesAreWrittenForBothEngines(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("query/*.sql")
	if err != nil || len(files) < 5 {
		t.Fatalf("query/*.sql: %v, %v", files, err)
	}
	for _, name := range append(files, "listing.go", "tree.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if hit := banned.FindString(line); hit != "" && !strings.HasPrefix(strings.TrimSpace(line), "--") {
				t.Errorf("%s:%d uses %q", name, i+1, hit)
			}
		}
	}
}

func TestMigrationsOfBothEnginesHaveTheSameNames(t *testing.T) {
	t.Parallel()
	names := func(dir string) []string {
		entries, err := store.Migrations.ReadDir("migrations/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, e := range entries {
			out = append(out, e.Name())
		}
		return out
	}
	if d := cmp.Diff(names("postgres"), names("sqlite")); d != "" {
		t.Errorf("migrations (-PostgreSQL +SQLite):\n%s", d)
	}
}

func TestEveryReaderKeepsWhatWasAcknowledgedAndCannotWrite(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	var conns []*sql.Conn
	for range s.Readers().Stats().MaxOpenConnections {
		c, err := s.Readers().Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for i, c := range conns {
		for pragma, want := range map[string]string{
			"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "30000", "query_only": "1",
		} {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("connection %d: %s is %q, %v; want %q", i, pragma, got, err, want)
			}
		}
		if _, err := c.ExecContext(context.Background(), "DELETE FROM site"); err == nil {
			t.Errorf("connection %d writes", i)
		}
		_ = c.Close()
	}
}

func TestWhatWasHeldBeforeTheUpgradeIsHeldAfterIt(t *testing.T) {
	t.Parallel()
	for engine, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			h := storetest.NewHome(t, open(t), -1)
			held := h.Hold(h.Add(h.Root.ID, "held", catalog.File).ID, 0)
			freed := h.Hold(h.Add(h.Root.ID, "freed", catalog.File).ID, 0)
			text, err := store.Migrations.ReadFile("migrations/" + engine + "/0017_held.sql")
			h.Must(err)
			h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				err := store.Exec(h.Ctx, tx, "CREATE TABLE locks (node BIGINT NOT NULL PRIMARY KEY, token TEXT NOT NULL)")
				if err == nil {
					err = store.Exec(h.Ctx, tx, fmt.Sprintf("INSERT INTO locks VALUES (%d, '%s')", held.Node, held.Token))
				}
				for statement := range strings.SplitSeq(string(text), ";\n") {
					if err == nil && strings.TrimSpace(statement) != "" {
						err = store.Exec(h.Ctx, tx, statement)
					}
				}
				return err
			}))
			got, err := h.Names.LocksUnder(h.Ctx, h.User.ID, h.Root.ID)
			h.Must(err)
			if d := cmp.Diff([]catalog.Lock{held}, got); d != "" {
				t.Errorf("locks (-want +got):\n%s", d)
			}
			if _, err := h.Names.Lock(h.Ctx, freed.Token); !errs.Has(err, errs.LockUnknown) {
				t.Errorf("what its owner had unlocked: %v", err)
			}
		})
	}
}
