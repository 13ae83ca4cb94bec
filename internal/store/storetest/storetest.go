package storetest

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

// PostgresEnv names the server to test on.
const PostgresEnv = "WHARF_TEST_POSTGRES"

// Epoch is when the tests happen.
var Epoch = time.UnixMicro(1_900_000_000_123_456).UTC()

func clock() time.Time { return Epoch }

// SQLite opens an empty database in a directory of the test.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Config{Path: filepath.Join(t.TempDir(), "wharf.db")})
}

// Postgres opens an empty schema on the server of PostgresEnv.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, store.Config{URL: PostgresURL(t)})
}

// PostgresURL makes an empty schema and returns the address that leads to it.
// Without PostgresEnv the test is skipped.
func PostgresURL(t testing.TB) core.Secret {
	t.Helper()
	base := os.Getenv(PostgresEnv)
	if base == "" {
		t.Skip(PostgresEnv + " is not set: nothing was tested on PostgreSQL")
	}
	schema := "t_" + strings.ReplaceAll(core.NewUUID(), "-", "")
	exec := func(text string) {
		db, err := sql.Open("pgx", base)
		if err == nil {
			_, err = db.ExecContext(context.Background(), text)
			_ = db.Close()
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	exec("CREATE SCHEMA " + schema)
	t.Cleanup(func() { exec("DROP SCHEMA " + schema + " CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return core.Secret(u.String())
}

// Open opens c with the clock of the tests and closes it at the end.
func Open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	c.Clock = clock
	s, err := store.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// Run proves the contracts on the engine that open opens.
func Run(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	shared := open(t)
	suites := []struct {
		name string
		run  func(*testing.T, *store.Store)
	}{
		{"site", testSite},
		{"ids", testIDs},
		{"seed", testSeed},
		{"tree", testTree},
		{"removal", testRemoval},
		{"listing", testListing},
		{"listing model", testListingModel},
		{"versions", testVersions},
		{"ledger", testLedger},
		{"ledger model", testLedgerModel},
		{"locks", testLocks},
		{"directory", testDirectory},
		{"policies", testPolicies},
		{"sessions", testSessions},
		{"parts", testParts},
		{"trail", testTrail},
		{"audit", testAudit},
		{"damage", testDamage},
		{"packs", testPacks},
		{"copies", testCopies},
		{"copies race", testCopyRaces},
		{"trash", testTrash},
		{"auth", testAuth},
		{"shares", testShares},
		{"shares in other orders", testSharesInOrder},
		{"profiles", testProfiles},
		{"devices", testDevices},
		{"passkeys", testPasskeys},
		{"transactions", testTransactions},
		{"races", testRaces},
	}
	// The suites share a database on purpose: each has users of its own and must
	// not mind the others.
	t.Run("shared", func(t *testing.T) {
		for _, s := range suites {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.run(t, shared)
			})
		}
	})
	t.Run("alone", func(t *testing.T) {
		t.Run("doomed", func(t *testing.T) { t.Parallel(); testDoomed(t, open(t)) })
		t.Run("due", func(t *testing.T) { t.Parallel(); testDue(t, open(t)) })
		t.Run("checks", func(t *testing.T) { t.Parallel(); testChecks(t, open(t)) })
		t.Run("group policy", func(t *testing.T) { t.Parallel(); testGroupPolicy(t, open(t)) })
		t.Run("due nodes", func(t *testing.T) { t.Parallel(); testDueNodes(t, open(t)) })
		t.Run("factors", func(t *testing.T) { t.Parallel(); testFactors(t, open(t)) })
		t.Run("guesses", func(t *testing.T) { t.Parallel(); testGuesses(t, open(t)) })
		t.Run("close", func(t *testing.T) { t.Parallel(); testClose(t, open(t)) })
	})
	t.Run("sound afterwards", func(t *testing.T) {
		found, err := shared.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			t.Errorf("the suites left a database that is not sound:\n%s", strings.Join(found, "\n"))
		}
	})
}

// Home is a user with a root folder, and the store seen from there.
type Home struct {
	T     testing.TB
	Ctx   context.Context //nolint:containedctx // of the test, which is as long as the Home
	Store *store.Store
	Names catalog.Store
	User  catalog.User
	Root  catalog.Node
}

// NewHome adds a user whose quota is quota.
func NewHome(t testing.TB, s *store.Store, quota int64) *Home {
	t.Helper()
	h := &Home{T: t, Ctx: context.Background(), Store: s, Names: s.Catalog()}
	id := h.ID()
	h.User = catalog.User{
		ID: core.UserID(id), Email: fmt.Sprintf("User.%d@Example.test", id), Nick: "nick",
		Password: "$argon2id$v=19$x", Group: 2, Status: catalog.Active, Quota: quota, Epoch: 3,
		Language: "en-US", Created: Epoch,
	}
	h.Must(h.Names.AddUser(h.Ctx, h.User, core.NodeID(h.ID())))
	got, err := h.Names.Walk(h.Ctx, h.User.ID, nil)
	h.Must(err)
	h.Root = got[0]
	return h
}

// ID mints an id.
func (h *Home) ID() int64 {
	h.T.Helper()
	id, err := h.Names.MintID(h.Ctx)
	h.Must(err)
	return id
}

// Must fails the test on an error.
func (h *Home) Must(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

// New returns a node that is not inserted yet.
func (h *Home) New(parent core.NodeID, name string, kind catalog.Kind) catalog.Node {
	h.T.Helper()
	return catalog.Node{
		ID: core.NodeID(h.ID()), Owner: h.User.ID, Parent: parent, Name: name, Key: catalog.NameKey(name), Kind: kind,
		Created: Epoch, Updated: Epoch.Add(time.Second), Rev: 1,
	}
}

// Add inserts a node.
func (h *Home) Add(parent core.NodeID, name string, kind catalog.Kind) catalog.Node {
	h.T.Helper()
	n := h.New(parent, name, kind)
	h.Must(h.Names.InsertNode(h.Ctx, n))
	return n
}

// AddVersion gives a node a version of size bytes, through the ledger.
func (h *Home) AddVersion(n core.NodeID, size int64) catalog.Version {
	h.T.Helper()
	v := h.NewVersion(n, size)
	h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
		return cmp.Or(
			tx.Reserve(h.Ctx, h.User.ID, size),
			tx.Settle(h.Ctx, h.User.ID, size),
			tx.AddVersion(h.Ctx, v))
	}))
	return v
}

