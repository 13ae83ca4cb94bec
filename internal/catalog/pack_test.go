package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// packed is a world whose small files lie in packs on a disk that can fail.
type packed struct {
	*world
	disk   *faultfs.FS
	driver blob.Driver
	files  map[string][]byte // what every path must have
}

func setupPacked(t *testing.T) *packed {
	t.Helper()
	w := &packed{world: setup(t)}
	w.fresh()
	return w
}

// fresh begins with an empty disk.
func (w *packed) fresh() {
	w.disk, w.files = faultfs.New(), map[string][]byte{}
	w.open()
}

func (w *packed) open() {
	w.t.Helper()
	d, err := localblob.Open(context.Background(), localblob.Config{FS: w.disk})
	must(w.t, err)
	w.driver, w.bucket = d, blob.New(d, blob.Options{})
}

// settle lets no pack grow any more.
func (w *packed) settle() {
	_ = w.driver.Close()
	w.open()
}

// add packs n files of size bytes at once, every third enciphered.
func (w *packed) add(n, size int) (paths []string) {
	w.t.Helper()
	ctx, st := w.t.Context(), w.store.Catalog()
	ws := make([]blob.Write, n)
	for i := range ws {
		data := blobtest.Content(byte(len(w.files)+1), size+i)
		path := fmt.Sprintf("/f%d", len(w.files))
		w.files[path], paths = data, append(paths, path)
		ws[i] = blob.Write{Range: core.Range{To: int64(len(data))}, Body: bytes.NewReader(data)}
		if i%3 == 2 {
			ws[i].Cipher = blob.NewCipher()
		}
	}
	got, err := w.bucket.Pack(ctx, ws)
	must(w.t, err)
	for i, g := range got {
		must(w.t, g.Err)
		node, err := w.Create(ctx, w.who, w.at(paths[i]), catalog.NewNode{Kind: catalog.File})
		must(w.t, err)
		id, err := st.MintID(ctx)
		must(w.t, err)
		v := catalog.Version{
			ID: core.VersionID(id), Node: node.ID, Owner: w.who.User, Size: ws[i].Range.To, Policy: 1, Blob: g.Key,
			CRC64: g.CRC64, Created: w.now, Creator: w.who.User,
		}
		if c := ws[i].Cipher; c != nil {
			v.Cipher = &catalog.Encryption{Algorithm: blob.CipherName, SealedKey: w.keyring.Seal(c.Key), IV: c.IV[:]}
		}
		must(w.t, st.InTx(ctx, func(tx catalog.Tx) error {
			node.Version, node.Size = v.ID, v.Size
			return errors.Join(tx.Reserve(ctx, w.who.User, v.Size), tx.Settle(ctx, w.who.User, v.Size),
				tx.AddVersion(ctx, v), tx.UpdateNode(ctx, node, node.Rev))
		}))
	}
	return paths
}

func (w *packed) version(path string) catalog.Version {
	w.t.Helper()
	n, err := w.Find(w.t.Context(), w.who, w.at(path))
	must(w.t, err)
	v, err := w.store.Catalog().Version(w.t.Context(), n.Version)
	must(w.t, err)
	return v
}

// remove deletes files; their bytes wait to be unlinked.
func (w *packed) remove(paths ...string) {
	w.t.Helper()
	for _, path := range paths {
		n, err := w.Find(w.t.Context(), w.who, w.at(path))
		must(w.t, err)
		_, err = w.store.Catalog().RemoveTree(w.t.Context(), n.ID, w.now)
		must(w.t, err)
		delete(w.files, path)
	}
}

// sweep is what a running server does once a minute.
func (w *packed) sweep() (catalog.Tidied, error) {
	ctx := context.Background()
	w.now = w.now.Add(time.Minute)
	_, err := w.Reap(ctx, 1, w.now, 1000)
	did, terr := w.TidyPacks(ctx)
	return did, errors.Join(err, terr)
}

