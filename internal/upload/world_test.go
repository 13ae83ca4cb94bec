package upload_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// world is an engine over a real SQLite store and a bucket in memory, with a
// clock that the test moves.
type world struct {
	t       *testing.T
	store   *store.Store
	driver  blob.Driver
	bucket  *blob.Bucket
	keyring *blob.Keyring
	catalog *catalog.Catalog
	engine  *upload.Engine
	dir     string

	mu  sync.Mutex
	now time.Time

	who, other core.Actor
	packs      bool // small bodies are no blobs of their own
}

func (w *world) Bucket(context.Context, catalog.Policy) (*blob.Bucket, error) { return w.bucket, nil }

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// setup makes a world with two users of 1 MiB quota each and chunks of 16 bytes.
func setup(t *testing.T) *world {
	t.Helper()
	return setupOver(t, memblob.Open())
}

// setupPacks is setup over a driver that keeps small bodies in packs.
func setupPacks(t *testing.T) *world {
	t.Helper()
	d, err := localblob.Open(t.Context(), localblob.Config{FS: faultfs.New()})
	must(t, err)
	w := setupOver(t, d)
	w.packs = true
	return w
}

func setupOver(t *testing.T, d blob.Driver) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), driver: d}
	root, err := os.OpenRoot(w.dir)
	must(t, err)
	defer root.Close()
	w.keyring, err = blob.OpenKeyring(root, "master.key")
	must(t, err)
	w.bucket = blob.New(w.driver, blob.Options{Sync: blob.SyncAnswer})
	w.start()
	t.Cleanup(func() { must(t, w.store.Close()) })
	w.who, w.other = w.user("a@example.test"), w.user("b@example.test")
	w.setPolicy(func(p *catalog.Policy) { p.ChunkSize = 16 })
	return w
}

// start opens store and engine, as a process does.
func (w *world) start() {
	w.t.Helper()
	var err error
	w.store, err = store.Open(w.t.Context(), store.Config{Path: filepath.Join(w.dir, "wharf.db"), Clock: w.clock})
	must(w.t, err)
	w.catalog = catalog.New(catalog.Options{Store: w.store.Catalog(), Buckets: w, Keyring: w.keyring, Clock: w.clock})
	w.engine = upload.New(upload.Options{
		Store: w.store.Upload(), Catalog: w.catalog, Buckets: w, Keyring: w.keyring, Clock: w.clock,
		Patience: 20 * time.Millisecond,
	})
}

// remove deletes what is at ref for good.
func (w *world) remove(ref catalog.Ref) error {
	keeper := arrange.New(arrange.Options{Store: w.store.Catalog(), Catalog: w.catalog, Clock: w.clock})
	failed, err := keeper.Remove(w.t.Context(), w.who, []catalog.Ref{ref})
	return errors.Join(err, failed[0])
}

// restart ends store and engine and starts them anew over the same bytes.
func (w *world) restart() {
	w.t.Helper()
	must(w.t, w.store.Close())
	w.start()
}

func (w *world) user(email string) core.Actor {
	w.t.Helper()
	ctx, st := w.t.Context(), w.store.Catalog()
	ids, err := catalog.MintNodes(ctx, st, 2)
	must(w.t, err)
	u := catalog.User{
		ID: core.UserID(ids[0]), Email: email, Nick: email, Password: "x", Group: 2, Status: catalog.Active,
		Quota: 1 << 20, Created: w.clock(),
	}
	must(w.t, st.AddUser(ctx, u, ids[1]))
	return core.Actor{User: u.ID, Group: 2, Via: core.ViaToken}
}

func (w *world) setPolicy(change func(*catalog.Policy)) {
	w.t.Helper()
	ctx, st := w.t.Context(), w.store.Catalog()
	p, err := st.Policy(ctx, 1)
	must(w.t, err)
	change(&p)
	must(w.t, st.SetPolicy(ctx, p, p.Rev))
}

func at(t *testing.T, path string) catalog.Ref {
	t.Helper()
	p, err := core.ParsePath(path)
	must(t, err)
	return catalog.At(p)
}

func (w *world) create(path string, size int64, change ...func(*upload.Request)) upload.Ticket {
	w.t.Helper()
	tk, err := w.tryCreate(path, size, change...)
	must(w.t, err)
	return tk
}

func (w *world) tryCreate(path string, size int64, change ...func(*upload.Request)) (upload.Ticket, error) {
	w.t.Helper()
	q := upload.Request{Ref: at(w.t, path), URI: "cloudreve://my" + path, Size: size}
	for _, c := range change {
		c(&q)
	}
	return w.engine.Create(w.t.Context(), w.who, q)
}

func asVersion(q *upload.Request) { q.Purpose = upload.NewVersion }

// send writes chunk i of data, as the session cuts it.
func (w *world) send(s upload.Session, i int64, data []byte) (upload.Written, error) {
	r, err := blob.ChunkRange(s.Size, s.ChunkSize, i)
	must(w.t, err)
	return w.write(s.ID, r, bytes.NewReader(data[r.From:r.To]))
}

func (w *world) write(id core.SessionID, r core.Range, body io.Reader) (upload.Written, error) {
	return w.engine.Write(w.t.Context(), w.who, upload.Chunk{
		Session: id, Body: body, Place: func(upload.Session) (core.Range, error) { return r, nil },
	})
}

func (w *world) sendAll(s upload.Session, data []byte) {
	w.t.Helper()
	for i := range blob.Chunks(s.Size, s.ChunkSize) {
		_, err := w.send(s, i, data)
		must(w.t, err)
	}
}

func (w *world) read(path string) []byte {
	w.t.Helper()
	_, v, err := w.catalog.Choose(w.t.Context(), w.who, at(w.t, path), nil)
	must(w.t, err)
	body, err := w.catalog.OpenVersion(w.t.Context(), v)
	must(w.t, err)
	defer body.Close()
	got, err := io.ReadAll(body)
	must(w.t, err)
	return got
}

func (w *world) capacity() catalog.Capacity {
	w.t.Helper()
	c, err := w.catalog.Capacity(w.t.Context(), w.who)
	must(w.t, err)
	recount, err := w.store.Catalog().Recount(w.t.Context(), w.who.User)
	must(w.t, err)
	if c.Used != recount.Used || c.Reserved != recount.Reserved {
		w.t.Fatalf("the ledger says %+v, its rows %+v", c, recount)
	}
	return c
}

// blobs returns how many finished and unfinished blobs the bucket has.
func (w *world) blobs() (finished, pending int) {
	w.t.Helper()
	page, err := w.bucket.List(w.t.Context(), "", "", 10_000)
	must(w.t, err)
	open, err := w.bucket.Pending(w.t.Context(), "", 10_000)
	must(w.t, err)
	return len(page.Objects), len(open)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(seed uint64, n int64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	_, _ = r.Read(b)
	return b
}
