package store_test

import (
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestNoReadIsOlderThanTheLastCommit(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	h := storetest.NewHome(t, s, -1)
	v := h.AddVersion(h.Add(h.Root.ID, "a", catalog.File).ID, 1)
	damage := func() string {
		got, err := h.Names.Version(h.Ctx, v.ID)
		h.Must(err)
		return got.Damage
	}
	for _, want := range []string{"other bytes", "", "again"} {
		_ = damage() // is kept
		h.Must(h.Names.SetDamage(h.Ctx, v.ID, want))
		if got := damage(); got != want {
			t.Errorf("the damage is %q after a write that says %q", got, want)
		}
	}
	h.Must(h.Names.DropVersion(h.Ctx, v.ID, storetest.Epoch))
	if _, err := h.Names.Version(h.Ctx, v.ID); !errs.Has(err, errs.VersionMissing) {
		t.Errorf("a version that was dropped is answered: %v", err)
	}
}

// Many read while one writes: whoever begins after an acknowledgement sees what
// was acknowledged, or something later.
func TestReadersNeverFallBehindAnAcknowledgement(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	h := storetest.NewHome(t, s, -1)
	v := h.AddVersion(h.Add(h.Root.ID, "a", catalog.File).ID, 1)
	const last = 100
	var acknowledged atomic.Int64
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for seen := int64(0); seen < last; {
				seen = acknowledged.Load()
				got, err := h.Names.Version(h.Ctx, v.ID)
				if err != nil || int64(len(got.Damage)) < seen {
					t.Errorf("%d writes were acknowledged, %d are seen: %v", seen, len(got.Damage), err)
					return
				}
			}
		})
	}
	text := make([]byte, last)
	for i := range text {
		text[i] = 'x'
		h.Must(h.Names.SetDamage(h.Ctx, v.ID, string(text[:i+1])))
		acknowledged.Store(int64(i + 1))
	}
	readers.Wait()
}

func TestAnotherProcessIsSeenWithinASecond(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	now.Store(storetest.Epoch.UnixMicro())
	c := store.Config{
		Path:  filepath.Join(t.TempDir(), "wharf.db"),
		Clock: func() time.Time { return time.UnixMicro(now.Load()) },
	}
	open := func() *store.Store {
		s, err := store.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	here, there := open(), open()
	h := storetest.NewHome(t, here, -1)
	v := h.AddVersion(h.Add(h.Root.ID, "a", catalog.File).ID, 1)
	if _, err := h.Names.Version(h.Ctx, v.ID); err != nil {
		t.Fatal(err)
	}
	h.Must(there.Catalog().SetDamage(h.Ctx, v.ID, "other bytes"))
	now.Add(time.Second.Microseconds())
	got, err := h.Names.Version(h.Ctx, v.ID)
	if h.Must(err); got.Damage != "other bytes" {
		t.Errorf("the write of another process is not seen after a second")
	}
}
