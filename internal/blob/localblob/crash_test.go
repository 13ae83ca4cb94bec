package localblob_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	fileSize  = 5*faultfs.Page*3 + 7
	partSize  = 3*faultfs.Page - 5 // neighbours share a page
	uploadKey = "u0/upload"
	putKey    = "put"
)

var (
	content    = blobtest.Content(1, fileSize)
	putContent = blobtest.Content(2, 2*faultfs.Page+1)
)

func parts(t testing.TB) (out []core.Range) {
	for i := range blob.Chunks(fileSize, partSize) {
		r, err := blob.ChunkRange(fileSize, partSize, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// life is what the caller was told in the life of one upload, the one truth
// that outlives every crash.
type life struct {
	t         testing.TB
	sync      blob.Sync
	begun     bool
	got       []blob.Receipt
	committed bool
	put       bool
	at        string // what was tried last
}

func (l *life) handle() blob.Handle { return blob.Handle{Key: uploadKey, Size: fileSize} }

func (l *life) has(r core.Range) bool {
	return slices.ContainsFunc(l.got, func(g blob.Receipt) bool { return g.Range == r })
}

// live does all that is not done yet, and stops at the first error.
func (l *life) live(d blob.Driver) error {
	ctx, b := context.Background(), blob.New(d, blob.Options{Sync: l.sync})
	if !l.put {
		l.at = "put"
		// A try that failed may have come to any point.
		if err := b.Abort(ctx, blob.Handle{Key: putKey}); err != nil {
			return err
		}
		if failed, err := b.Delete(ctx, []string{putKey}); err != nil || len(failed) > 0 {
			return cmp.Or(err, errors.Join(errOf(failed)...))
		}
		if _, err := b.Put(ctx, putKey, blobtest.Bytes(putContent), nil); err != nil {
			return err
		}
		l.put = true
	}
	if !l.begun {
		l.at = "begin"
		// One that nobody was told of is for the reaper.
		if err := b.Abort(ctx, l.handle()); err != nil {
			return err
		}
		if _, err := b.Begin(ctx, uploadKey, fileSize); err != nil {
			return err
		}
		l.begun = true
	}
	plan := parts(l.t)
	slices.Reverse(plan[1:]) // out of order
	for _, r := range plan {
		if l.has(r) {
			continue
		}
		l.at = fmt.Sprintf("write %v", r)
		g, err := b.WriteAt(ctx, l.handle(), blob.Write{Range: r, Body: bytes.NewReader(content[r.From:r.To])})
		if err != nil {
			return err
		}
		l.got = append(l.got, g)
	}
	l.at = "commit"
	if _, err := b.Commit(ctx, l.handle(), l.got, nil); err != nil {
		return err
	}
	l.committed = true
	l.at = "end"
	return nil
}

func errOf(failed []blob.KeyError) (out []error) {
	for _, f := range failed {
		out = append(out, f.Err)
	}
	return out
}

// check holds the disk to what was said: parts that were acknowledged are
// there, if they were promised to survive this; finished objects are whole.
func (l *life) check(d blob.Driver, partsSurvive bool) {
	l.t.Helper()
	ctx := context.Background()
	page, err := d.List(ctx, "", "", 10)
	if err != nil {
		l.t.Fatalf("List: %v", err)
	}
	there := map[string]bool{}
	for _, o := range page.Objects {
		there[o.Key] = true
		want := content
		if o.Key == putKey {
			want = putContent
		}
		if got := readAll(l.t, d.Open, o.Key, core.Range{To: o.Size}); !bytes.Equal(got, want) {
			l.t.Fatalf("%s is finished and not whole: %d of %d bytes", o.Key, len(got), len(want))
		}
	}
	if l.put && !there[putKey] {
		l.t.Fatal("the object that was put is gone")
	}
	if l.committed && !there[uploadKey] {
		l.t.Fatal("the committed object is gone")
	}
	// A cut may bring the staged name of a Put back: sweeping it away leaves the
	// object as it is.
	if err := d.(blob.Parts).Abort(ctx, blob.Handle{Key: putKey}); err != nil && !errors.Is(err, blob.ErrSuspect) {
		l.t.Fatalf("sweeping after a Put: %v", err)
	}
	if _, err := d.Stat(ctx, putKey); l.put && err != nil {
		l.t.Fatalf("the sweep took the object that was put: %v", err)
	}
	if pending := l.pending(d); l.committed && len(pending) > 0 {
		l.t.Fatalf("the committed upload is still staged: %v", pending)
	}
	if there[uploadKey] || !partsSurvive {
		return
	}
	for _, g := range l.got {
		staged := func(ctx context.Context, _ string, r core.Range) (io.ReadCloser, error) {
			return d.(blob.Parts).Staged(ctx, l.handle(), r)
		}
		if got := readAll(l.t, staged, "", g.Range); !bytes.Equal(got, content[g.Range.From:g.Range.To]) {
			l.t.Fatalf("part %v was acknowledged and is lost", g.Range)
		}
	}
}

func (l *life) pending(d blob.Driver) []blob.Handle {
	l.t.Helper()
	hs, err := d.(blob.Parts).Pending(context.Background(), "", 10)
	if err != nil {
		l.t.Fatalf("Pending: %v", err)
	}
	return hs
}

func readAll(t testing.TB, open func(context.Context, string, core.Range) (io.ReadCloser, error), key string, r core.Range) []byte {
	t.Helper()
	body, err := open(context.Background(), key, r)
	if err != nil {
		t.Fatalf("open %q %v: %v", key, r, err)
	}
	got, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

// until runs try for every n from 1 on, until it says that the n-th call was
// never reached.
func until(t *testing.T, try func(n int) (reached bool)) {
	t.Helper()
	n := 1
	for try(n) {
		if n++; n > 10_000 {
			t.Fatal("the scenario does not end")
		}
	}
	if n < 50 {
		t.Fatalf("the scenario has only %d calls", n)
	}
	t.Logf("%d points", n-1)
}

func at(n int, err error) func(faultfs.Call) error {
	return func(c faultfs.Call) error {
		if c.N == n {
			return err
		}
		return nil
	}
}

func seeds() uint64 {
	if testing.Short() {
		return 3
	}
	return 25
}

// start opens a driver on disk and lives as far as it gets.
func (l *life) start(disk *faultfs.FS) (blob.Driver, error) {
	d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
	if err == nil {
		err = l.live(d)
	}
	return d, err
}

// The power goes at every call; what was acknowledged is there at the next
// boot, the upload goes on from there, and a second cut right after changes
// nothing.
func TestPowerCutAtEveryCall(t *testing.T) {
	t.Parallel()
	until(t, func(n int) (reached bool) {
		for seed := range seeds() {
			l := &life{t: t, sync: blob.SyncAnswer}
			disk := faultfs.New()
			disk.Inject(at(n, faultfs.ErrDead))
			_, err := l.start(disk)
			if reached = disk.Calls() >= n; reached && !errors.Is(err, faultfs.ErrDead) {
				t.Fatalf("call %d killed nobody: %v", n, err)
			}
			told := fmt.Sprintf("cut at call %d (%s), seed %d", n, l.at, seed)
			disk = disk.Crash(seed)
			d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
			if err != nil {
				t.Fatalf("%s: open: %v", told, err)
			}
			l.t = told2{t, told}
			l.check(d, true)
			if err := l.live(d); err != nil {
				t.Fatalf("%s: cannot go on at %s: %v", told, l.at, err)
			}
			disk = disk.Crash(seed + 1000)
			if d, err = localblob.Open(context.Background(), localblob.Config{FS: disk}); err != nil {
				t.Fatalf("%s: open again: %v", told, err)
			}
			l.check(d, true)
		}
		return reached
	})
}

// told2 puts before each failure where it happened.
type told2 struct {
	testing.TB
	told string
}

func (t told2) Fatalf(format string, args ...any) {
	t.Helper()
	t.TB.Fatalf(t.told+": "+format, args...)
}

func (t told2) Fatal(args ...any) {
	t.Helper()
	t.TB.Fatal(append([]any{t.told + ":"}, args...)...)
}

// The process dies at every call: under every policy all that was acknowledged
// is there, for the kernel lives on.
func TestKillAtEveryCall(t *testing.T) {
	t.Parallel()
	for _, sync := range []blob.Sync{blob.SyncAnswer, blob.SyncComplete, blob.SyncNever} {
		t.Run(string(sync), func(t *testing.T) {
			until(t, func(n int) bool {
				l := &life{t: t, sync: sync}
				disk := faultfs.New()
				disk.Inject(at(n, faultfs.ErrDead))
				_, _ = l.start(disk)
				told := fmt.Sprintf("killed at call %d (%s)", n, l.at)
				reached := disk.Calls() >= n
				disk = disk.Kill()
				d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
				if err != nil {
					t.Fatalf("%s: open: %v", told, err)
				}
				l.t = told2{t, told}
				l.check(d, true)
				if err := l.live(d); err != nil {
					t.Fatalf("%s: cannot go on at %s: %v", told, l.at, err)
				}
				l.check(d, true)
				return reached
			})
		})
	}
}

// Where parts are acknowledged before they are durable a power cut may take
// them. It may then take the upload with them; it must never make a finished
// object of what is left.
func TestPowerCutUnderSyncCompleteNeverMakesAWrongObject(t *testing.T) {
	t.Parallel()
	refused := 0
	until(t, func(n int) (reached bool) {
		for seed := range seeds() {
			l := &life{t: t, sync: blob.SyncComplete}
			disk := faultfs.New()
			disk.Inject(at(n, faultfs.ErrDead))
			_, _ = l.start(disk)
			reached = disk.Calls() >= n
			told := fmt.Sprintf("cut at call %d (%s), seed %d", n, l.at, seed)
			disk = disk.Crash(seed)
			d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
			if err != nil {
				t.Fatalf("%s: open: %v", told, err)
			}
			l.t = told2{t, told}
			l.check(d, false)
			if l.live(d) != nil {
				refused++
			}
			l.check(d, false)
		}
		return reached
	})
	if refused == 0 {
		t.Error("no cut lost anything: the test shows nothing")
	}
}

// Each call fails once, in each way. The caller is told or nothing is wrong;
// the same calls again bring the upload home; no descriptor stays open; and a
// power cut after all that finds everything.
func TestEveryCallFailsOnce(t *testing.T) {
	t.Parallel()
	for _, sync := range []blob.Sync{blob.SyncAnswer, blob.SyncComplete} {
		for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EMFILE, faultfs.ErrShort} {
			t.Run(fmt.Sprintf("%s/%v", sync, fault), func(t *testing.T) {
				t.Parallel()
				until(t, func(n int) bool {
					disk := faultfs.New()
					disk.Inject(at(n, fault))
					return failOnce(t, disk, sync, n)
				})
			})
		}
	}
}

func failOnce(t *testing.T, disk *faultfs.FS, sync blob.Sync, n int) (reached bool) {
	t.Helper()
	l := &life{t: t, sync: sync}
	d, err := l.start(disk)
	calls := disk.Calls()
	disk.Inject(nil)
	told := fmt.Sprintf("call %d failed at %s (%v)", n, l.at, err)
	l.t = told2{t, told}
	if open := disk.Handles(); open != 0 {
		t.Fatalf("%s: %d files left open", told, open)
	}
	if d != nil && (l.at == "put" || l.at == "begin") && len(l.pending(d)) > 0 {
		t.Fatalf("%s: left behind: %v", told, l.pending(d))
	}
	lost := sync == blob.SyncComplete && errors.Is(err, blob.ErrSuspect)
	if d == nil || errors.Is(err, blob.ErrSuspect) {
		if d != nil {
			suspect(t, d, l)
		}
		if d, err = localblob.Open(context.Background(), localblob.Config{FS: disk}); err != nil {
			t.Fatalf("%s: open: %v", told, err)
		}
	}
	l.check(d, !lost)
	again := l.live(d)
	if lost && errs.Is(again, errs.NotFound) && l.at == "commit" {
		// The sync of unproven parts failed: the upload is lost, and says so.
		l.got = nil
		if err := d.(blob.Parts).Abort(context.Background(), l.handle()); err != nil {
			t.Fatalf("%s: Abort: %v", told, err)
		}
		l.begun = false
		again = l.live(d)
	}
	if again != nil {
		t.Fatalf("%s: cannot go on at %s: %v", told, l.at, again)
	}
	disk = disk.Crash(uint64(n))
	if d, err = localblob.Open(context.Background(), localblob.Config{FS: disk}); err != nil {
		t.Fatalf("%s: open: %v", told, err)
	}
	l.check(d, true)
	return calls >= n
}

// suspect asks that a driver that saw a sync fail writes no more, and reads on.
func suspect(t *testing.T, d blob.Driver, l *life) {
	t.Helper()
	b := blob.New(d, blob.Options{})
	if err := b.Check(); !errors.Is(err, blob.ErrSuspect) || !errs.Has(err, errs.StorageStopped) {
		t.Errorf("Check: %v", err)
	}
	ctx := t.Context()
	_, begin := b.Begin(ctx, "other", 1)
	_, put := b.Put(ctx, "other", blobtest.Bytes(nil), nil)
	_, write := b.WriteAt(ctx, l.handle(), blob.Write{Range: core.Range{To: 1}, Body: bytes.NewReader(content[:1])})
	_, commit := d.(blob.Parts).Commit(ctx, blob.Handle{Key: "other"}, blob.PutOptions{})
	_, del := b.Delete(ctx, []string{putKey})
	for _, err := range []error{begin, put, write, commit, del, b.Abort(ctx, l.handle())} {
		if !errors.Is(err, blob.ErrSuspect) || !errs.Is(err, errs.Internal) {
			t.Errorf("after a failed sync: %v", err)
		}
	}
	l.check(d, l.sync == blob.SyncAnswer)
}

func TestAWriteThatOnlySaysSoIsFoundOut(t *testing.T) {
	t.Parallel()
	disk := faultfs.New()
	b := blob.New(open(t, localblob.Config{FS: disk}), blob.Options{})
	h, err := b.Begin(t.Context(), uploadKey, fileSize)
	if err != nil {
		t.Fatal(err)
	}
	disk.Inject(func(c faultfs.Call) error {
		if c.Op == faultfs.OpWrite {
			return faultfs.ErrLie
		}
		return nil
	})
	w := blob.Write{Range: core.Range{To: fileSize}, Body: bytes.NewReader(content)}
	if _, err := b.WriteAt(t.Context(), h, w); !errs.Is(err, errs.Internal) || !errs.Has(err, errs.IOFailed) {
		t.Errorf("%v", err)
	}
}

func TestAFullDiskIsToldAtBegin(t *testing.T) {
	t.Parallel()
	disk := faultfs.New()
	disk.Limit(1000)
	d := open(t, localblob.Config{FS: disk})
	b := blob.New(d, blob.Options{})
	_, begin := b.Begin(t.Context(), "big", 1001)
	_, put := b.Put(t.Context(), "big", blobtest.Bytes(blobtest.Content(1, 1001)), nil)
	disk.Inject(func(c faultfs.Call) error {
		if c.Op == faultfs.OpPreallocate {
			return errors.ErrUnsupported
		}
		return nil
	})
	_, noAlloc := b.Begin(t.Context(), "big", 1001)
	for _, err := range []error{begin, put, noAlloc} {
		if !errs.Is(err, errs.NoSpace) || !errs.Has(err, errs.DiskFull) {
			t.Errorf("%v", err)
		}
	}
	if hs := (&life{t: t}).pending(d); len(hs) > 0 {
		t.Errorf("left behind: %v", hs)
	}
	if _, err := b.Begin(t.Context(), "fits", 1000); err != nil {
		t.Errorf("what fits is refused: %v", err)
	}
	if d.(blob.Checker).Check() != nil {
		t.Error("a full disk is no reason to distrust it")
	}
}
