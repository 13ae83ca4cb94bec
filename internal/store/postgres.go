package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
)

const (
	postgresConns   = 16
	postgresOldest  = 130000 // server_version_num
	postgresConnect = 5 * time.Second
)

func (s *Store) openPostgres(ctx context.Context, c Config) error {
	s.dialect = dialect.Postgres
	cfg, err := pgx.ParseConfig(c.URL.Reveal())
	if err != nil { // the error quotes the URL without its password
		return errs.Newf(errs.Internal, errs.StoreFailed, "The address of the database is not valid.").Because(err)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = postgresConnect
	}
	cfg.RuntimeParams["application_name"] = "wharf"
	cfg.RuntimeParams["lock_timeout"] = "5s"
	s.db = stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(durable))
	s.db.SetMaxOpenConns(postgresConns)
	s.db.SetMaxIdleConns(postgresConns)
	s.reads = newTx(s.dialect, s.db)
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := provePostgres(ctx, conn); err != nil {
		return err
	}
	if err := selfTest(ctx, conn); err != nil {
		return err
	}
	if err := migrate(ctx, s.dialect, s.db); err != nil {
		return err
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "database open",
		slog.String("kind", "postgres"), slog.String("host", cfg.Host), slog.String("database", cfg.Database))
	return nil
}

// durable makes each connection wait for the flush of its commits, whatever the
// server's default; remote_apply already waits for more.
func durable(ctx context.Context, conn *pgx.Conn) error {
	var level string
	if err := conn.QueryRow(ctx, "SHOW synchronous_commit").Scan(&level); err != nil {
		return err
	}
	if level == "on" || level == "remote_apply" {
		return nil
	}
	_, err := conn.Exec(ctx, "SET synchronous_commit = on")
	return err
}

// provePostgres refuses a server that would lose what was acknowledged.
func provePostgres(ctx context.Context, conn *sql.Conn) error {
	for _, p := range []struct{ name, want, why string }{
		{"fsync", "on", "The server runs with fsync=off and loses data in a power cut. Set fsync=on in postgresql.conf."},
		{"server_encoding", "UTF8", "The database must have the encoding UTF8."},
	} {
		var got string
		if err := conn.QueryRowContext(ctx, "SHOW "+p.name).Scan(&got); err != nil {
			return err
		}
		if got != p.want {
			return errs.Newf(errs.Internal, errs.StoreFailed, "%s", p.why)
		}
	}
	var version int64
	if err := conn.QueryRowContext(ctx, "SELECT CAST(current_setting('server_version_num') AS BIGINT)").Scan(&version); err != nil {
		return err
	}
	if version < postgresOldest {
		return errs.Newf(errs.Internal, errs.StoreFailed, "The server is older than PostgreSQL %d.", postgresOldest/10000)
	}
	return nil
}
