package storetest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

func testSeed(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	for id, w := range map[core.GroupID]catalog.Group{
		1: {ID: 1, Name: "Admin", Permissions: 0x0100_0001_1afd, Quota: 1 << 40, Policy: 1, MaxSessions: 1000, MaxVersions: 10, TrashFor: 7 * 24 * time.Hour},
		2: {ID: 2, Name: "User", Permissions: 0x0100_0000_0884, Quota: 1 << 40, Policy: 1, MaxSessions: 1000, MaxVersions: 10, TrashFor: 7 * 24 * time.Hour},
		3: {ID: 3, Name: "Anonymous", Permissions: 0x82, Quota: 1 << 40, Policy: 1, MaxSessions: 1000, MaxVersions: 10, TrashFor: 7 * 24 * time.Hour},
	} {
		g, err := h.Names.Group(h.Ctx, id)
		h.Must(err)
		equal(t, "group", g, w)
		g, err = h.Names.GroupByName(h.Ctx, w.Name)
		h.Must(err)
		equal(t, "group by name", g, w)
		equal(t, "admin", g.Admin(), id == 1)
	}
	p, err := h.Names.Policy(h.Ctx, 1)
	h.Must(err)
	equal(t, "policy", p, catalog.Policy{
		ID: 1, Rev: 1, Name: "Default storage policy", Type: "local", ChunkSize: 25 << 20, Sync: blob.SyncAnswer,
		Concurrency: 4,
	})
}

func testDirectory(t *testing.T, s *store.Store) {
	t.Run("a user reads back as it was added", func(t *testing.T) {
		h := NewHome(t, s, 7)
		got, err := h.Names.User(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "user", got, h.User)
		got, err = h.Names.UserByEmail(h.Ctx, "  "+strings.ToUpper(h.User.Email)+" ")
		h.Must(err)
		equal(t, "user by address", got, h.User)
	})
	t.Run("an address is in use once, whatever its case", func(t *testing.T) {
		h := NewHome(t, s, -1)
		twin := h.User
		twin.ID, twin.Email = core.UserID(h.ID()), strings.ToLower(h.User.Email)
		want(t, h.Names.AddUser(h.Ctx, twin, core.NodeID(h.ID())), errs.Exists, errs.NameTaken)
		other := NewHome(t, s, -1)
		other.User.Email = h.User.Email
		want(t, h.Names.UpdateUser(h.Ctx, other.User), errs.Exists, errs.NameTaken)
	})
	t.Run("a user whose root cannot be made is not added", func(t *testing.T) {
		h := NewHome(t, s, -1)
		u := h.User
		u.ID, u.Email = core.UserID(h.ID()), core.NewUUID()+"@example.test"
		want(t, h.Names.AddUser(h.Ctx, u, h.Root.ID), errs.Exists, errs.NameTaken)
		_, err := h.Names.User(h.Ctx, u.ID)
		want(t, err, errs.NotFound, errs.UserUnknown)
	})
	t.Run("an update writes all but the ledger", func(t *testing.T) {
		h := NewHome(t, s, 100)
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, 10))
		u := h.User
		u.Email, u.Nick, u.Password, u.Group, u.Status = "New"+u.Email, "n", "p", 1, catalog.Banned
		u.Quota, u.Epoch, u.Language, u.Created = 50, 4, "de", Epoch.Add(time.Hour)
		h.Must(h.Names.UpdateUser(h.Ctx, u))
		got, err := h.Names.UserByEmail(h.Ctx, u.Email)
		h.Must(err)
		equal(t, "user", got, u)
		equal(t, "ledger", h.Capacity(), catalog.Capacity{Total: 50, Reserved: 10})
		h.Must(h.Names.Release(h.Ctx, u.ID, 10))
	})
	t.Run("users are paged by id", func(t *testing.T) {
		h := NewHome(t, s, -1)
		next := NewHome(t, s, -1)
		got, err := h.Names.Users(h.Ctx, h.User.ID-1, 1)
		h.Must(err)
		equal(t, "page", got, []catalog.User{h.User})
		got, err = h.Names.Users(h.Ctx, h.User.ID, 1000)
		h.Must(err)
		for _, u := range got {
			if u.ID == next.User.ID {
				return
			}
		}
		t.Error("the next user was not listed")
	})
	t.Run("what is not there is user_unknown", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.User(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.UserUnknown)
		_, err = h.Names.UserByEmail(h.Ctx, "nobody")
		want(t, err, errs.NotFound, errs.UserUnknown)
		want(t, h.Names.UpdateUser(h.Ctx, catalog.User{ID: math.MaxInt64, Email: "x", Group: 1}), errs.NotFound, errs.UserUnknown)
		_, err = h.Names.Group(h.Ctx, 99)
		want(t, err, errs.NotFound, errs.UserUnknown)
		_, err = h.Names.GroupByName(h.Ctx, "nothing")
		want(t, err, errs.NotFound, errs.UserUnknown)
	})
}

