package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/store/serial"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Config says where the rows are.
type Config struct {
	Path  string      // file of the SQLite database; its directory must exist
	URL   core.Secret // postgres://…; wins over Path when set
	Clock core.Clock  // measures flushes, to report slow ones
	Log   *slog.Logger
}

// Store is an open database. Its methods may be called from any goroutine.
type Store struct {
	dialect dialect.Dialect
	db      *sql.DB // SQLite: the readers; PostgreSQL: everything
	reads   *tx
	writer  *serial.Writer // SQLite only
	recent  *recent        // SQLite only
	ids     minter
	clock   core.Clock
	log     *slog.Logger
	failure *failure
	known   known // of the writing connection
	closing sync.Once
	jobs    atomic.Int64
	commits atomic.Int64
}

// Open opens the database, proves that its settings keep what was acknowledged,
// and brings the schema up to date. Two processes may open one database.
// Internal or Transient, store_failed, with a note that says what to do.
func Open(ctx context.Context, c Config) (*Store, error) {
	const op = "store.Open"
	if c.Clock == nil {
		return nil, errs.Newf(errs.Internal, errs.StoreFailed, "The store needs a clock.").At(op)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{clock: c.Clock, log: c.Log, failure: newFailure()}
	open := s.openSQLite
	if c.URL != "" {
		open = s.openPostgres
	}
	if err := open(ctx, c); err != nil {
		_ = s.Close()
		return nil, s.fail(op, err)
	}
	return s, nil
}

// Close waits for the transaction that is running and closes the database.
// Calls that come later fail with kind Transient; a second Close does nothing.
func (s *Store) Close() error {
	const op = "store.Close"
	var err error
	s.closing.Do(func() {
		if s.db != nil {
			err = s.db.Close()
		}
		if s.writer != nil { // last, so that SQLite folds its log into the file
			err = errors.Join(err, s.writer.Close())
		}
	})
	return s.fail(op, err)
}

// Catalog returns the view that keeps names, versions and users.
func (s *Store) Catalog() catalog.Store { return catalogView{s.outside()} }

// Upload returns the view that keeps uploads in progress, beside all of Catalog.
func (s *Store) Upload() upload.Store { return uploadView{s.outside()} }

// Auth returns the view that keeps accounts and signed-in devices.
func (s *Store) Auth() auth.Store { return s.outside() }

// Stats counts transactions and the flushes that made them durable.
type Stats struct{ Jobs, Commits int64 }

// Stats returns the counts since Open. On PostgreSQL, which groups commits by
// itself, both are equal.
func (s *Store) Stats() Stats { return Stats{Jobs: s.jobs.Load(), Commits: s.commits.Load()} }

// Site returns a fact about the site, "" when it was never set.
func (s *Store) Site(ctx context.Context, key string) (string, error) {
	const op = "store.Site"
	v, err := s.reads.q.Site(ctx, key)
	if dialect.IsNoRows(err) {
		return "", nil
	}
	return v, s.fail(op, err)
}

// SetSite keeps a fact about the site.
func (s *Store) SetSite(ctx context.Context, key, value string) error {
	const op = "store.SetSite"
	return s.write(ctx, func(t *tx) error {
		return t.fail(op, t.q.SetSite(ctx, query.SetSiteParams{Name: key, Value: value}))
	})
}

// OfferSite keeps value under key unless there is one, and returns what is kept.
// Of many that offer at once, all get the same answer.
func (s *Store) OfferSite(ctx context.Context, key, value string) (string, error) {
	const op = "store.OfferSite"
	var kept string
	err := s.write(ctx, func(t *tx) (err error) {
		if err = t.q.OfferSite(ctx, query.OfferSiteParams{Name: key, Value: value}); err == nil {
			kept, err = t.q.Site(ctx, key)
		}
		return t.fail(op, err)
	})
	return kept, err
}

// fail names op as the place of an error that no query made.
func (s *Store) fail(op string, err error) error { return s.dialect.Fail(op, s.failure.over(err)) }
