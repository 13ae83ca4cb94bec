package store_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func fixed() time.Time { return storetest.Epoch }

func TestRowsAreThereAfterReopening(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(*testing.T) store.Config{
		"sqlite": func(t *testing.T) store.Config {
			// A path that a URL would misread.
			dir := filepath.Join(t.TempDir(), "a b?c#d%41&mode=memory")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			return store.Config{Path: filepath.Join(dir, "wharf %2f.db"), Clock: fixed}
		},
		"postgres": func(t *testing.T) store.Config {
			return store.Config{URL: storetest.PostgresURL(t), Clock: fixed}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			var last int64
			for round := range 3 {
				s, err := store.Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				h := storetest.NewHome(t, s, -1)
				if id := h.ID(); id <= last {
					t.Errorf("round %d minted %d after %d", round, id, last)
				} else {
					last = id
				}
				users, err := h.Names.Users(h.Ctx, 0, 10)
				h.Must(err)
				if len(users) != round+1 {
					t.Errorf("round %d has %d users", round, len(users))
				}
				h.Must(s.Close())
			}
			if c.Path != "" {
				info, err := os.Stat(c.Path)
				if err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("the database file: %v, %v", info, err)
				}
			}
		})
	}
}

func TestTwoThatOpenAtOnceShareOneDatabase(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]func(*testing.T) store.Config{
		"sqlite": func(t *testing.T) store.Config {
			return store.Config{Path: filepath.Join(t.TempDir(), "wharf.db"), Clock: fixed}
		},
		"postgres": func(t *testing.T) store.Config {
			return store.Config{URL: storetest.PostgresURL(t), Clock: fixed}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			const n = 4
			var all sync.WaitGroup
			var mu sync.Mutex
			seen := map[int64]bool{}
			for range n {
				all.Go(func() {
					s, err := store.Open(t.Context(), c)
					if err != nil {
						t.Error(err)
						return
					}
					defer s.Close()
					for range store.IDBlock/2 + 1 {
						id, err := s.Catalog().MintID(t.Context())
						mu.Lock()
						if err != nil || seen[id] {
							t.Errorf("id %d, seen %v, %v", id, seen[id], err)
						}
						seen[id] = true
						mu.Unlock()
					}
					for i := range 5 {
						if err := s.SetSite(t.Context(), fmt.Sprint(i), "x"); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
		})
	}
}

func TestAnotherProcessThatHoldsTheDatabaseIsSaid(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wharf.db")
	h := storetest.NewHome(t, storetest.Open(t, store.Config{Path: path}), -1)
	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
		return store.Exec(h.Ctx, tx, "PRAGMA busy_timeout = 10") // the test has no five seconds
	}))
	other, err := sql.Open("sqlite", path)
	h.Must(err)
	defer other.Close()
	other.SetMaxOpenConns(1)
	_, err = other.ExecContext(h.Ctx, "BEGIN IMMEDIATE")
	h.Must(err)
	if err := h.Store.SetSite(h.Ctx, "a", "b"); !errs.Is(err, errs.Transient) || !errs.Has(err, errs.StoreFailed) {
		t.Errorf("a write said %v", err)
	}
	if _, err := h.Names.Node(h.Ctx, h.Root.ID); err != nil {
		t.Errorf("a read said %v", err)
	}
	_, err = other.ExecContext(h.Ctx, "COMMIT")
	h.Must(err)
	h.Must(h.Store.SetSite(h.Ctx, "a", "b"))
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]store.Config{
		"no path":      {Clock: fixed},
		"no directory": {Path: filepath.Join(dir, "none", "wharf.db"), Clock: fixed},
		"no database":  {Path: garbage, Clock: fixed},
		"no clock":     {Path: filepath.Join(dir, "wharf.db")},
		"no URL":       {URL: "postgres://user:hunter2@%zz/", Clock: fixed},
	} {
		s, err := store.Open(t.Context(), c)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: it was opened", name)
			continue
		}
		if !errs.Is(err, errs.Internal) || !errs.Has(err, errs.StoreFailed) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := store.Open(t.Context(), store.Config{URL: "postgres://nobody@127.0.0.1:1/x?sslmode=disable", Clock: fixed})
	if !errs.Is(err, errs.Transient) || !errs.Has(err, errs.StoreFailed) {
		t.Errorf("no server: %v", err)
	}
}

func TestASchemaOfANewerVersionIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wharf.db")
	c := store.Config{Path: path, Clock: fixed}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Catalog().InTx(t.Context(), func(tx catalog.Tx) error {
		return store.Exec(t.Context(), tx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("got %v", err)
	}
}

func TestPostgresFlushesWhateverTheAddressSays(t *testing.T) {
	t.Parallel()
	for set, want := range map[string]string{"off": "on", "local": "on", "remote_apply": "remote_apply"} {
		u, err := url.Parse(storetest.PostgresURL(t).Reveal())
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("synchronous_commit", set)
		u.RawQuery = q.Encode()
		s := storetest.Open(t, store.Config{URL: core.Secret(u.String())})
		var got string
		if err := s.Readers().QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != want {
			t.Errorf("set to %s it is %s, %v; want %s", set, got, err, want)
		}
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := storetest.NewHome(t, open(t), 100)
			h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				if err := store.Exec(h.Ctx, tx, "UPDATE users SET used = 7"); err != nil {
					return err
				}
				return store.Exec(h.Ctx, tx, "DELETE FROM nodes")
			}))
			found, err := h.Store.Check(h.Ctx)
			h.Must(err)
			all := strings.Join(found, "\n")
			for _, want := range []string{"used 7, counted 0", "no root folder"} {
				if !strings.Contains(all, want) {
					t.Errorf("%q was not found in:\n%s", want, all)
				}
			}
		})
	}
	t.Run("foreign keys", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "wharf.db")
		h := storetest.NewHome(t, storetest.Open(t, store.Config{Path: path}), 100)
		other, err := sql.Open("sqlite", path) // without foreign keys
		h.Must(err)
		defer other.Close()
		_, err = other.ExecContext(h.Ctx, `INSERT INTO upload_events (session, seq, at_us, kind, start, stop, reason, note) VALUES ('nobody', 1, 0, '', 0, 0, '', '')`)
		h.Must(err)
		found, err := h.Store.Check(h.Ctx)
		h.Must(err)
		if len(found) != 1 || !strings.HasPrefix(found[0], "foreign_key_check: upload_events") {
			t.Errorf("found %v", found)
		}
	})
}