// sound asks that every file has its bytes.
func (w *packed) sound(told string) {
	w.t.Helper()
	for _, path := range slices.Sorted(maps.Keys(w.files)) {
		body, err := w.OpenVersion(w.t.Context(), w.version(path).ID)
		if err != nil {
			w.t.Fatalf("%s: %s: %v", told, path, err)
		}
		got, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil || !bytes.Equal(got, w.files[path]) {
			w.t.Fatalf("%s: %s has other bytes: %v", told, path, err)
		}
	}
}

func (w *packed) inspect(fix bool) (found []catalog.Finding) {
	w.t.Helper()
	_, err := w.Inspect(w.t.Context(), catalog.Inspection{
		Read: func(core.VersionID) bool { return true }, Fix: fix, Found: func(f catalog.Finding) { found = append(found, f) },
	})
	must(w.t, err)
	return found
}

func (w *packed) packs() int {
	w.t.Helper()
	got, err := w.bucket.Packs(w.t.Context(), "", 1000)
	must(w.t, err)
	return len(got)
}

func TestAPackGoesWhenAllInItIsDeleted(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	paths := w.add(4, 50)
	w.remove(paths...)
	did, err := w.sweep()
	must(t, err)
	if did.Dropped != 0 {
		t.Error("a pack that grows was dropped")
	}
	w.settle()
	did, err = w.sweep()
	must(t, err)
	if did.Dropped != 1 || w.packs() != 0 {
		t.Errorf("%+v, %d packs left", did, w.packs())
	}
}

func TestPacksOfWhichLittleIsUsedAreCompacted(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	paths := w.add(9, 60)
	w.settle()
	w.remove(paths[:4]...)
	did, err := w.sweep()
	must(t, err)
	if did != (catalog.Tidied{}) {
		t.Errorf("more than half is in use: %+v", did)
	}
	open, err := w.OpenVersion(t.Context(), w.version(paths[8]).ID)
	must(t, err)
	was := w.version(paths[8]).Blob
	w.remove(paths[4:6]...)
	did, err = w.sweep()
	must(t, err)
	if did.Moved != 3 || w.version(paths[8]).Blob == was {
		t.Errorf("%+v", did)
	}
	w.sound("moved")
	if did, err = w.sweep(); err != nil || did != (catalog.Tidied{}) {
		t.Errorf("again: %+v %v", did, err)
	}
	// Who had asked before still gets it.
	got, err := io.ReadAll(open)
	if err = errors.Join(err, open.Close()); err != nil || !bytes.Equal(got, w.files[paths[8]]) {
		t.Errorf("a download under way got %d bytes, %v", len(got), err)
	}
	w.now = w.now.Add(time.Hour)
	did, err = w.sweep()
	must(t, err)
	if did.Dropped != 1 {
		t.Errorf("the old pack stays: %+v", did)
	}
	w.settle()
	if found := w.inspect(false); len(found) > 0 || w.packs() != 1 {
		t.Errorf("%+v, %d packs", found, w.packs())
	}
	if did, err = w.sweep(); err != nil || did != (catalog.Tidied{}) {
		t.Errorf("a pack in full use is moved: %+v %v", did, err)
	}
	w.sound("at the end")
}

func TestTinyFilesAreNotMovedForEver(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	w.add(5, 1)
	w.settle()
	if did, err := w.sweep(); err != nil || did != (catalog.Tidied{}) {
		t.Errorf("%+v %v", did, err)
	}
}

func TestADamagedContentIsMarkedAndStays(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	paths := w.add(8, 60)
	w.settle()
	w.remove(paths[:6]...)
	v := w.version(paths[7])
	at, _ := blob.ParsePacked(v.Blob)
	f, err := w.disk.OpenFile("packs/"+blob.PackName(at.Pack), 2, 0)
	must(t, err)
	_, err = f.WriteAt([]byte{w.files[paths[7]][0] ^ 1}, at.At+16)
	must(t, errors.Join(err, f.Close()))
	did, err := w.sweep()
	must(t, err)
	if did.Moved != 1 || did.Damaged != 1 {
		t.Errorf("%+v", did)
	}
	if now := w.version(paths[7]); now.Blob != v.Blob || now.Damage == "" {
		t.Errorf("%+v", now)
	}
	if did, err = w.sweep(); err != nil || did != (catalog.Tidied{}) {
		t.Errorf("again: %+v %v", did, err)
	}
	delete(w.files, paths[7])
	w.sound("the other")
}

