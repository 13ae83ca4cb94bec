package app

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// ward is a data directory with files in it. Its clock is an hour ahead of the
// times of the files, so that nothing is on its way any more.
type ward struct {
	*testing.T
	dir    string
	base   *Base
	engine *upload.Engine
	who    core.Actor
}

func later() time.Time { return time.Now().Add(time.Hour) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ownFile is a size that gets a file of its own in the storage.
const ownFile = blob.MaxPacked + 1000

func newWard(t *testing.T, files int) *ward {
	t.Helper()
	w := &ward{T: t, dir: t.TempDir()}
	w.base = w.open()
	w.engine = w.base.newEngine()
	u, err := w.base.AddUser(t.Context(), NewUser{Email: "a@example.test", Password: "correct horse battery", Quota: GroupQuota})
	must(t, err)
	w.who = core.Actor{User: u.ID, Group: u.Group, Via: core.ViaToken}
	for i := range files {
		w.put(fmt.Sprintf("/f%d", i), bytes.Repeat([]byte{byte(i)}, ownFile+i))
	}
	return w
}

// open opens the directory as a process of its own would.
func (w *ward) open() *Base {
	w.Helper()
	b, err := OpenBase(w.Context(), Config{Data: w.dir, Clock: later})
	must(w, err)
	w.Cleanup(func() { must(w, b.Close()) })
	return b
}

func (w *ward) ref(path string) catalog.Ref {
	w.Helper()
	p, err := core.ParsePath(path)
	must(w, err)
	return catalog.At(p)
}

func (w *ward) put(path string, data []byte) {
	w.Helper()
	q := upload.Request{Ref: w.ref(path), Size: int64(len(data)), Purpose: upload.NewVersion}
	_, err := w.engine.Put(w.Context(), w.who, q, bytes.NewReader(data), nil)
	must(w, err)
}

func (w *ward) version(path string) catalog.Version {
	w.Helper()
	n, err := w.base.catalog.Find(w.Context(), w.who, w.ref(path))
	must(w, err)
	v, err := w.base.store.Catalog().Version(w.Context(), n.Version)
	must(w, err)
	return v
}

// file is where the bytes of a blob lie.
func (w *ward) file(blob string) string {
	return filepath.Join(w.dir, storageDir, "blobs", blob[:2], blob)
}

// flip changes one bit of the bytes of a file, and flips it back when called
// again.
func (w *ward) flip(path string, at int) {
	w.Helper()
	name := w.file(w.version(path).Blob)
	data, err := os.ReadFile(name)
	must(w, err)
	data[at] ^= 0x10
	must(w, os.WriteFile(name, data, 0o600))
}

func (w *ward) doctor(c Checkup) Diagnosis {
	w.Helper()
	d, err := w.open().Doctor(w.Context(), c)
	must(w, err)
	return d
}

func (w *ward) finds(d Diagnosis, want ...catalog.Trouble) {
	w.Helper()
	var got []catalog.Trouble
	for _, f := range d.Findings {
		got = append(got, f.Trouble)
	}
	if !slices.Equal(got, want) {
		w.Fatalf("found %v, want %v\n%+v", got, want, d.Findings)
	}
}

func (w *ward) sql(text string, args ...any) {
	w.Helper()
	db, err := sql.Open("sqlite", filepath.Join(w.dir, databaseFile))
	must(w, err)
	_, err = db.ExecContext(w.Context(), text, args...)
	must(w, err)
	must(w, db.Close())
}

func TestADataDirectoryThatIsWellHasNoFindings(t *testing.T) {
	t.Parallel()
	w := newWard(t, 3)
	w.put("/empty", nil)
	_, err := w.engine.Create(t.Context(), w.who, upload.Request{Ref: w.ref("/open"), Size: 1 << 20})
	must(t, err)
	d := w.doctor(Checkup{Part: 1, Of: 1})
	w.finds(d)
	if d.Versions != 4 || d.Read != 3*ownFile+3 || d.Sessions != 1 || len(d.Promises) != 1 || d.Promises[0].Words == "" {
		t.Errorf("%+v", d)
	}
}

func TestOneBitOfOneBlobInAHundredIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWard(t, 100)
	w.flip("/f42", 500)
	w.finds(w.doctor(Checkup{})) // sizes alone do not tell
	d := w.doctor(Checkup{Part: 1, Of: 1})
	w.finds(d, catalog.BlobDamaged)
	if f := d.Findings[0]; f.Path != "/f42" || f.Version != w.version("/f42").ID || f.Fixed != "" {
		t.Errorf("%+v", f)
	}
	total := 0
	for n := range uint64(7) {
		total += len(w.doctor(Checkup{Part: n + 1, Of: 7}).Findings)
	}
	if total != 1 {
		t.Errorf("the seven parts found it %d times", total)
	}
}

func TestADamagedContentIsNotServedUntilItIsSoundAgain(t *testing.T) {
	t.Parallel()
	w := newWard(t, 2)
	w.flip("/f0", 7)
	d := w.doctor(Checkup{Part: 1, Of: 1, Fix: true})
	w.finds(d, catalog.BlobDamaged)
	if d.Left() != 1 {
		t.Errorf("%d left: marking is not mending", d.Left())
	}
	_, err := w.open().catalog.OpenVersion(t.Context(), w.version("/f0").ID)
	if !errs.Has(err, errs.RecoverNeeded) {
		t.Fatalf("a damaged content was opened: %v", err)
	}
	body, err := w.open().catalog.OpenVersion(t.Context(), w.version("/f1").ID)
	must(t, err)
	must(t, body.Close())

	w.flip("/f0", 7)
	w.finds(w.doctor(Checkup{}), catalog.BlobDamaged) // nobody has looked yet
	w.finds(w.doctor(Checkup{Part: 1, Of: 1, Fix: true}), catalog.BlobHealed)
	w.finds(w.doctor(Checkup{Part: 1, Of: 1}))
	body, err = w.open().catalog.OpenVersion(t.Context(), w.version("/f0").ID)
	must(t, err)
	got, err := io.ReadAll(body)
	must(t, err)
	must(t, body.Close())
	if len(got) != ownFile {
		t.Errorf("%d bytes", len(got))
	}
}

