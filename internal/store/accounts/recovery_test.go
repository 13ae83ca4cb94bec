package accounts_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestSQLiteKeepsRecoveryCodes(t *testing.T) {
	t.Parallel()
	testRecovery(t, storetest.SQLite(t))
}

func TestPostgresKeepsRecoveryCodes(t *testing.T) {
	t.Parallel()
	testRecovery(t, storetest.Postgres(t))
}

func equal[V any](t *testing.T, what string, got, want V) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func want(t *testing.T, err error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	if err == nil || !errs.Is(err, kind) || !errs.Has(err, reason) {
		t.Errorf("got error %v, want %v/%v", err, kind, reason)
	}
}

// race calls fn so many times at once.
func race(n int, fn func(i int) error) []error {
	out := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { out[i] = fn(i) })
	}
	all.Wait()
	return out
}

func testRecovery(t *testing.T, s *store.Store) {
	a, h, other := accounts.New(s), storetest.NewHome(t, s, -1), storetest.NewHome(t, s, -1)
	epoch := time.Date(2030, 3, 17, 17, 46, 40, 123_456_000, time.UTC)
	left := func(most int) {
		t.Helper()
		n, err := a.RecoveryLeft(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "left", n, most)
	}
	use := func(u core.UserID, hash string, there bool) {
		t.Helper()
		was, err := a.UseRecovery(h.Ctx, u, []byte(hash))
		h.Must(err)
		equal(t, hash, was, there)
	}
	codes := func(hashes ...string) (out [][]byte) {
		for _, c := range hashes {
			out = append(out, []byte(c))
		}
		return out
	}
	f := account.Factor{User: h.User.ID, Sealed: []byte{1}, Made: epoch}
	want(t, a.ReplaceRecovery(h.Ctx, f, codes("a")), errs.Conflict, errs.Changed)
	h.Must(a.OfferFactor(h.Ctx, f))
	want(t, a.ReplaceRecovery(h.Ctx, f, codes("a")), errs.Conflict, errs.Changed)
	stale := f
	stale.Made, stale.Since = epoch.Add(-time.Second), epoch
	want(t, a.ConfirmFactor(h.Ctx, stale, codes("a")), errs.Conflict, errs.Changed)
	left(0)
	f.Since = epoch.Add(time.Minute)
	h.Must(a.ConfirmFactor(h.Ctx, f, codes("a", "b", "c")))
	left(3)
	use(other.User.ID, "a", false)
	use(h.User.ID, "d", false)
	use(h.User.ID, "", false)
	use(h.User.ID, "a", true)
	use(h.User.ID, "a", false)
	left(2)
	want(t, a.ReplaceRecovery(h.Ctx, stale, codes("x")), errs.Conflict, errs.Changed)
	h.Must(a.ReplaceRecovery(h.Ctx, f, codes("c", "d")))
	left(2)
	use(h.User.ID, "b", false)
	won := race(8, func(int) error {
		was, err := a.UseRecovery(h.Ctx, h.User.ID, []byte("d"))
		if err == nil && !was {
			err = errs.New(errs.Conflict, errs.Changed)
		}
		return err
	})
	first := 0
	for _, err := range won {
		if err == nil {
			first++
		} else {
			want(t, err, errs.Conflict, errs.Changed)
		}
	}
	equal(t, "who used a code", first, 1)
	for _, err := range race(8, func(i int) error {
		return a.ReplaceRecovery(h.Ctx, f, codes(fmt.Sprint("one of ", i), fmt.Sprint("two of ", i)))
	}) {
		h.Must(err)
	}
	left(2)

	h.Must(a.DropFactor(h.Ctx, h.User.ID))
	left(0)
	f.Since = time.Time{}
	h.Must(a.OfferFactor(h.Ctx, f))
	f.Since = epoch
	h.Must(a.ConfirmFactor(h.Ctx, f, nil))
	left(0)
}
