package store

import (
	"context"
	"database/sql"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/serial"
)

// Windows for the tests, which live outside so that they can use storetest.

const (
	MaxBatch = serial.MaxBatch
	IDBlock  = idBlock
)

var Migrations = migrations

func (s *Store) IsSQLite() bool { return s.dialect == dialect.SQLite }

func (s *Store) Readers() *sql.DB { return s.db }

// Exec runs any statement in a transaction.
func Exec(ctx context.Context, t catalog.Tx, text string, args ...any) error {
	inner, _ := t.(*tx)
	_, err := inner.db.ExecContext(ctx, text, args...)
	return inner.fail("test.Exec", err)
}

// Statement is a text with its arguments.
type Statement struct {
	Text string
	Args []any
}

// ListingStatements are those that a page is read with.
func ListingStatements(q catalog.Query) []Statement {
	var all []Statement
	for _, r := range runs(q, sortings[q.Order]) {
		r.limit = q.Limit
		text, args := r.text()
		all = append(all, Statement{text, args})
	}
	return all
}

// refusing fails statements of one text.
type refusing struct {
	serial.DBTX
	text string
	err  error
}

func (r *refusing) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	if text == r.text && r.err != nil {
		return nil, r.err
	}
	return r.DBTX.PrepareContext(ctx, text)
}

// Refuse makes the writer's statements of that text fail with err until the
// returned function is called. No transaction may run meanwhile.
func (s *Store) Refuse(text string, err error) (again func()) {
	return s.writer.Through(func(db serial.DBTX) serial.DBTX { return &refusing{DBTX: db, text: text, err: err} })
}
