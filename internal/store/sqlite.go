package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/serial"
)

// busyTimeout is how long SQLite waits for another process, in milliseconds. Its
// waiters do not queue: on a slow disk one of a few may be unlucky for seconds.
const busyTimeout = 30_000

// pragmas are set on every connection. WAL with synchronous=FULL is the only
// usual combination that keeps the last commit over a power cut.
var pragmas = []struct{ name, value, reads string }{
	{"busy_timeout", strconv.Itoa(busyTimeout), strconv.Itoa(busyTimeout)},
	{"journal_mode", "WAL", "wal"},
	{"synchronous", "FULL", "2"},
	{"foreign_keys", "ON", "1"},
}

func dsn(path string, readOnly bool) string {
	u := url.URL{Scheme: "file", OmitHost: true, Path: path}
	q := url.Values{}
	for _, p := range pragmas {
		q.Add("_pragma", p.name+"("+p.value+")")
	}
	if readOnly {
		q.Add("_pragma", "query_only(ON)")
	} else {
		q.Set("_txlock", "immediate") // goose's transactions; the writer says so itself
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (s *Store) openSQLite(ctx context.Context, c Config) error {
	s.dialect = dialect.SQLite
	if err := createFile(c.Path); err != nil {
		return errs.Newf(errs.Internal, errs.StoreFailed, "The database file %q cannot be opened.", c.Path).Because(err)
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return err
	}
	writes, err := sql.Open("sqlite", dsn(path, false))
	if err != nil {
		return err
	}
	writes.SetMaxOpenConns(1)
	if err := fold(ctx, writes); err != nil {
		_ = writes.Close()
		return err
	}
	if err := migrate(ctx, s.dialect, writes); err != nil {
		_ = writes.Close()
		return err
	}
	conn, err := writes.Conn(ctx)
	if err != nil {
		_ = writes.Close()
		return err
	}
	s.writer = serial.New(serial.Options{
		DB: writes, Conn: conn, Clock: s.clock, Log: s.log, Jobs: &s.jobs, Commits: &s.commits,
		Begun:  func(ctx context.Context, db *serial.Prepared) error { return s.known.check(ctx, db) },
		Undone: s.known.forget, Stop: s.stop, Down: s.failure.down,
	})
	if err := provePragmas(ctx, conn); err != nil {
		return err
	}
	if err := selfTest(ctx, conn); err != nil {
		return err
	}
	return s.openReaders(ctx, path)
}

// openReaders opens the pool and proves each of its connections.
func (s *Store) openReaders(ctx context.Context, path string) error {
	var err error
	if s.db, err = sql.Open("sqlite", dsn(path, true)); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	s.db.SetMaxOpenConns(n)
	s.db.SetMaxIdleConns(n)
	s.reads = newTx(s.dialect, serial.Prepare(s.db))
	s.reads.failure = s.failure
	s.recent = &recent{s: s}
	conns := make([]*sql.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range n {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			return err
		}
		conns = append(conns, conn)
		if err := provePragmas(ctx, conn); err != nil {
			return err
		}
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "database open", slog.String("kind", "sqlite"), slog.String("path", path))
	return nil
}

// createFile makes the database with an owner only: it holds password hashes.
// SQLite gives its -wal and -shm the same mode.
func createFile(path string) error {
	if path == "" {
		return errors.New("no path was given")
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	f, err := root.OpenFile(filepath.Base(path), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// provePragmas trusts no DSN: a misspelt pragma is silently nothing.
func provePragmas(ctx context.Context, conn *sql.Conn) error {
	for _, p := range pragmas {
		var got string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+p.name).Scan(&got); err != nil {
			return err
		}
		if got != p.reads {
			return errs.Newf(errs.Internal, errs.StoreFailed,
				"The database does not keep what was acknowledged: %s is %s, not %s.", p.name, got, p.reads)
		}
	}
	return nil
}

// selfTest refuses a driver that binds $n by order of appearance instead of by
// number, or an engine too old for the queries.
func selfTest(ctx context.Context, conn *sql.Conn) error {
	var a, b, depth int64
	err := conn.QueryRowContext(ctx, `WITH RECURSIVE r (n) AS (SELECT CAST($1 AS BIGINT) UNION ALL SELECT n + 1 FROM r WHERE n < 3)
		SELECT CAST($2 AS BIGINT), CAST($1 AS BIGINT), MAX(n) FROM r WHERE (n, n) > (0, 0)`, int64(1), int64(2)).Scan(&a, &b, &depth)
	if err != nil {
		return err
	}
	if a != 2 || b != 1 || depth != 3 {
		return fmt.Errorf("the database driver answers %d, %d, %d to a question whose answer is 2, 1, 3", a, b, depth)
	}
	return nil
}
