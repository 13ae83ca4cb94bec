package serial_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/serial"
)

// What rows and callers see of the writer is tested with the store's contracts;
// here is what its owner sees.

// owner writes down what it is told.
type owner struct {
	*serial.Writer
	db      *sql.DB
	told    []string
	down    error
	jobs    atomic.Int64
	commits atomic.Int64
}

func newOwner(t *testing.T) *owner {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (n INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := &owner{db: db}
	o.Writer = serial.New(serial.Options{
		DB: db, Conn: conn, Jobs: &o.jobs, Commits: &o.commits, Log: slog.New(slog.DiscardHandler),
		Clock: func() time.Time { return time.Unix(0, 0) },
		Begun: func(ctx context.Context, db *serial.Prepared) error {
			o.told = append(o.told, "begun")
			_, err := db.ExecContext(ctx, "SAVEPOINT proof; RELEASE proof") // a transaction is open
			return err
		},
		Undone: func() { o.told = append(o.told, "undone") },
		Stop: func(_ context.Context, err error) {
			o.told = append(o.told, "stop")
			if o.down == nil {
				o.down = fmt.Errorf("down: %w", err)
			}
		},
		Down: func() error { return o.down },
	})
	t.Cleanup(func() { _ = o.Close() }) // one test has closed it
	return o
}

// put adds a row and ends with err.
func (o *owner) put(n int, err error) error {
	ctx := context.Background()
	return o.Do(ctx, func(f *serial.Floor) error {
		_, failed := f.ExecContext(ctx, "INSERT INTO t (n) VALUES ($1)", n)
		o.told = append(o.told, fmt.Sprint("put ", n))
		return errors.Join(failed, err)
	})
}

func (o *owner) since(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, o.told); diff != "" {
		t.Errorf("the owner was told (-want +got):\n%s", diff)
	}
	o.told = nil
}

// failing fails one text with what the driver would say.
type failing struct {
	serial.DBTX
	text string
	code code
}

type code int

func (c code) Error() string { return fmt.Sprintf("sqlite: %d", int(c)) }
func (c code) Code() int     { return int(c) }

func (f failing) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	if text == f.text {
		return nil, f.code
	}
	return f.DBTX.PrepareContext(ctx, text)
}

func (o *owner) refuse(text string, c code) (again func()) {
	return o.Through(func(db serial.DBTX) serial.DBTX { return failing{db, text, c} })
}

func TestATransactionThatSucceedsUndoesNothingAndIsCounted(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	if err := o.put(1, nil); err != nil {
		t.Fatal(err)
	}
	o.since(t, "begun", "put 1")
	if jobs, commits := o.jobs.Load(), o.commits.Load(); jobs != 1 || commits != 1 {
		t.Errorf("%d transactions, %d commits", jobs, commits)
	}
}

func TestTheOwnerForgetsWhatATransactionReadBeforeItWasUndone(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	no := errors.New("no")
	if err := o.put(1, no); !errors.Is(err, no) {
		t.Fatal(err)
	}
	o.since(t, "begun", "put 1", "undone", "undone") // the turn, and the batch
	if n := o.commits.Load(); n != 0 {
		t.Errorf("%d commits of nothing", n)
	}
	if err := o.put(1, nil); err != nil { // the key is free
		t.Error(err)
	}
}

func TestACommitThatFailsIsUndoneAndNotCounted(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	again := o.refuse("COMMIT", 778) // SQLITE_IOERR_WRITE
	if err := o.put(1, nil); !errs.Is(err, errs.Internal) || !errs.Has(err, errs.StoreFailed) {
		t.Errorf("got %v", err)
	}
	again()
	o.since(t, "begun", "put 1", "undone")
	if n := o.commits.Load(); n != 0 {
		t.Errorf("%d commits", n)
	}
	if err := o.put(1, nil); err != nil {
		t.Error(err)
	}
}

func TestAFlushThatFailsStopsEverything(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	again := o.refuse("COMMIT", 1034) // SQLITE_IOERR_FSYNC
	if err := o.put(1, nil); !errors.Is(err, o.down) || o.down == nil {
		t.Errorf("got %v, want why all is down", err)
	}
	again()
	o.since(t, "begun", "put 1", "undone", "stop")
	if err := o.put(2, nil); !errors.Is(err, o.down) {
		t.Errorf("the next one: %v", err)
	}
	o.since(t, "stop") // once more, but it did not begin
}

func TestAfterCloseNobodyWrites(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	if err := o.put(1, nil); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.put(2, nil); !errs.Is(err, errs.Transient) {
		t.Errorf("got %v", err)
	}
	o.since(t, "begun", "put 1")
}

func TestATextIsPreparedOnce(t *testing.T) {
	t.Parallel()
	o := newOwner(t)
	count := &counting{DBTX: o.db}
	p := serial.Prepare(count)
	for range 3 {
		var n int
		if err := p.QueryRowContext(t.Context(), "SELECT 1").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
	}
	if count.n != 1 {
		t.Errorf("prepared %d times", count.n)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

type counting struct {
	serial.DBTX
	n int
}

func (c *counting) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	c.n++
	return c.DBTX.PrepareContext(ctx, text)
}
