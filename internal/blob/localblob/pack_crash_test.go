package localblob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// packLife is what the caller of a packer was told.
type packLife struct {
	t     testing.TB
	sync  blob.Sync
	there map[string][]byte // acknowledged, and not asked to be deleted
	gone  map[string]bool   // asked to be deleted
}

func newPackLife(t testing.TB, sync blob.Sync) *packLife {
	return &packLife{t: t, sync: sync, there: map[string][]byte{}, gone: map[string]bool{}}
}

// live packs, deletes, drops and packs again, and stops at the first error.
func (l *packLife) live(d blob.Driver) error {
	ctx, k := context.Background(), d.(blob.Packer)
	for i := range 4 {
		bodies := [][]byte{blobtest.Content(byte(i), 5), blobtest.Content(byte(i+50), 3*faultfs.Page+i)}
		keys, err := k.Pack(ctx, bodies, blob.PutOptions{Sync: l.sync})
		if err != nil {
			return err
		}
		for j, key := range keys {
			l.there[key] = bodies[j]
		}
		if err := l.delete(d, keys[i%2]); err != nil {
			return err
		}
	}
	packs, err := k.Packs(ctx, "", 100)
	if err != nil {
		return err
	}
	for _, p := range packs {
		for key := range l.there {
			if at, _ := blob.ParsePacked(key); at.Pack == p.Key && len(l.there) > 6 {
				if err := l.delete(d, key); err != nil {
					return err
				}
			}
		}
		if err := k.DropPack(ctx, p.Key); err != nil && !errors.Is(err, context.Canceled) && d.Classify(err) != errs.Conflict {
			return err
		}
	}
	return nil
}

func (l *packLife) delete(d blob.Driver, key string) error {
	l.gone[key] = true
	delete(l.there, key)
	failed, err := d.Delete(context.Background(), []string{key})
	return errors.Join(append(errOf(failed), err)...)
}

// check asks that every acknowledged object is there with its bytes, and that
// nothing has wrong ones.
func (l *packLife) check(d blob.Driver, survive bool) {
	l.t.Helper()
	ctx := context.Background()
	for _, key := range slices.Sorted(maps.Keys(l.there)) {
		info, err := d.Stat(ctx, key)
		if !survive && err != nil {
			continue
		}
		if err != nil {
			l.t.Fatalf("acknowledged, and lost: %s: %v", key, err)
		}
		if got := readAll(l.t, d.Open, key, core.Range{To: info.Size}); survive && !bytes.Equal(got, l.there[key]) {
			l.t.Fatalf("%s has other bytes", key)
		}
	}
}

func openFault(t testing.TB, disk *faultfs.FS, told string) blob.Driver {
	t.Helper()
	d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
	if err != nil {
		t.Fatalf("%s: open: %v", told, err)
	}
	return d
}

// twice lives twice, so that the second life finds packs of the first.
func (l *packLife) twice(disk *faultfs.FS) error {
	for range 2 {
		d, err := localblob.Open(context.Background(), localblob.Config{FS: disk})
		if err != nil {
			return err
		}
		if err := l.live(d); err != nil {
			return err
		}
		if err := d.Close(); err != nil {
			return err
		}
	}
	return nil
}

func TestPowerCutAtEveryCallOfPacking(t *testing.T) {
	t.Parallel()
	until(t, func(n int) (reached bool) {
		for seed := range seeds() {
			l := newPackLife(t, blob.SyncAnswer)
			disk := faultfs.New()
			disk.Inject(at(n, faultfs.ErrDead))
			_ = l.twice(disk)
			reached = disk.Calls() >= n
			told := fmt.Sprintf("cut at call %d, seed %d", n, seed)
			l.t = told2{t, told}
			for cut := range uint64(2) {
				disk = disk.Crash(seed + 1000*cut)
				d := openFault(t, disk, told)
				l.check(d, true)
				if err := l.live(d); err != nil {
					t.Fatalf("%s: cannot go on: %v", told, err)
				}
				l.check(d, true)
			}
		}
		return reached
	})
}

func TestKillAtEveryCallOfPacking(t *testing.T) {
	t.Parallel()
	for _, sync := range []blob.Sync{blob.SyncAnswer, blob.SyncComplete, blob.SyncNever} {
		until(t, func(n int) bool {
			l := newPackLife(t, sync)
			disk := faultfs.New()
			disk.Inject(at(n, faultfs.ErrDead))
			_ = l.twice(disk)
			reached, told := disk.Calls() >= n, fmt.Sprintf("%s, killed at call %d", sync, n)
			disk = disk.Kill()
			l.t = told2{t, told}
			d := openFault(t, disk, told)
			l.check(d, true)
			if err := l.live(d); err != nil {
				t.Fatalf("%s: cannot go on: %v", told, err)
			}
			l.check(d, true)
			return reached
		})
	}
}

func TestEveryCallOfPackingFailsOnce(t *testing.T) {
	t.Parallel()
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EMFILE, faultfs.ErrShort} {
		t.Run(fault.Error(), func(t *testing.T) {
			t.Parallel()
			until(t, func(n int) bool {
				l := newPackLife(t, blob.SyncAnswer)
				disk := faultfs.New()
				told, looking := fmt.Sprintf("call %d failed", n), false
				disk.Inject(func(c faultfs.Call) error {
					if looking {
						return nil
					}
					return at(n, fault)(c)
				})
				l.t = told2{t, told}
				var d blob.Driver
				for try := 0; ; try++ {
					var err error
					if d, err = localblob.Open(context.Background(), localblob.Config{FS: disk}); err == nil {
						if err = l.live(d); errors.Is(err, blob.ErrSuspect) {
							if _, err := d.(blob.Packer).Pack(context.Background(), [][]byte{{1}}, blob.PutOptions{}); !errors.Is(err, blob.ErrSuspect) {
								t.Fatalf("%s: after a failed sync: %v", told, err)
							}
						} else if err != nil {
							err = l.live(d) // the same driver goes on
						}
						looking = true
						l.check(d, true)
						looking = false
						_ = d.Close()
					}
					if open := disk.Handles(); open != 0 {
						t.Fatalf("%s: %d files left open", told, open)
					}
					if err == nil && try > 0 {
						break
					}
					if try > 3 {
						t.Fatalf("%s: cannot go on: %v", told, err)
					}
				}
				reached := disk.Calls() >= n
				l.check(openFault(t, disk.Crash(uint64(n)), told), true)
				return reached
			})
		})
	}
}

