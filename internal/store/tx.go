package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// tx answers all contracts on one connection, transaction or pool.
type tx struct {
	q       *query.Queries
	db      query.DBTX
	dialect dialect
	onError func(error) // told of every error of the driver; may be nil
	failure *failure    // why there are errors at all; may be nil
	known   *known      // nil where rows may change unseen
}

func newTx(d dialect, db query.DBTX) *tx {
	return &tx{q: query.New(db), db: db, dialect: d}
}

// fail names op as the place of err.
func (t *tx) fail(op string, err error) error {
	if err != nil && t.onError != nil {
		t.onError(err)
	}
	return t.dialect.fail(op, t.failure.over(err))
}

// found is fail for a query of one row: none is NotFound with that reason.
func (t *tx) found(op string, err error, missing errs.Reason) error {
	if isNoRows(err) {
		return errs.New(errs.NotFound, missing).At(op)
	}
	return t.fail(op, err)
}

// write runs fn in a transaction and returns when it is durable.
func (s *Store) write(ctx context.Context, fn func(*tx) error) error {
	if s.writer != nil {
		return s.writer.do(ctx, fn)
	}
	const tries = 8
	for try := 1; ; try++ {
		err := s.once(ctx, fn)
		if err == nil || try == tries || !rerun(err) {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return errs.Wrap("store.InTx", err)
		}
	}
}

// pause waits for up to 2, 4, 8… milliseconds, so that two that met do not meet
// again.
func pause(ctx context.Context, try int) error {
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	limit := time.Millisecond << try
	timer := time.NewTimer(limit/4 + limit*time.Duration(b[0])/256)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once is one try on PostgreSQL.
func (s *Store) once(ctx context.Context, fn func(*tx) error) error {
	const op = "store.InTx"
	inner, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return s.fail(op, err)
	}
	defer inner.Rollback()
	s.jobs.Add(1)
	if err := fn(newTx(s.dialect, inner)); err != nil {
		return err
	}
	if err := inner.Commit(); err != nil {
		return s.dialect.failCommit(op, err)
	}
	s.commits.Add(1)
	return nil
}

// prepared runs each text as a statement that is prepared once. The texts are
// few: those of query/, and of listing.go.
type prepared struct {
	query.DBTX // *sql.Conn or *sql.DB

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

func newPrepared(db query.DBTX) *prepared {
	return &prepared{DBTX: db, stmts: map[string]*sql.Stmt{}}
}

func (p *prepared) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
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

// close ends the statements. Those of a *sql.Conn outlive it otherwise, and with
// them SQLite keeps every descriptor of the file and its log unfolded.
func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all error
	for _, st := range p.stmts {
		all = errors.Join(all, st.Close())
	}
	clear(p.stmts)
	return all
}

// ExecContext implements query.DBTX.
func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

// QueryContext implements query.DBTX.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext implements query.DBTX.
func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	st, err := p.stmt(ctx, text)
	if err != nil {
		// Only the pool can make a row that carries an error: it says the same.
		return p.DBTX.QueryRowContext(ctx, text, args...)
	}
	return st.QueryRowContext(ctx, args...)
}
