package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// maxFindings bounds what Check reports of one kind.
const maxFindings = 100

// Ping asks the database a question.
func (s *Store) Ping(ctx context.Context) error {
	const op = "store.Ping"
	var one int64
	return s.fail(op, s.db.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// Size returns how many bytes the database takes on its disk, without the log of
// what is not merged yet.
func (s *Store) Size(ctx context.Context) (int64, error) {
	const op = "store.Size"
	text := "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
	if s.dialect == dialect.Postgres {
		text = "SELECT pg_database_size(current_database())"
	}
	var n int64
	err := s.db.QueryRowContext(ctx, text).Scan(&n)
	return n, s.fail(op, err)
}

// Check is Sound, and recounts the ledgers. Ledgers of users who write meanwhile
// are seen as of one moment.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	const op = "store.Check"
	found, err := s.Sound(ctx)
	if err != nil {
		return nil, s.fail(op, err)
	}
	drifted, err := s.reads.Drifted(ctx, maxFindings)
	for _, d := range drifted {
		found = append(found, fmt.Sprintf("user %d: used %d, counted %d; reserved %d, counted %d",
			d.User, d.Has.Used, d.Counted.Used, d.Has.Reserved, d.Counted.Reserved))
	}
	return found, s.fail(op, err)
}

// Sound reads the whole database and returns what is wrong with it, one finding
// a line; none when it is sound.
func (s *Store) Sound(ctx context.Context) ([]string, error) {
	const op = "store.Sound"
	inner, err := s.db.BeginTx(ctx, s.snapshot())
	if err != nil {
		return nil, s.fail(op, err)
	}
	defer inner.Rollback()
	var found []string
	if s.dialect == dialect.SQLite {
		if found, err = checkSQLite(ctx, inner); err != nil {
			return nil, s.fail(op, err)
		}
	}
	rootless, err := query.New(inner).RootlessUsers(ctx, maxFindings)
	if err != nil {
		return nil, s.fail(op, err)
	}
	for _, id := range rootless {
		found = append(found, fmt.Sprintf("user %d has no root folder", id))
	}
	return found, nil
}

// snapshot is a transaction whose statements all see one moment. A SQLite
// transaction does so by itself.
func (s *Store) snapshot() *sql.TxOptions {
	if s.dialect == dialect.Postgres {
		return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return &sql.TxOptions{ReadOnly: true}
}

func checkSQLite(ctx context.Context, db query.DBTX) ([]string, error) {
	var found []string
	for _, pragma := range []string{"integrity_check", "foreign_key_check"} {
		rows, err := db.QueryContext(ctx, "PRAGMA "+pragma)
		if err != nil {
			return nil, err
		}
		lines, err := printRows(rows)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			if l != "ok" {
				found = append(found, pragma+": "+l)
			}
		}
	}
	return found, nil
}

func printRows(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	cols, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	vals, into := make([]sql.NullString, len(cols)), make([]any, len(cols))
	for i := range vals {
		into[i] = &vals[i]
	}
	var lines []string
	for rows.Next() && len(lines) < maxFindings {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		words := make([]string, len(vals))
		for i, v := range vals {
			words[i] = v.String
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines, rows.Err()
}
