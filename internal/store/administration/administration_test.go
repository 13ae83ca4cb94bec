package administration_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/administration"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	t.Parallel()
	testAdministration(t, storetest.SQLite(t))
}

func TestPostgresKeepsTheContract(t *testing.T) {
	t.Parallel()
	testAdministration(t, storetest.Postgres(t))
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

func testAdministration(t *testing.T, s *store.Store) {
	a := administration.New(s)
	t.Run("a window goes either way and ends at its limit", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		var made []int64
		for i := range 3 {
			made = append(made, int64(h.AddVersion(h.Add(h.Root.ID, fmt.Sprint("f", i), catalog.File).ID, 1).ID))
		}
		at := func(up bool, past int64, limit int) []int64 {
			t.Helper()
			rows, err := a.Versions(h.Ctx, admin.Window{Up: up, Past: past, Limit: limit})
			h.Must(err)
			var out []int64
			for _, r := range rows {
				if r.Owner == h.User.ID {
					equal(t, "policy", r.Policy, core.PolicyID(1))
					out = append(out, r.ID)
				}
			}
			slices.Sort(out)
			return out
		}
		equal(t, "upward", at(true, made[0], 10_000), made[1:])
		equal(t, "downward", at(false, made[2], 10_000), made[:2])
		equal(t, "one", len(at(true, made[0]-1, 1)), 1)
		files, err := a.Files(h.Ctx, admin.Window{Past: math.MaxInt64, Limit: 10_000})
		h.Must(err)
		seen := 0
		for _, r := range files {
			if r.Owner == h.User.ID && !r.Folder {
				seen++
			}
		}
		equal(t, "files", seen, 3)
		users, err := a.Users(h.Ctx, admin.Window{Up: true, Past: int64(h.User.ID) - 1, Limit: 1})
		h.Must(err)
		equal(t, "user", users[0].Owner, h.User.ID)
		equal(t, "text of a user", users[0].Text, []string{catalog.EmailKey(h.User.Email), "nick"})
		_, err = a.Shares(h.Ctx, admin.Window{Up: true, Limit: 1})
		h.Must(err)
		_, err = a.Uploads(h.Ctx, 1)
		h.Must(err)
		_, err = a.Doomed(h.Ctx, 1)
		h.Must(err)
		v, err := h.Names.Version(h.Ctx, core.VersionID(made[0]))
		h.Must(err)
		n, err := a.Sharing(h.Ctx, v.Policy, v.Blob)
		h.Must(err)
		equal(t, "contents that have its bytes", n, 1)
	})
	t.Run("a line of the trail comes with its change or not at all", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		l := admin.Line{
			ID: h.ID(), At: storetest.Epoch, Who: h.User.ID, Request: core.NewUUID(), Action: admin.Changed, Kind: admin.OfUser,
			Subject: admin.ID(h.User.ID), Note: "nick",
		}
		undone := l
		undone.ID, undone.At = h.ID(), storetest.Epoch.Add(time.Hour)
		err := a.InTx(h.Ctx, func(tx admin.Tx) error {
			h.Must(tx.Hold(h.Ctx))
			h.Must(tx.Note(h.Ctx, undone))
			return errs.New(errs.Conflict, errs.LastAdmin)
		})
		want(t, err, errs.Conflict, errs.LastAdmin)
		h.Must(a.InTx(h.Ctx, func(tx admin.Tx) error { return tx.Note(h.Ctx, l) }))
		got, err := a.Lines(h.Ctx, admin.Window{Up: true, Past: l.ID - 1, Limit: 1})
		h.Must(err)
		equal(t, "line", got, []admin.Line{l})
		first, last, err := a.Span(h.Ctx, l.Kind, l.Subject)
		h.Must(err)
		equal(t, "span", []time.Time{first, last}, []time.Time{storetest.Epoch, storetest.Epoch})
		first, _, err = a.Span(h.Ctx, admin.OfPolicy, l.Subject)
		h.Must(err)
		equal(t, "no span", first.IsZero(), true)
	})
	t.Run("a setting reads back", func(t *testing.T) {
		h := storetest.NewHome(t, s, -1)
		name := core.NewUUID()
		v, err := a.Setting(h.Ctx, name)
		h.Must(err)
		equal(t, "before", v, "")
		h.Must(a.InTx(h.Ctx, func(tx admin.Tx) error { return tx.SetSetting(h.Ctx, name, "x") }))
		v, err = a.Setting(h.Ctx, name)
		h.Must(err)
		equal(t, "after", v, "x")
	})
	t.Run("a group lives until nobody is in it", func(t *testing.T) { testGroupLife(t, s, a) })
	t.Run("a policy lives until nothing is in it", func(t *testing.T) { testPolicyLife(t, s, a) })
	t.Run("a user leaves nothing", func(t *testing.T) { testUserLeaves(t, s, a) })
}