func testPolicies(t *testing.T, s *store.Store) {
	h := NewHome(t, s, -1)
	id := h.ID()
	p := catalog.Policy{
		ID: core.PolicyID(id), Name: fmt.Sprint("policy ", id), Type: "local", Config: `{"a":1}`, ChunkSize: 1, MaxSize: 2,
		AllowedSuffix: []string{"jpg", "png"}, DeniedSuffix: []string{"exe"}, AllowedName: "^a", DeniedName: "b$",
		Encrypt: true, Sync: blob.SyncNever, SHA256: true, Concurrency: 3, Relay: true,
	}
	h.Must(h.Names.SetPolicy(h.Ctx, p, 0))
	want(t, h.Names.SetPolicy(h.Ctx, p, 0), errs.Conflict, errs.Changed)
	p.Rev = 1
	got, err := h.Names.Policy(h.Ctx, p.ID)
	h.Must(err)
	equal(t, "added", got, p)

	was := p.Rev
	p.AllowedSuffix, p.Encrypt, p.MaxSize = nil, false, 0
	h.Must(h.Names.SetPolicy(h.Ctx, p, was))
	want(t, h.Names.SetPolicy(h.Ctx, p, was), errs.Conflict, errs.Changed)
	p.Rev = was + 1
	got, err = h.Names.PolicyByName(h.Ctx, p.Name)
	h.Must(err)
	equal(t, "changed", got, p)

	taken := p
	taken.Name = "Default storage policy"
	want(t, h.Names.SetPolicy(h.Ctx, taken, p.Rev), errs.Exists, errs.NameTaken)
	missing := p
	missing.ID, missing.Name = math.MaxInt64, "missing"
	want(t, h.Names.SetPolicy(h.Ctx, missing, 1), errs.Conflict, errs.Changed)
	_, err = h.Names.Policy(h.Ctx, math.MaxInt64)
	want(t, err, errs.NotFound, errs.PolicyMissing)
	_, err = h.Names.PolicyByName(h.Ctx, "nothing")
	want(t, err, errs.NotFound, errs.PolicyMissing)
	all, err := h.Names.Policies(h.Ctx)
	h.Must(err)
	equal(t, "first and last", []core.PolicyID{all[0].ID, all[len(all)-1].ID}, []core.PolicyID{1, p.ID})
}

func testAuth(t *testing.T, s *store.Store) {
	a := s.Auth()
	t.Run("an account says who may sign in", func(t *testing.T) {
		h := NewHome(t, s, -1)
		for status, w := range map[catalog.Status][2]bool{
			catalog.Active: {true, false}, catalog.Inactive: {false, false}, catalog.Banned: {false, true},
		} {
			for group, admin := range map[core.GroupID]bool{1: true, 2: false} {
				h.User.Status, h.User.Group = status, group
				h.Must(h.Names.UpdateUser(h.Ctx, h.User))
				got, err := a.Account(h.Ctx, h.User.ID)
				h.Must(err)
				account := auth.Account{
					User: h.User.ID, Group: group, Admin: admin, Email: h.User.Email, Password: h.User.Password,
					Active: w[0], Banned: w[1], Epoch: h.User.Epoch,
				}
				equal(t, "account", got, account)
				got, err = a.AccountByEmail(h.Ctx, strings.ToUpper(h.User.Email))
				h.Must(err)
				equal(t, "account by address", got, account)
			}
		}
		_, err := a.Account(h.Ctx, math.MaxInt64)
		want(t, err, errs.NotFound, errs.UserUnknown)
		_, err = a.AccountByEmail(h.Ctx, "nobody")
		want(t, err, errs.NotFound, errs.UserUnknown)
	})
	t.Run("a family rotates by compare-and-set until it is revoked", func(t *testing.T) {
		h := NewHome(t, s, -1)
		f := auth.Family{
			ID: core.NewUUID(), User: h.User.ID, Epoch: 3, Serial: 1, Rotated: Epoch, Created: Epoch,
			Expires: Epoch.Add(time.Hour), Agent: "curl/8",
		}
		h.Must(a.AddFamily(h.Ctx, f))
		got, err := a.Family(h.Ctx, f.ID)
		h.Must(err)
		equal(t, "family", got, f)
		f.Serial, f.Rotated, f.Expires = 2, Epoch.Add(time.Minute), Epoch.Add(2*time.Hour)
		h.Must(a.Rotate(h.Ctx, f.ID, 1, f.Rotated, f.Expires))
		want(t, a.Rotate(h.Ctx, f.ID, 1, f.Rotated, f.Expires), errs.Conflict, errs.Changed)
		h.Must(a.Revoke(h.Ctx, f.ID))
		h.Must(a.Revoke(h.Ctx, "nothing"))
		want(t, a.Rotate(h.Ctx, f.ID, 2, f.Rotated, f.Expires), errs.Conflict, errs.Changed)
		f.Revoked = true
		got, err = a.Family(h.Ctx, f.ID)
		h.Must(err)
		equal(t, "family", got, f)
		_, err = a.Family(h.Ctx, "nothing")
		want(t, err, errs.NotFound, errs.BadToken)
		f.ID, f.User = core.NewUUID(), math.MaxInt64
		want(t, a.AddFamily(h.Ctx, f), errs.NotFound, errs.PathMissing)
	})
}

func testGuesses(t *testing.T, s *store.Store) {
	a, ctx := s.Auth(), t.Context()
	must := func(n int64, err error) int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	since := Epoch.Add(-15 * time.Minute)
	equal(t, "none", must(a.Failures(ctx, "a", since)), 0)
	equal(t, "first", must(a.Failed(ctx, "a", Epoch, since)), 1)
	equal(t, "the same moment", must(a.Failed(ctx, "a", Epoch, since)), 2)
	equal(t, "another key", must(a.Failed(ctx, "b", Epoch, since)), 1)
	later := Epoch.Add(10 * time.Minute)
	equal(t, "later", must(a.Failed(ctx, "a", later, Epoch)), 3)
	equal(t, "only since", must(a.Failures(ctx, "a", later)), 1)
	_, err := a.Failed(ctx, "c", later.Add(48*time.Hour), later.Add(47*time.Hour))
	must(0, err)
	equal(t, "old ones are forgotten", must(a.Failures(ctx, "a", since)), 0)
	must(a.Failed(ctx, "c", later.Add(48*time.Hour), since))
	if err := a.Cleared(ctx, "c"); err != nil {
		t.Fatal(err)
	}
	equal(t, "cleared", must(a.Failures(ctx, "c", since)), 0)
}