// A database that was restored from a backup knows nothing of packs that are
// younger. They are found, and nothing of them is deleted.
func TestPacksThatNoRowNamesAreFoundAndKept(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	kept := w.add(2, 60)
	w.settle()
	got, err := w.bucket.Pack(t.Context(), []blob.Write{{Range: core.Range{To: 5}, Body: bytes.NewReader([]byte("hello"))}})
	must(t, err)
	w.settle()
	at, _ := blob.ParsePacked(got[0].Key)
	for _, fix := range []bool{false, true} {
		found := w.inspect(fix)
		if len(found) != 1 || found[0].Trouble != catalog.BlobStray || found[0].Blob != at.Pack || (found[0].Fixed != "") != fix {
			t.Fatalf("fix %v: %+v", fix, found)
		}
	}
	if found := w.inspect(false); len(found) > 0 || w.packs() != 1 {
		t.Errorf("set aside, and found again: %+v", found)
	}
	w.sound("set aside")
	// And the other way: a row without its record.
	v := w.version(kept[0])
	_, err = w.bucket.Delete(t.Context(), []string{v.Blob})
	must(t, err)
	if found := w.inspect(false); len(found) != 1 || found[0].Trouble != catalog.BlobMissing || found[0].Version != v.ID {
		t.Errorf("%+v", found)
	}
}

func TestASweepSetsAsideWhatACrashLeftBetweenBytesAndRows(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	w.add(2, 60)
	w.settle()
	_, err := w.bucket.Pack(t.Context(), []blob.Write{{Range: core.Range{To: 5}, Body: bytes.NewReader([]byte("hello"))}})
	must(t, err)
	w.settle()
	if did, err := w.sweep(); err != nil || did != (catalog.Tidied{Aside: 1}) {
		t.Errorf("%+v %v", did, err)
	}
	if found := w.inspect(false); len(found) > 0 || w.packs() != 1 {
		t.Errorf("%+v", found)
	}
	w.sound("set aside")
}

