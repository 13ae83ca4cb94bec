package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// books is an engine with a quota that is always nearly full.
type books struct {
	t      *testing.T
	bucket *blob.Bucket
	store  *store.Store
	cat    *catalog.Catalog
	keeper *arrange.Keeper
	engine *upload.Engine
	who    core.Actor
	quota  int64

	serial, done, refused atomic.Int64
}

// Bucket implements catalog.Buckets.
func (b *books) Bucket(context.Context, catalog.Policy) (*blob.Bucket, error) { return b.bucket, nil }

func newBooks(t *testing.T, quota int64) *books {
	t.Helper()

	dir := workspace(t)
	root, err := os.OpenRoot(dir)
	check(t, err)
	defer func() { _ = root.Close() }()
	keyring, err := blob.OpenKeyring(root, "master.key")
	check(t, err)
	b := &books{t: t, quota: quota, bucket: blob.New(memblob.Open(), blob.Options{Sync: blob.SyncAnswer})}
	b.store, err = store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "wharf.db"), Clock: time.Now})
	check(t, err)
	t.Cleanup(func() { check(t, b.store.Close()) })
	st := b.store.Catalog()
	ids, err := catalog.MintNodes(t.Context(), st, 2)
	check(t, err)
	b.who = core.Actor{User: core.UserID(ids[0]), Group: 2, Via: core.ViaToken}
	check(t, st.AddUser(t.Context(), catalog.User{
		ID: b.who.User, Email: "a@example.test", Nick: "a", Password: "x", Group: 2, Status: catalog.Active, Quota: quota, Created: time.Now(),
	}, ids[1]))
	p, err := st.Policy(t.Context(), 1)
	check(t, err)
	p.ChunkSize = 64
	check(t, st.SetPolicy(t.Context(), p, p.Rev))
	b.cat = catalog.New(catalog.Options{Store: st, Buckets: b, Keyring: keyring, Clock: time.Now})
	b.keeper = arrange.New(arrange.Options{Store: st, Catalog: b.cat, Clock: time.Now})
	b.engine = upload.New(upload.Options{Store: b.store.Upload(), Catalog: b.cat, Buckets: b, Keyring: keyring, Clock: time.Now})
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheLedgerNeverDriftsAndTheQuotaIsNeverExceeded lets sixteen clients create, send,
// cancel, replace and delete for the last bytes of a quota, with a reader that looks all
// the time. Every so often everything is counted anew.
func TestTheLedgerNeverDriftsAndTheQuotaIsNeverExceeded(t *testing.T) {
	if testing.Short() {
		t.Setenv("WHARF_CHAOS_LEDGER", "1500")
	}
	n := amount(t, "LEDGER", 3000, 100_000)
	rnd, seed := seeded(t)
	b := newBooks(t, 12_000)

	over := make(chan string, 1)
	watching, stop := context.WithCancel(t.Context())
	var watcher sync.WaitGroup
	var looks atomic.Int64
	watcher.Go(func() {
		for watching.Err() == nil {
			c, err := b.cat.Capacity(context.WithoutCancel(watching), b.who)
			if err != nil || c.Used+c.Reserved > b.quota || c.Used < 0 || c.Reserved < 0 {
				over <- fmt.Sprintf("%+v (%v)", c, err)
				return
			}
			looks.Add(1)
			time.Sleep(time.Millisecond) // it is not the one to be tested
		}
	})
	const rounds = 20
	for round := range rounds {
		until := int64(n * (round + 1) / rounds)
		var clients sync.WaitGroup
		for range 16 {
			own := rand.New(rand.NewPCG(rnd.Uint64(), 1))
			clients.Go(func() {
				for b.done.Load() < until && !t.Failed() {
					b.life(own)
				}
			})
		}
		clients.Wait()
		b.recount()
	}
	stop()
	watcher.Wait()
	select {
	case text := <-over:
		t.Errorf("for a moment the books were wrong: %s of %d", text, b.quota)
	default:
	}
	if b.refused.Load() == 0 {
		t.Error("the quota never refused anything: nobody raced for it")
	}
	report(t, seed, map[string]int{
		"operations": int(b.done.Load()), "refused by the quota": int(b.refused.Load()), "looks of the reader": int(looks.Load()), "recounts": rounds,
	})
}

// life is what one client does with one file.
func (b *books) life(rnd *rand.Rand) {
	ref := b.ref(fmt.Sprintf("/f%d", b.serial.Add(1)))
	keep := b.version(rnd, ref, false)
	for keep && rnd.IntN(3) == 0 {
		b.version(rnd, ref, true)
	}
	if keep {
		failed, err := b.keeper.Remove(b.t.Context(), b.who, []catalog.Ref{ref})
		b.did(errors.Join(err, failed[0]))
	}
}

func (b *books) ref(path string) catalog.Ref {
	p, err := core.ParsePath(path)
	if err != nil {
		b.t.Error(err)
	}
	return catalog.At(p)
}

// version sends a content, or gives up half way. It reports whether it is there.
func (b *books) version(rnd *rand.Rand, ref catalog.Ref, over bool) bool {
	q := upload.Request{Ref: ref, URI: "cloudreve://my/x", Size: int64(rnd.IntN(2500))}
	if over {
		q.Purpose = upload.NewVersion
	}
	ticket, err := b.engine.Create(b.t.Context(), b.who, q)
	if errs.Has(err, errs.QuotaFull) {
		b.refused.Add(1)
		b.done.Add(1)
		return false
	}
	if b.did(err); err != nil {
		return false
	}
	s := ticket.Session
	chunks := blob.Chunks(s.Size, s.ChunkSize)
	if rnd.IntN(4) == 0 {
		chunks = rnd.Int64N(chunks)
	}
	var done bool
	for i := range chunks {
		r, err := blob.ChunkRange(s.Size, s.ChunkSize, i)
		if err != nil {
			b.t.Error(err)
			return false
		}
		w, err := b.engine.Write(b.t.Context(), b.who, upload.Chunk{
			Session: s.ID, Body: bytes.NewReader(make([]byte, r.Len())), Place: func(upload.Session) (core.Range, error) { return r, nil },
		})
		if b.did(err); err != nil {
			return false
		}
		done = w.Done
	}
	if !done {
		b.did(b.engine.Abort(b.t.Context(), b.who, s.ID))
	}
	return done
}

func (b *books) did(err error) {
	b.done.Add(1)
	if err != nil {
		b.t.Error(err)
	}
}

func (b *books) recount() {
	b.t.Helper()
	has, err := b.cat.Capacity(b.t.Context(), b.who)
	check(b.t, err)
	rows, err := b.store.Catalog().Recount(b.t.Context(), b.who.User)
	check(b.t, err)
	if has.Used != rows.Used || has.Reserved != rows.Reserved {
		b.t.Errorf("the ledger says %d used, %d reserved; the rows add up to %d and %d", has.Used, has.Reserved, rows.Used, rows.Reserved)
	}
}
