package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// crowd fills the root of h with n files by one statement of the engine itself.
func crowd(h *storetest.Home, n int) {
	h.T.Helper()
	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
		return store.Exec(h.Ctx, tx, `WITH RECURSIVE r (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < $1)
			INSERT INTO nodes (id, owner, parent, name, name_key, kind, size, version, created_us, updated_us, meta, session, rev)
			SELECT $2 + i, $3, $4, 'f' || CAST(i AS TEXT), 'f' || CAST(i AS TEXT), 0, i % 1000, 0, i % 500, i, '', '', 1 FROM r`,
			int64(n), int64(1)<<40+int64(h.User.ID)<<24, int64(h.User.ID), int64(h.Root.ID))
	}))
}

// middle is a node in the middle of a crowd of n.
func middle(h *storetest.Home, n int) *catalog.Node {
	i := int64(n/2 + 777)
	return &catalog.Node{
		ID: core.NodeID(int64(1)<<40 + int64(h.User.ID)<<24 + i), Key: fmt.Sprint("f", i), Size: i % 1000,
		Created: time.UnixMicro(i % 500), Updated: time.UnixMicro(i),
	}
}

var indexOf = map[catalog.Order]string{
	catalog.ByName: "nodes_by_name", catalog.BySize: "nodes_by_size", catalog.ByCreated: "nodes_by_created",
	catalog.ByUpdated: "nodes_by_updated",
}

var columnOf = map[catalog.Order]string{
	catalog.ByName: "name_key", catalog.BySize: "size", catalog.ByCreated: "created_us", catalog.ByUpdated: "updated_us",
}

// eachStatement calls fn for every statement of the first and of a deep page of
// every order. By is how far the index must lead: only to the kind, to one value
// and on from an id, or past a value.
func eachStatement(h *storetest.Home, n int, fn func(q catalog.Query, s store.Statement, by string)) {
	for order := range indexOf {
		for _, desc := range []bool{false, true} {
			for _, after := range []*catalog.Node{nil, middle(h, n)} {
				q := catalog.Query{Parent: h.Root.ID, Order: order, Desc: desc, After: after, Limit: 100}
				for _, s := range store.ListingStatements(q) {
					by := "kind"
					if strings.Contains(s.Text, "$4 ORDER") {
						by = "equal"
					} else if strings.Contains(s.Text, "$3 ORDER") {
						by = "past"
					}
					fn(q, s, by)
				}
			}
		}
	}
}

func plan(t *testing.T, q interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}, text string, args ...any,
) string {
	t.Helper()
	rows, err := q.QueryContext(t.Context(), text, args...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		vals := make([]any, len(cols))
		for i := range vals {
			vals[i] = new(sql.NullString)
		}
		if err := rows.Scan(vals...); err != nil {
			t.Fatal(err)
		}
		last, _ := vals[len(vals)-1].(*sql.NullString)
		out.WriteString(last.String + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// PostgreSQL plans by the statistics of the rows. SQLite has none before ANALYZE,
// which nothing here runs: its plan is the same for any size.
const (
	sqliteCrowd   = 5_000
	postgresCrowd = 200_000
)

func TestADeepPageCostsSQLiteWhatTheFirstDoes(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	h := storetest.NewHome(t, s, -1)
	n := sqliteCrowd
	crowd(h, n)
	seen := map[string]bool{}
	eachStatement(h, n, func(q catalog.Query, st store.Statement, by string) {
		later := ">"
		if q.Desc {
			later = "<"
		}
		where := map[string]string{
			"kind":  "(parent=? AND kind=?)",
			"equal": "(parent=? AND kind=? AND " + columnOf[q.Order] + "=? AND rowid" + later + "?)",
			"past":  "(parent=? AND kind=? AND " + columnOf[q.Order] + later + "?)",
		}[by]
		seen[by] = true
		p := plan(t, s.Readers(), "EXPLAIN QUERY PLAN "+st.Text, st.Args...)
		if by == "equal" && q.Order == catalog.ByName {
			return // one row at most: any index will do
		}
		if want := "SEARCH nodes USING INDEX " + indexOf[q.Order] + " " + where + "\n"; p != want {
			t.Errorf("by %s, desc %v, %s: the plan is %q, want %q", q.Order, q.Desc, by, p, want)
		}
	})
	if len(seen) != 3 {
		t.Errorf("only %v were looked at", seen)
	}
}

func TestADeepPageCostsPostgresWhatTheFirstDoes(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	h := storetest.NewHome(t, s, -1)
	n := postgresCrowd
	crowd(h, n)
	conn, err := s.Readers().Conn(h.Ctx)
	h.Must(err)
	defer conn.Close()
	_, err = conn.ExecContext(h.Ctx, "ANALYZE nodes")
	h.Must(err)
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		_, err = conn.ExecContext(h.Ctx, "SET plan_cache_mode = "+mode)
		h.Must(err)
		eachStatement(h, n, func(q catalog.Query, st store.Statement, by string) {
			literals := make([]string, len(st.Args))
			for i, a := range st.Args {
				literals[i] = fmt.Sprint(a)
				if _, ok := a.(string); ok {
					literals[i] = "'" + literals[i] + "'"
				}
			}
			_, err := conn.ExecContext(h.Ctx, "PREPARE listing AS "+st.Text)
			h.Must(err)
			p := plan(t, conn, "EXPLAIN EXECUTE listing ("+strings.Join(literals, ", ")+")")
			_, err = conn.ExecContext(h.Ctx, "DEALLOCATE listing")
			h.Must(err)
			if by == "equal" && q.Order == catalog.ByName {
				return // one row at most: any index will do
			}
			cond := map[string]string{"kind": "(kind = ", "equal": "(id ", "past": "(" + columnOf[q.Order] + " "}[by]
			if !strings.Contains(p, " using "+indexOf[q.Order]+" ") || !strings.Contains(p, cond) ||
				strings.Contains(p, "Sort") || strings.Contains(p, "Filter") {
				t.Errorf("%s, by %s, desc %v, %s: the plan is\n%s", mode, q.Order, q.Desc, by, p)
			}
		})
	}
}
