package dialect_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
)

// sqliteError is what the driver's error looks like.
type sqliteError int

func (e sqliteError) Error() string { return fmt.Sprintf("sqlite: %d", int(e)) }
func (e sqliteError) Code() int     { return int(e) }

func TestErrorsOfBothEnginesMeanTheSame(t *testing.T) {
	t.Parallel()
	pg := func(code string) error { return &pgconn.PgError{Code: code} }
	for _, c := range []struct {
		kind   errs.Kind
		reason errs.Reason
		sqlite []error
		pg     []error
	}{
		{errs.Exists, errs.NameTaken, []error{sqliteError(2067), sqliteError(1555), sqliteError(2579)}, []error{pg("23505")}},
		{errs.NotFound, errs.PathMissing, []error{sqliteError(787)}, []error{pg("23503")}},
		{errs.Transient, errs.StoreFailed, []error{
			sqliteError(5), sqliteError(517), sqliteError(6), sqliteError(14), driver.ErrBadConn,
		}, []error{
			pg("40001"), pg("40P01"), pg("55P03"), pg("57P01"), pg("57P03"), pg("53300"), pg("08006"), driver.ErrBadConn,
			io.ErrUnexpectedEOF, sql.ErrConnDone, fmt.Errorf("x: %w", &pgconn.ConnectError{}),
		}},
		{errs.NoSpace, errs.DiskFull, []error{sqliteError(13)}, []error{pg("53100")}},
		{errs.Canceled, errs.StoreFailed, []error{sqliteError(9), context.Canceled}, []error{context.DeadlineExceeded}},
		{
			errs.Internal, errs.StoreFailed,
			[]error{sqliteError(11), sqliteError(275), sqliteError(10), errors.New("?")},
			[]error{pg("23514"), pg("42P01"), errors.New("?")},
		},
		{errs.Invalid, errs.BadParam, nil, []error{pg("22021")}},
	} {
		for _, err := range c.sqlite {
			got := dialect.SQLite.Fail("op", err)
			if !errs.Is(got, c.kind) || !errs.Has(got, c.reason) || !errors.Is(got, err) {
				t.Errorf("SQLite's %v became %v, want %v/%v", err, got, c.kind, c.reason)
			}
		}
		for _, err := range c.pg {
			got := dialect.Postgres.Fail("op", err)
			if !errs.Is(got, c.kind) || !errs.Has(got, c.reason) || !errors.Is(got, err) {
				t.Errorf("PostgreSQL's %v became %v, want %v/%v", err, got, c.kind, c.reason)
			}
		}
	}
}

func TestAnErrorThatHasItsReasonKeepsIt(t *testing.T) {
	t.Parallel()
	named := errs.New(errs.Conflict, errs.Locked)
	if got := dialect.SQLite.Fail("op", named); !errs.Is(got, errs.Conflict) || !errs.Has(got, errs.Locked) {
		t.Errorf("got %v", got)
	}
	if dialect.SQLite.Fail("op", nil) != nil {
		t.Error("nothing became an error")
	}
}

func TestACommitNeverFailsForAReasonOfNames(t *testing.T) {
	t.Parallel()
	for err, kind := range map[error]errs.Kind{
		sqliteError(787): errs.Internal, sqliteError(2067): errs.Internal, sqliteError(5): errs.Transient, sqliteError(13): errs.NoSpace,
	} {
		got := dialect.SQLite.FailCommit("op", err)
		if !errs.Is(got, kind) {
			t.Errorf("%v became %v, want %v", err, got, kind)
		}
	}
}

func TestOnlyLostRacesRunAgain(t *testing.T) {
	t.Parallel()
	for code, again := range map[string]bool{"40001": true, "40P01": true, "23505": false, "08006": false, "53100": false} {
		err := dialect.Postgres.Fail("op", &pgconn.PgError{Code: code})
		if dialect.Rerun(errs.Wrap("outer", err)) != again {
			t.Errorf("%s: run again is not %v", code, again)
		}
	}
}