func TestAYoungPackIsNoStray(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	_, err := w.bucket.Pack(t.Context(), []blob.Write{{Range: core.Range{To: 5}, Body: bytes.NewReader([]byte("hello"))}})
	must(t, err)
	w.settle()
	w.now = time.UnixMicro(0).Add(catalog.Settling / 2)
	if found := w.inspect(false); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// The power goes at every call of the file system while packs are compacted,
// contents are deleted and bytes unlinked. Every version has its bytes then and
// ever after, and what nothing names is dropped or found.
func TestPowerCutAtEveryCallOfCompaction(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	points := 1
	for w.cutAt(points) {
		if points++; points > 2000 {
			t.Fatal("the scenario does not end")
		}
	}
	if points < 30 {
		t.Fatalf("the scenario has only %d calls", points)
	}
	t.Logf("%d points", points)
}

func (w *packed) cutAt(n int) (reached bool) {
	for seed := range uint64(2) {
		w.fresh()
		w.halfDead()
		base := w.disk.Calls()
		w.disk.Inject(func(c faultfs.Call) error {
			if c.N == base+n {
				return faultfs.ErrDead
			}
			return nil
		})
		_ = w.tidyAll()
		reached = w.disk.Calls() >= base+n
		told := fmt.Sprintf("cut at call %d, seed %d", n, seed)
		w.disk = w.disk.Crash(seed)
		w.open()
		w.sound(told)
		if err := w.tidyAll(); err != nil {
			w.t.Fatalf("%s: cannot go on: %v", told, err)
		}
		w.sound(told + ", and swept")
		w.settle()
		must(w.t, w.tidyAll())
		w.onlyStrays(told)
		w.empty()
	}
	return reached
}

func (w *packed) halfDead() {
	paths := w.add(6, 70)
	w.settle()
	w.remove(paths[1:5]...)
}

// tidyAll sweeps until all is done.
func (w *packed) tidyAll() error {
	for range 3 {
		if _, err := w.sweep(); err != nil {
			return err
		}
		w.now = w.now.Add(time.Hour)
	}
	return nil
}

// onlyStrays asks that an audit finds nothing but packs that hold what a cut
// left behind, and that each pack that holds nothing else is found.
func (w *packed) onlyStrays(told string) {
	w.t.Helper()
	found := map[string]bool{}
	for _, f := range w.inspect(true) {
		if f.Trouble != catalog.BlobStray || f.Fixed == "" || blob.PackName(f.Blob) == "" {
			w.t.Fatalf("%s: %+v", told, f)
		}
		found[f.Blob] = true
	}
	packs, err := w.bucket.Packs(w.t.Context(), "", 100)
	must(w.t, err)
	for _, p := range packs {
		use, err := w.store.Catalog().PackUse(w.t.Context(), 1, p.Key)
		must(w.t, err)
		if use.Objects == 0 {
			w.t.Fatalf("%s: %s has no row, and nobody found it", told, p.Key)
		}
	}
	w.sound(told + ", and set aside")
}

// empty forgets all files, for the next disk.
func (w *packed) empty() {
	w.t.Helper()
	w.remove(slices.Collect(maps.Keys(w.files))...)
	all, err := w.store.Catalog().DoomedBefore(w.t.Context(), w.now.Add(24*time.Hour), 1000)
	must(w.t, err)
	must(w.t, w.store.Catalog().Forget(w.t.Context(), all))
}

// The process ends between the bytes and the rows, on either side of the commit.
func TestCompactionWhoseTransactionFails(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		w := setupPacked(t)
		w.halfDead()
		broken := catalog.New(catalog.Options{
			Store: failing{w.store.Catalog(), after}, Buckets: w, Keyring: w.keyring, Clock: w.clock,
		})
		_, err := w.Reap(t.Context(), 1, w.now.Add(time.Second), 100)
		must(t, err)
		if _, err := broken.TidyPacks(t.Context()); !errors.Is(err, errGone) {
			t.Fatalf("%v", err)
		}
		told := fmt.Sprintf("committed: %v", after)
		w.sound(told)
		w.settle()
		must(t, w.tidyAll())
		w.settle()
		must(t, w.tidyAll())
		w.onlyStrays(told)
	}
}

var errGone = errors.New("the database is gone")

// failing loses its transactions, or their outcome.
type failing struct {
	catalog.Store
	after bool
}

func (f failing) InTx(ctx context.Context, fn func(catalog.Tx) error) error {
	if f.after {
		if err := f.Store.InTx(ctx, fn); err != nil {
			return err
		}
	}
	return errGone
}

// A file is deleted, or gets new bytes, while its old ones are moved: the new
// place is given up, and the old one is not doomed twice.
func TestWhatGoesWhileItIsMovedStaysGone(t *testing.T) {
	t.Parallel()
	w := setupPacked(t)
	paths := w.add(6, 70)
	w.settle()
	w.remove(paths[:4]...)
	var once bool
	other := catalog.New(catalog.Options{
		Store: before{w.store.Catalog(), func() {
			if !once {
				once = true
				w.remove(paths[5])
			}
		}}, Buckets: w, Keyring: w.keyring, Clock: w.clock,
	})
	did, err := other.TidyPacks(t.Context())
	must(t, err)
	if did.Moved != 1 || !once {
		t.Errorf("%+v", did)
	}
	w.sound("moved")
	must(t, w.tidyAll())
	w.settle()
	must(t, w.tidyAll())
	if found := w.inspect(false); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	if _, err := w.Find(t.Context(), w.who, w.at(paths[5])); !errs.Is(err, errs.NotFound) {
		t.Errorf("%v", err)
	}
}

// before does something before each transaction.
type before struct {
	catalog.Store
	do func()
}

func (b before) InTx(ctx context.Context, fn func(catalog.Tx) error) error {
	b.do()
	return b.Store.InTx(ctx, fn)
}