func TestAFailedFlushAcknowledgesNobody(t *testing.T) {
	t.Parallel()
	disk := faultfs.New()
	d := open(t, localblob.Config{FS: disk})
	b := blob.New(d, blob.Options{})
	first, err := d.(blob.Packer).Pack(t.Context(), [][]byte{content[:100]}, blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var syncs int
		flush := make(chan struct{})
		disk.Inject(func(c faultfs.Call) error {
			if c.Op != faultfs.OpSyncData {
				return nil
			}
			if syncs++; syncs > 1 {
				return nil // a second one would seem to succeed
			}
			<-flush
			return syscall.EIO
		})
		for range 40 {
			go func() {
				keys, err := d.(blob.Packer).Pack(t.Context(), [][]byte{content[:blob.MaxPacked/300]}, blob.PutOptions{})
				if !errors.Is(err, blob.ErrSuspect) || keys != nil {
					t.Errorf("%v %v", keys, err)
				}
			}()
		}
		synctest.Wait() // one flushes, all others wait for their turn
		close(flush)
		synctest.Wait()
		if syncs != 1 {
			t.Errorf("%d flushes, and the first failed", syncs)
		}
	})
	if err := b.Check(); !errs.Has(err, errs.StorageStopped) {
		t.Errorf("Check: %v", err)
	}
	if got := readAll(t, d.Open, first[0], core.Range{To: 100}); !bytes.Equal(got, content[:100]) {
		t.Error("what was acknowledged before is not read any more")
	}
}

func TestAFullDiskInMidPackSpoilsNothing(t *testing.T) {
	t.Parallel()
	disk := faultfs.New()
	d := open(t, localblob.Config{FS: disk})
	k := d.(blob.Packer)
	l := newPackLife(t, blob.SyncAnswer)
	pack := func(n int) error {
		keys, err := k.Pack(t.Context(), [][]byte{content[:n]}, blob.PutOptions{})
		if err == nil {
			l.there[keys[0]] = content[:n]
		}
		return err
	}
	if err := pack(300); err != nil {
		t.Fatal(err)
	}
	disk.Limit(500)
	for range 3 {
		if err := pack(400); d.Classify(err) != errs.NoSpace {
			t.Fatalf("%v", err)
		}
	}
	disk.Limit(-1)
	if err := pack(400); err != nil {
		t.Fatal(err)
	}
	l.check(d, true)
	l.check(openFault(t, disk.Crash(1), "cut"), true)
}

// The doctor runs beside the server: neither takes what grows in the other for
// settled.
func TestTwoProcessesOnOneRoot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]localblob.Config{"disk": {Root: t.TempDir()}, "memory": {FS: faultfs.New()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, doctor := open(t, c), open(t, c)
			var wg sync.WaitGroup
			stop := make(chan struct{})
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					packs, err := doctor.(blob.Packer).Packs(t.Context(), "", 100)
					if err != nil {
						t.Error(err)
					}
					for _, p := range packs {
						_ = doctor.(blob.Packer).DropPack(t.Context(), p.Key)
						if _, err := doctor.(blob.Shelf).SetAside(t.Context(), p.Key+"0", "x"); err == nil {
							t.Error("what is not there was set aside")
						}
					}
				}
			})
			want := map[string]bool{}
			for i := range 200 {
				keys, err := server.(blob.Packer).Pack(t.Context(), [][]byte{content[:1+i]}, blob.PutOptions{Sync: blob.SyncNever})
				if err != nil {
					t.Error(err)
					break
				}
				want[keys[0]] = true
				at, _ := blob.ParsePacked(keys[0])
				if _, err := doctor.(blob.Shelf).SetAside(t.Context(), at.Pack, "day"); doctor.Classify(err) != errs.Conflict {
					t.Errorf("a pack that grows was set aside: %v", err)
				}
				if i%20 == 19 { // a new pack
					_ = server.Close()
					server, err = localblob.Open(t.Context(), c)
					if err != nil {
						t.Error(err)
						break
					}
				}
			}
			close(stop)
			wg.Wait()
			for key := range want {
				at, _ := blob.ParsePacked(key)
				if got := readAll(t, doctor.Open, key, core.Range{To: at.Size}); !bytes.Equal(got, content[:at.Size]) {
					t.Errorf("%s has other bytes", key)
				}
			}
			_ = server.Close()
		})
	}
}

func FuzzParsePacked(f *testing.F) {
	f.Add("pack-a/0-1")
	f.Add("pack-abc/10-40000")
	f.Add("pack-../0-1")
	f.Add("pack-a/7fffffffffffffff-1")
	f.Fuzz(func(t *testing.T, key string) {
		p, ok := blob.ParsePacked(key)
		if !ok {
			return
		}
		if p.Key() != key || !blob.ValidKey(key) || blob.PackName(p.Pack) == "" || p.Size < 1 || p.Size > blob.MaxPacked || p.At < 0 || p.At > blob.MaxSize {
			t.Errorf("%q is taken for %+v", key, p)
		}
	})
}