// NewVersion returns a version that is not added yet.
func (h *Home) NewVersion(n core.NodeID, size int64) catalog.Version {
	h.T.Helper()
	id := h.ID()
	return catalog.Version{
		ID: core.VersionID(id), Node: n, Owner: h.User.ID, Size: size, Policy: 1, Blob: fmt.Sprintf("ab/cd/%d", id),
		CRC64: 1<<63 | uint64(id), Created: Epoch, Creator: h.User.ID,
	}
}

// Capacity returns the user's ledger.
func (h *Home) Capacity() catalog.Capacity {
	h.T.Helper()
	c, err := h.Names.Capacity(h.Ctx, h.User.ID)
	h.Must(err)
	return c
}

// teller is what *testing.T and *rapid.T share.
type teller interface {
	Helper()
	Errorf(format string, args ...any)
}

func want(t teller, err error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	if err == nil || !errs.Is(err, kind) || !errs.Has(err, reason) {
		t.Errorf("got error %v, want %v/%v", err, kind, reason)
	}
}

func equal[V any](t testing.TB, what string, got, want V) {
	t.Helper()
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// race runs fn n times at once and returns the errors.
func race(n int, fn func(i int) error) []error {
	out := make([]error, n)
	var start, end sync.WaitGroup
	start.Add(1)
	for i := range n {
		end.Go(func() {
			start.Wait()
			out[i] = fn(i)
		})
	}
	start.Done()
	end.Wait()
	return out
}

// onlyOne checks that one of the errors is nil and all others are of that kind.
func onlyOne(t testing.TB, got []error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	won := 0
	for _, err := range got {
		if err == nil {
			won++
		} else {
			want(t, err, kind, reason)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won, want 1", won, len(got))
	}
}

func ids(nodes []catalog.Node) []core.NodeID {
	out := make([]core.NodeID, len(nodes))
	for i, n := range nodes {
		out[i] = n.ID
	}
	return out
}

func sorted[V cmp.Ordered](v []V) []V {
	slices.Sort(v)
	return v
}
