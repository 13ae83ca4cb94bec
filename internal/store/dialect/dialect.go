package dialect

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	lib "modernc.org/sqlite/lib"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Dialect is what the engines do not share.
type Dialect int

// The engines.
const (
	SQLite Dialect = iota
	Postgres
)

// Fail gives an error of the driver its kind and reason. An *errs.Error keeps
// its own.
func (d Dialect) Fail(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *errs.Error
	if errors.As(err, &known) {
		return errs.Wrap(op, err)
	}
	var race *LostRace
	if errors.As(err, &race) { // still lost after the last try
		return errs.New(errs.Transient, errs.StoreFailed).At(op).Because(err)
	}
	classify := classifySQLite
	if d == Postgres {
		classify = classifyPostgres
	}
	kind, reason := classify(err)
	return errs.New(kind, reason).At(op).Because(err)
}

// FailCommit is Fail for an end of a transaction. What its rows would have said
// about names or parents was said before: now nothing is sure but that nothing
// may be acknowledged.
func (d Dialect) FailCommit(op string, err error) error {
	err = d.Fail(op, err)
	switch errs.KindOf(err) {
	case errs.Transient, errs.NoSpace, errs.Canceled, errs.Internal:
		return err
	}
	return errs.New(errs.Internal, errs.StoreFailed).At(op).Because(err)
}

// coded is *sqlite.Error.
type coded interface {
	error
	Code() int
}

// IsNoRows reports that a query of one row found none.
func IsNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// gone are errors that both drivers make when the database is not there.
func gone(err error) bool {
	var n net.Error
	return errors.Is(err, driver.ErrBadConn) || err.Error() == "sql: database is closed" || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &n)
}

func canceled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// classifySQLite follows https://sqlite.org/rescode.html.
func classifySQLite(err error) (errs.Kind, errs.Reason) {
	var e coded
	if !errors.As(err, &e) {
		switch {
		case canceled(err):
			return errs.Canceled, errs.StoreFailed
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return errs.Internal, errs.StoreFailed
		case gone(err):
			return errs.Transient, errs.StoreFailed
		}
		return errs.Internal, errs.StoreFailed
	}
	switch e.Code() {
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY, lib.SQLITE_CONSTRAINT_ROWID:
		return errs.Exists, errs.NameTaken
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return errs.NotFound, errs.PathMissing
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_CANTOPEN, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL:
		return errs.Transient, errs.StoreFailed
	case lib.SQLITE_FULL:
		return errs.NoSpace, errs.DiskFull
	case lib.SQLITE_INTERRUPT:
		return errs.Canceled, errs.StoreFailed
	}
	return errs.Internal, errs.StoreFailed
}

// Undone reports whether SQLite may have rolled back more than the statement
// (https://sqlite.org/lang_transaction.html §3), so that nothing that follows
// would be in the transaction any more.
func Undone(err error) bool {
	var e coded
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_BUSY, lib.SQLITE_INTERRUPT, lib.SQLITE_CORRUPT:
		return true
	}
	return false
}

// Unflushed reports whether the kernel refused to flush. It may have marked the
// pages clean all the same, so that a second try would lie (USENIX ATC'20, "Can
// Applications Recover from fsync Failures?").
func Unflushed(err error) bool {
	var e coded
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() {
	case lib.SQLITE_IOERR_FSYNC, lib.SQLITE_IOERR_DIR_FSYNC:
		return true
	}
	return false
}

// classifyPostgres follows https://www.postgresql.org/docs/current/errcodes-appendix.html.
func classifyPostgres(err error) (errs.Kind, errs.Reason) {
	var connect *pgconn.ConnectError
	var e *pgconn.PgError
	switch {
	case errors.As(err, &e):
	case errors.As(err, &connect): // before canceled: it may hold the deadline of the dial
		return errs.Transient, errs.StoreFailed
	case canceled(err):
		return errs.Canceled, errs.StoreFailed
	case gone(err), pgconn.SafeToRetry(err):
		return errs.Transient, errs.StoreFailed
	default:
		return errs.Internal, errs.StoreFailed
	}
	switch e.Code {
	case "23505": // unique_violation
		return errs.Exists, errs.NameTaken
	case "23503": // foreign_key_violation
		return errs.NotFound, errs.PathMissing
	case "22021", "22P05": // text that the server's encoding has no place for
		return errs.Invalid, errs.BadParam
	case "53100": // disk_full
		return errs.NoSpace, errs.DiskFull
	case "40001", "40P01", "55P03", // serialization_failure, deadlock_detected, lock_not_available
		"57014", "57P01", "57P02", "57P03", "57P05", // canceled or shut down by the operator
		"53200", "53300", "25006", "25P03": // out of memory, of connections, read-only standby, idle too long
		return errs.Transient, errs.StoreFailed
	}
	if len(e.Code) == 5 && e.Code[:2] == "08" { // connection_exception
		return errs.Transient, errs.StoreFailed
	}
	return errs.Internal, errs.StoreFailed
}

// LostRace marks a transaction that met another one and will succeed or be
// refused for a better reason when it runs again.
type LostRace struct{ Err error }

// Error implements error.
func (l *LostRace) Error() string { return "lost a race: " + l.Err.Error() }

// Unwrap returns what was lost.
func (l *LostRace) Unwrap() error { return l.Err }

// Rerun reports that a transaction may succeed when it runs again.
func Rerun(err error) bool {
	var race *LostRace
	var e *pgconn.PgError
	return errors.As(err, &race) ||
		errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// IsForeignKey reports whether err is a row that still has, or no longer has,
// the other row it belongs to.
func IsForeignKey(err error) bool {
	var e *pgconn.PgError
	var l coded
	return errors.As(err, &e) && e.Code == "23503" ||
		errors.As(err, &l) && l.Code() == lib.SQLITE_CONSTRAINT_FOREIGNKEY
}
