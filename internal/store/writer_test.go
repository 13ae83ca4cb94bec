package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// The tests of the writer run in a bubble, where one can wait until every
// transaction stands in the queue.

// sqliteError is what the driver's error looks like.
type sqliteError int

func (e sqliteError) Error() string { return fmt.Sprintf("sqlite: %d", int(e)) }
func (e sqliteError) Code() int     { return int(e) }

// hold keeps the writer busy until the returned function is called.
func hold(t *testing.T, names catalog.Store) (release func()) {
	gate, held := make(chan struct{}), make(chan error, 1)
	go func() {
		held <- names.InTx(context.Background(), func(catalog.Tx) error {
			<-gate
			return nil
		})
	}()
	synctest.Wait()
	return func() {
		close(gate)
		if err := <-held; err != nil {
			t.Error(err)
		}
	}
}

func TestTransactionsThatQueueShareOneFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		h := storetest.NewHome(t, s, -1)
		nodes := make([]catalog.Node, store.MaxBatch+10)
		for i := range nodes {
			nodes[i] = h.New(h.Root.ID, fmt.Sprint(i), catalog.File)
		}
		before := s.Stats()
		release := hold(t, h.Names)
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() {
				if err := h.Names.InsertNode(h.Ctx, n); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		release()
		all.Wait()
		after := s.Stats()
		// The one that held, a full batch, and the ten that did not fit in it.
		if jobs, commits := after.Jobs-before.Jobs, after.Commits-before.Commits; jobs != int64(len(nodes)+1) || commits != 3 {
			t.Errorf("%d transactions took %d flushes, want %d in 3", jobs, commits, len(nodes)+1)
		}
	})
}

func TestAFailedFlushFailsEveryTransactionOfItsBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		h := storetest.NewHome(t, s, -1)
		nodes := make([]catalog.Node, 20)
		for i := range nodes {
			nodes[i] = h.New(h.Root.ID, fmt.Sprint(i), catalog.File)
		}
		release := hold(t, h.Names)
		var all sync.WaitGroup
		for i, n := range nodes {
			all.Go(func() {
				err := h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
					if i == 7 { // an orphan that only COMMIT looks at
						return errors.Join(store.Exec(h.Ctx, tx, "PRAGMA defer_foreign_keys = ON"),
							store.Exec(h.Ctx, tx, `INSERT INTO upload_events (session, seq, at_us, kind, start, stop, reason, note)
								VALUES ('nobody', 1, 0, '', 0, 0, '', '')`))
					}
					return tx.InsertNode(h.Ctx, n)
				})
				if !errs.Is(err, errs.Internal) || !errs.Has(err, errs.StoreFailed) {
					t.Errorf("transaction %d said %v", i, err)
				}
			})
		}
		synctest.Wait()
		release()
		all.Wait()
		for _, n := range nodes {
			if _, err := h.Names.Node(h.Ctx, n.ID); !errs.Is(err, errs.NotFound) {
				t.Errorf("a node of the failed batch: %v", err)
			}
		}
		if err := h.Names.InsertNode(h.Ctx, nodes[0]); err != nil {
			t.Errorf("the next batch: %v", err)
		}
	})
}

func TestWhoGivesUpInTheQueueIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		h := storetest.NewHome(t, s, -1)
		release := hold(t, h.Names)
		// Two stand in one batch; the first holds it up while the second leaves.
		gate, first, second := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		go func() {
			first <- h.Names.InTx(h.Ctx, func(catalog.Tx) error { <-gate; return nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(h.Ctx)
		go func() {
			second <- h.Names.InTx(ctx, func(catalog.Tx) error {
				t.Error("it ran")
				return nil
			})
		}()
		synctest.Wait()
		release()
		synctest.Wait()
		cancel()
		if err := <-second; !errs.Is(err, errs.Canceled) {
			t.Errorf("the one that left: %v", err)
		}
		close(gate)
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

func TestOneThatStartedCompletesAlthoughItsCallerLeft(t *testing.T) {
	t.Parallel()
	h := storetest.NewHome(t, storetest.SQLite(t), -1)
	a, b := h.New(h.Root.ID, "a", catalog.File), h.New(h.Root.ID, "b", catalog.File)
	ctx, cancel := context.WithCancel(h.Ctx)
	h.Must(h.Names.InTx(ctx, func(tx catalog.Tx) error {
		h.Must(tx.InsertNode(ctx, a))
		cancel()
		return tx.InsertNode(ctx, b)
	}))
	for _, n := range []catalog.Node{a, b} {
		if _, err := h.Names.Node(h.Ctx, n.ID); err != nil {
			t.Error(err)
		}
	}
}

// A full disk is played by a bound on the pages of the file, which SQLite
// answers in the same way.
func TestAFullDiskIsSaidAndPasses(t *testing.T) {
	t.Parallel()
	h := storetest.NewHome(t, storetest.SQLite(t), -1)
	bound := func(pages string) {
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			return store.Exec(h.Ctx, tx, "PRAGMA max_page_count = "+pages)
		}))
	}
	bound("1") // that is: no more than there are
	fill := func(tx catalog.Tx) error {
		return store.Exec(h.Ctx, tx, "INSERT INTO site (name, value) VALUES ('big', $1)", strings.Repeat("x", 1<<20))
	}
	for name, fn := range map[string]func(catalog.Tx) error{
		"said":      fill,
		"swallowed": func(tx catalog.Tx) error { _ = fill(tx); return nil },
		"gone on": func(tx catalog.Tx) error {
			_ = fill(tx)
			_, err := tx.Node(h.Ctx, h.Root.ID)
			return errors.Join(err, tx.Reserve(h.Ctx, h.User.ID, 1))
		},
	} {
		if err := h.Names.InTx(h.Ctx, fn); !errs.Is(err, errs.NoSpace) || !errs.Has(err, errs.DiskFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := h.Capacity().Reserved; got != 0 {
		t.Errorf("%d bytes were reserved beside the transaction", got)
	}
	bound("1000000")
	h.Must(h.Names.InTx(h.Ctx, fill))
}

// TestACommitThatCouldNotBeWrittenHasNoEffect, and does not stop the next one.
// What a flush that failed does is in failure_test.go.
func TestACommitThatCouldNotBeWrittenHasNoEffect(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	h := storetest.NewHome(t, s, -1)
	n := h.New(h.Root.ID, "n", catalog.File)
	again := s.Refuse("COMMIT", sqliteError(778)) // SQLITE_IOERR_WRITE
	if err := h.Names.InsertNode(h.Ctx, n); !errs.Is(err, errs.Internal) || !errs.Has(err, errs.StoreFailed) {
		t.Error(err)
	}
	again()
	if _, err := h.Names.Node(h.Ctx, n.ID); !errs.Is(err, errs.NotFound) {
		t.Errorf("it left the node: %v", err)
	}
	if err := h.Names.InsertNode(h.Ctx, n); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

func TestABrokenBatchAnswersAllWhoWereInIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		h := storetest.NewHome(t, s, -1)
		nodes := make([]catalog.Node, 9)
		for i := range nodes {
			nodes[i] = h.New(h.Root.ID, fmt.Sprint(i), catalog.File)
		}
		release := hold(t, h.Names)
		again := s.Refuse("RELEASE turn", sqliteError(10))
		var all sync.WaitGroup
		for _, n := range nodes {
			all.Go(func() {
				if err := h.Names.InsertNode(h.Ctx, n); !errs.Has(err, errs.StoreFailed) {
					t.Errorf("got %v", err)
				}
			})
		}
		spoil := h.New(h.Root.ID, "spoil", catalog.File) // only a batch that was spoilt has savepoints
		all.Go(func() {
			err := h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				h.Must(tx.InsertNode(h.Ctx, spoil))
				return fs.ErrInvalid
			})
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("the spoilt one: %v", err)
			}
		})
		synctest.Wait()
		release()
		all.Wait()
		again()
		for _, n := range nodes {
			if _, err := h.Names.Node(h.Ctx, n.ID); !errs.Is(err, errs.NotFound) {
				t.Errorf("node: %v", err)
			}
		}
		again = s.Refuse("BEGIN IMMEDIATE", sqliteError(5))
		if err := h.Names.InsertNode(h.Ctx, nodes[0]); !errs.Is(err, errs.Transient) {
			t.Errorf("a busy database: %v", err)
		}
		again()
		h.Must(h.Names.InsertNode(h.Ctx, nodes[0]))
	})
}

func TestATransactionThatCouldNotBeEndedDoesNotStayInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.SQLite(t)
		h := storetest.NewHome(t, s, -1)
		n := h.New(h.Root.ID, "n", catalog.File)
		again := s.Refuse("ROLLBACK", sqliteError(10))
		if err := h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			return errors.Join(tx.InsertNode(h.Ctx, n), errors.New("no"))
		}); err == nil {
			t.Error("it was committed")
		}
		synctest.Wait() // the answer comes before the end
		again()
		h.Must(s.SetSite(h.Ctx, "a", "b"))
		if _, err := h.Names.Node(h.Ctx, n.ID); !errs.Is(err, errs.NotFound) {
			t.Errorf("the node: %v", err)
		}
	})
}