func testGroupLife(t *testing.T, s *store.Store, a *administration.Administration) {
	h := storetest.NewHome(t, s, -1)
	g := catalog.Group{
		ID: core.GroupID(h.ID()), Name: core.NewUUID(), Permissions: 5, Quota: 7, Policy: 1, MaxSessions: 3, MaxVersions: 2, TrashFor: time.Minute,
	}
	in := func(fn func(tx admin.Tx) error) error { return a.InTx(h.Ctx, fn) }
	h.Must(in(func(tx admin.Tx) error { return tx.AddGroup(h.Ctx, g) }))
	twin := g
	twin.ID++
	want(t, in(func(tx admin.Tx) error { return tx.AddGroup(h.Ctx, twin) }), errs.Exists, errs.NameTaken)
	twin.Name, twin.Policy = core.NewUUID(), math.MaxInt64
	want(t, in(func(tx admin.Tx) error { return tx.AddGroup(h.Ctx, twin) }), errs.NotFound, errs.PolicyMissing)

	g.Quota, g.TrashFor = 9, time.Hour
	h.Must(in(func(tx admin.Tx) error { // read from memory before and after
		_, err := tx.Group(h.Ctx, g.ID)
		h.Must(err)
		h.Must(tx.UpdateGroup(h.Ctx, g))
		got, err := tx.Group(h.Ctx, g.ID)
		equal(t, "group", got, g)
		return err
	}))
	all, err := a.Groups(h.Ctx, 1000)
	h.Must(err)
	found := false
	for _, o := range all {
		found = found || o == g
	}
	equal(t, "listed", found, true)
	taken := g
	taken.Name = "User"
	want(t, in(func(tx admin.Tx) error { return tx.UpdateGroup(h.Ctx, taken) }), errs.Exists, errs.NameTaken)
	taken.ID, taken.Name = math.MaxInt64, core.NewUUID()
	want(t, in(func(tx admin.Tx) error { return tx.UpdateGroup(h.Ctx, taken) }), errs.NotFound, errs.GroupMissing)

	h.User.Group = g.ID
	h.Must(h.Names.UpdateUser(h.Ctx, h.User))
	h.Must(in(func(tx admin.Tx) error {
		got, err := tx.Members(h.Ctx, g.ID, 10)
		equal(t, "members", got, []core.UserID{h.User.ID})
		return err
	}))
	want(t, in(func(tx admin.Tx) error { return tx.RemoveGroup(h.Ctx, g.ID) }), errs.Conflict, errs.GroupInUse)
	h.User.Group = 2
	h.Must(h.Names.UpdateUser(h.Ctx, h.User))
	h.Must(in(func(tx admin.Tx) error { return tx.RemoveGroup(h.Ctx, g.ID) }))
	want(t, in(func(tx admin.Tx) error { return tx.RemoveGroup(h.Ctx, g.ID) }), errs.NotFound, errs.GroupMissing)
}

func testPolicyLife(t *testing.T, s *store.Store, a *administration.Administration) {
	h := storetest.NewHome(t, s, -1)
	id := core.PolicyID(h.ID())
	h.Must(h.Names.SetPolicy(h.Ctx, catalog.Policy{ID: id, Name: core.NewUUID(), Type: "local", Sync: "never", Concurrency: 1}, 0))
	use := func() (u admin.Use) {
		h.Must(a.InTx(h.Ctx, func(tx admin.Tx) (err error) {
			u, err = tx.UseOf(h.Ctx, id)
			return err
		}))
		return u
	}
	remove := func() error {
		return a.InTx(h.Ctx, func(tx admin.Tx) error { return tx.RemovePolicy(h.Ctx, id) })
	}
	equal(t, "unused", use(), admin.Use{})
	v := h.NewVersion(h.Add(h.Root.ID, "f", catalog.File).ID, 0)
	v.Policy = id
	h.Must(h.Names.AddVersion(h.Ctx, v))
	equal(t, "with a version", use(), admin.Use{Versions: true})
	want(t, remove(), errs.Conflict, errs.PolicyInUse)
	h.Must(h.Names.DropVersion(h.Ctx, v.ID, storetest.Epoch.Add(1000*time.Hour)))
	equal(t, "with a doomed blob", use(), admin.Use{Doomed: true})
	h.Must(h.Names.Forget(h.Ctx, []catalog.DoomedBlob{{Policy: id, Blob: v.Blob}}))
	equal(t, "empty", use(), admin.Use{})
	h.Must(remove())
	want(t, remove(), errs.NotFound, errs.PolicyMissing)
}

func testUserLeaves(t *testing.T, s *store.Store, a *administration.Administration) {
	h := storetest.NewHome(t, s, -1)
	f := h.Add(h.Root.ID, "f", catalog.File)
	h.AddVersion(f.ID, 5)
	h.Must(s.Auth().AddFamily(h.Ctx, auth.Family{ID: core.NewUUID(), User: h.User.ID, Epoch: 3, Created: storetest.Epoch, Expires: storetest.Epoch.Add(time.Hour)}))
	remove := func() error { return a.InTx(h.Ctx, func(tx admin.Tx) error { return tx.RemoveUser(h.Ctx, h.User.ID) }) }
	want(t, remove(), errs.Conflict, errs.Changed)
	h.Must(a.InTx(h.Ctx, func(tx admin.Tx) error {
		h.Must(tx.HoldUser(h.Ctx, h.User.ID))
		roots, err := tx.Roots(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "roots", roots, []core.NodeID{h.Root.ID})
		_, err = tx.RemoveTree(h.Ctx, h.Root.ID, storetest.Epoch.Add(1000*time.Hour))
		h.Must(err)
		return tx.RemoveUser(h.Ctx, h.User.ID)
	}))
	_, err := h.Names.User(h.Ctx, h.User.ID)
	want(t, err, errs.NotFound, errs.UserUnknown)
	want(t, remove(), errs.NotFound, errs.UserUnknown)
	want(t, a.InTx(h.Ctx, func(tx admin.Tx) error { return tx.HoldUser(h.Ctx, h.User.ID) }), errs.NotFound, errs.UserUnknown)
}
