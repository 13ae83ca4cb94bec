package serial

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// DBTX is what statements run on: a *sql.Conn or a *sql.DB.
type DBTX interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, text string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
}

// Prepared runs each text as a statement that is prepared once. The texts are
// few: those of query/, and of listing.go.
type Prepared struct {
	DBTX // *sql.Conn or *sql.DB

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

// Prepare returns statements over db.
func Prepare(db DBTX) *Prepared {
	return &Prepared{DBTX: db, stmts: map[string]*sql.Stmt{}}
}

func (p *Prepared) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	st := p.stmts[text]
	p.mu.RUnlock()
	if st != nil {
		return st, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.stmts[text]; st != nil {
		return st, nil
	}
	st, err := p.DBTX.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	p.stmts[text] = st
	return st, nil
}

// Close ends the statements. Those of a *sql.Conn outlive it otherwise, and with
// them SQLite keeps every descriptor of the file and its log unfolded.
func (p *Prepared) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for _, st := range p.stmts {
		all = errors.Join(all, st.Close())
	}
	clear(p.stmts)
	return all
}

// ExecContext implements DBTX.
func (p *Prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// QueryContext implements DBTX.
func (p *Prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext implements DBTX.
func (p *Prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st, err := p.stmt(ctx, text)
	if err != nil {
		// Only the pool can make a row that carries an error: it says the same.
		return p.DBTX.QueryRowContext(ctx, text, args...)
	}
	return st.QueryRowContext(ctx, args...)
}