func TestABlobThatIsGoneOrCutIsFoundWithoutReading(t *testing.T) {
	t.Parallel()
	w := newWard(t, 3)
	must(t, os.Remove(w.file(w.version("/f0").Blob)))
	must(t, os.Truncate(w.file(w.version("/f2").Blob), 12))
	w.finds(w.doctor(Checkup{}), catalog.BlobMissing, catalog.BlobSize)
}

func TestAStrayFileIsFoundAndSetAsideNeverDeleted(t *testing.T) {
	t.Parallel()
	w := newWard(t, 2)
	stray := strings.Repeat("ab", 16)
	must(t, os.MkdirAll(filepath.Dir(w.file(stray)), 0o700))
	must(t, os.WriteFile(w.file(stray), []byte("whose?"), 0o600))
	d := w.doctor(Checkup{})
	w.finds(d, catalog.BlobStray)
	if _, err := os.Stat(w.file(stray)); err != nil || d.Left() != 1 {
		t.Fatalf("the dry run changed something: %v", err)
	}
	d = w.doctor(Checkup{Fix: true})
	w.finds(d, catalog.BlobStray)
	kept, err := os.ReadFile(filepath.Join(w.dir, storageDir, "quarantine", later().UTC().Format(time.DateOnly), stray))
	if err != nil || string(kept) != "whose?" || d.Left() != 0 {
		t.Fatalf("%q, %v, %+v", kept, err, d.Findings)
	}
	w.finds(w.doctor(Checkup{}))
}

func TestBytesOnTheirWayAreNoFinding(t *testing.T) {
	t.Parallel()
	w := newWard(t, 1)
	young := strings.Repeat("cd", 16)
	must(t, os.MkdirAll(filepath.Dir(w.file(young)), 0o700))
	must(t, os.WriteFile(w.file(young), nil, 0o600))
	must(t, os.Chtimes(w.file(young), later(), later()))
	failed, err := w.base.keeper.Remove(t.Context(), w.who, []catalog.Ref{w.ref("/f0")})
	must(t, errors.Join(err, failed[0]))
	w.finds(w.doctor(Checkup{Fix: true})) // the doomed blob is the server's
}

func TestALedgerThatDriftedIsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	w := newWard(t, 2)
	w.sql("UPDATE users SET used = used + 7, reserved = 5")
	w.finds(w.doctor(Checkup{}), catalog.LedgerDrift)
	d := w.doctor(Checkup{Fix: true})
	w.finds(d, catalog.LedgerDrift)
	if d.Left() != 0 {
		t.Errorf("%+v", d.Findings)
	}
	w.finds(w.doctor(Checkup{}))
	got, err := w.base.catalog.Capacity(t.Context(), w.who)
	must(t, err)
	if got.Used != 2*ownFile+1 || got.Reserved != 0 {
		t.Errorf("%+v", got)
	}
}

func TestUploadsAndStagedBytesAreComparedBothWays(t *testing.T) {
	t.Parallel()
	w := newWard(t, 0)
	staged := func(blob string) string { return filepath.Join(w.dir, storageDir, "staging", blob[:2], blob) }
	lost, err := w.engine.Create(t.Context(), w.who, upload.Request{Ref: w.ref("/lost"), Size: 1 << 20})
	must(t, err)
	must(t, os.Remove(staged(lost.Session.Blob)))
	stuck, err := w.engine.Create(t.Context(), w.who, upload.Request{Ref: w.ref("/stuck"), Size: 1 << 20})
	must(t, err)
	w.sql("UPDATE sessions SET state = 'sealing' WHERE id = ?", string(stuck.Session.ID))
	w.finds(w.doctor(Checkup{})) // all of it may be on its way
	stray := strings.Repeat("ef", 16)
	must(t, os.MkdirAll(filepath.Dir(staged(stray)), 0o700))
	must(t, os.WriteFile(staged(stray), []byte("x"), 0o600))
	old := later().Add(-time.Hour).UnixMicro()
	w.sql("UPDATE sessions SET created_us = ?, touched_us = ?", old, old)
	w.finds(w.doctor(Checkup{}), catalog.StagedMissing, catalog.SessionStuck, catalog.StagedStray)
}

func TestTheDoctorMayComeWhileTheServerRuns(t *testing.T) {
	t.Parallel()
	w := newWard(t, 5)
	a, err := Open(t.Context(), Config{Data: w.dir, Listen: "127.0.0.1:0", Clock: later, AdminEmail: "b@example.test", AdminPassword: "correct horse battery"})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	busy := make(chan error, 1)
	go func() {
		for i := range 60 {
			q := upload.Request{Ref: w.ref(fmt.Sprintf("/f%d", i%5)), Size: 1000, Purpose: upload.NewVersion}
			if _, err := a.engine.Put(ctx, w.who, q, bytes.NewReader(make([]byte, 1000)), nil); err != nil {
				busy <- err
				return
			}
		}
		busy <- nil
	}()
	for range 3 {
		w.finds(w.doctor(Checkup{Part: 1, Of: 1, Fix: true}))
	}
	must(t, <-busy)
	w.finds(w.doctor(Checkup{Part: 1, Of: 1, Fix: true}))
	stop()
	must(t, <-served)
	must(t, a.Close())
}
