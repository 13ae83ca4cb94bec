package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"strconv"

	"github.com/pressly/goose/v3"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date. Two processes that start at once both
// end with the same schema.
func migrate(ctx context.Context, d dialect.Dialect, db *sql.DB) error {
	dir, kind := "migrations/sqlite", goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d == dialect.Postgres {
		dir, kind = "migrations/postgres", goose.DialectPostgres
		options = append(options, goose.WithSessionLocker(advisoryLock{}))
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(kind, db, files, options...)
	if err != nil {
		return err
	}
	// SQLite has no lock that outlives a transaction: of two processes one may
	// find the tables made while it waited, and finds them recorded next time.
	const tries = 5
	for try := 1; ; try++ {
		if _, err = p.Up(ctx); err == nil {
			break
		}
		if try == tries || d != dialect.SQLite || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, 2*try); err != nil {
			return err
		}
	}
	return refuseNewer(ctx, p)
}

// refuseNewer keeps an old program from writing rows whose meaning has changed.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	if newest := sources[len(sources)-1].Version; has > newest {
		return errs.Newf(errs.Internal, errs.StoreFailed,
			"The database has schema %d, written by a newer version; this program knows %d.", has, newest)
	}
	return nil
}

// advisoryLock lets one process migrate at a time. Unlike goose's own, which asks
// every few seconds, it is woken when the lock is free.
type advisoryLock struct{}

const lockID = 0x77686172 // "whar"

// SessionLock implements lock.SessionLocker. A migration may take longer than
// anybody else should wait for a row.
func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	for _, text := range []string{"SET lock_timeout = 0", "SELECT pg_advisory_lock(" + strconv.Itoa(lockID) + ")"} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// SessionUnlock implements lock.SessionLocker.
func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	for _, text := range []string{"SELECT pg_advisory_unlock(" + strconv.Itoa(lockID) + ")", "RESET lock_timeout"} {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
