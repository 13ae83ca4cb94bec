package admin_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/administration"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// site is the rules over a real store, and who runs them.
type site struct {
	*admin.Admin
	t       *testing.T
	store   *store.Store
	by      admin.By
	mu      sync.Mutex
	changed []core.UserID
}

func setup(t *testing.T, open func(testing.TB) *store.Store) *site {
	t.Helper()
	s := &site{t: t, store: open(t)}
	s.Admin = admin.New(admin.Options{
		Store: administration.New(s.store), Names: s.store.Catalog(), Clock: func() time.Time { return storetest.Epoch },
		Changed: func(id core.UserID) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.changed = append(s.changed, id)
		},
		Abort:    func(context.Context, core.Actor, core.SessionID) error { return nil },
		Local:    func(id core.PolicyID) string { return fmt.Sprintf(`{"root":"p%d"}`, id) },
		Defaults: admin.Settings{Title: "Wharf", UploadLife: time.Hour},
	})
	u := s.add("first@example.test", admin.AdminGroup)
	s.by = admin.By{Actor: core.Actor{User: u.ID, Group: u.Group, Admin: true}, Request: core.NewUUID()}
	return s
}

func ptr[T any](v T) *T { return &v }

func (s *site) add(email string, g core.GroupID) catalog.User {
	s.t.Helper()
	u, err := s.AddUser(s.t.Context(), s.by, admin.UserEdit{Email: &email, Group: &g, Password: ptr(core.Secret("correct horse"))})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func want(t *testing.T, err error, kind errs.Kind, reason errs.Reason) {
	t.Helper()
	if !errs.Is(err, kind) || !errs.Has(err, reason) {
		t.Errorf("got %v, want %v/%v", err, kind, reason)
	}
}

// TestOfAdministratorsWhoDemoteEachOtherOneStays is why changes queue up, on either
// database.
func TestOfAdministratorsWhoDemoteEachOtherOneStays(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t, open)
			admins := []core.UserID{s.by.Actor.User}
			for i := range 3 {
				admins = append(admins, s.add(fmt.Sprintf("a%d@example.test", i), admin.AdminGroup).ID)
			}
			failed := make([]error, len(admins))
			var all sync.WaitGroup
			for i, id := range admins {
				edit := admin.UserEdit{Group: ptr(admin.UserGroup)}
				if rand.IntN(2) == 0 {
					edit = admin.UserEdit{Status: ptr(catalog.Banned)}
				}
				all.Go(func() { _, failed[i] = s.EditUser(t.Context(), s.by, id, edit) })
			}
			all.Wait()
			refused := 0
			for _, err := range failed {
				if err != nil {
					refused++
					want(t, err, errs.Conflict, errs.LastAdmin)
				}
			}
			if refused != 1 {
				t.Errorf("%d were refused, want the last one: %v", refused, failed)
			}
		})
	}
}

func TestTheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	me := s.by.Actor.User
	other := s.add("other@example.test", admin.AdminGroup)
	for _, status := range []catalog.Status{catalog.Inactive, catalog.Banned} {
		if _, err := s.EditUser(t.Context(), s.by, other.ID, admin.UserEdit{Status: &status}); err != nil {
			t.Fatal(err)
		}
		_, err := s.EditUser(t.Context(), s.by, me, admin.UserEdit{Group: ptr(admin.UserGroup)})
		want(t, err, errs.Conflict, errs.LastAdmin)
		_, err = s.EditUser(t.Context(), s.by, me, admin.UserEdit{Status: &status})
		want(t, err, errs.Conflict, errs.LastAdmin)
	}
	want(t, s.RemoveUser(t.Context(), admin.By{}, me), errs.Conflict, errs.LastAdmin)
	want(t, s.RemoveUser(t.Context(), s.by, me), errs.Forbidden, errs.NoPermission)
	if l, err := s.User(t.Context(), me); err != nil || l.User.Status != catalog.Active || l.User.Group != admin.AdminGroup {
		t.Errorf("%+v, %v", l.User, err)
	}
	// A group of their own that loses the right.
	crew, err := s.AddGroup(t.Context(), s.by, admin.GroupEdit{Name: ptr("crew"), Permissions: ptr(int64(1))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.EditUser(t.Context(), s.by, me, admin.UserEdit{Group: &crew.ID}); err != nil {
		t.Fatal(err)
	}
	_, err = s.EditGroup(t.Context(), s.by, crew.ID, admin.GroupEdit{Permissions: ptr(int64(4))})
	want(t, err, errs.Conflict, errs.LastAdmin)
}

func TestEveryChangeIsInTheTrailWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	ctx := t.Context()
	u := s.add("ann@example.test", admin.UserGroup)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.EditUser(ctx, s.by, u.ID, admin.UserEdit{Nick: ptr("Ann"), Password: ptr(core.Secret("hunter2 hunter2"))})
	must(err)
	_, err = s.EditUser(ctx, s.by, u.ID, admin.UserEdit{Nick: ptr("Ann")}) // changes nothing
	must(err)
	_, err = s.EditUser(ctx, s.by, u.ID, admin.UserEdit{Email: ptr("first@example.test")}) // fails
	want(t, err, errs.Exists, errs.NameTaken)
	p, err := s.AddPolicy(ctx, s.by, "local", admin.PolicyEdit{Name: ptr("cold")})
	must(err)
	must(s.RemovePolicy(ctx, s.by, p.ID))
	_, err = s.Set(ctx, s.by, map[string]string{"siteName": "Quay"})
	must(err)
	must(s.RemoveUser(ctx, s.by, u.ID))
	page, err := s.Lines(ctx, admin.Query{Size: 100, Up: true, Owner: s.by.Actor.User})
	must(err)
	var got []string
	for _, l := range page.Items {
		if l.Request != s.by.Request || !l.At.Equal(storetest.Epoch) {
			t.Errorf("%+v", l)
		}
		got = append(got, fmt.Sprintf("%s %s: %s", l.Action, l.Kind, l.Note))
	}
	if d := cmp.Diff([]string{
		"add user: ann@example.test", "change user: nick, password", "add policy: cold", "remove policy: cold",
		"change setting: Quay", "change user: status", "remove user: ann@example.test",
	}, got); d != "" {
		t.Errorf("trail (-want +got):\n%s", d)
	}
	if strings.Contains(fmt.Sprint(page.Items), "hunter2") {
		t.Error("the trail has a password")
	}
}

func TestAPasswordAndAShutDoorEndTheSignIns(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	u := s.add("ann@example.test", admin.UserGroup)
	epoch := u.Epoch
	for _, e := range []admin.UserEdit{{Password: ptr(core.Secret("another horse"))}, {Status: ptr(catalog.Banned)}} {
		s.changed = nil
		got, err := s.EditUser(t.Context(), s.by, u.ID, e)
		if err != nil {
			t.Fatal(err)
		}
		if got.Epoch <= epoch || len(s.changed) != 1 || s.changed[0] != u.ID {
			t.Errorf("epoch %d after %d, told %v", got.Epoch, epoch, s.changed)
		}
		epoch = got.Epoch
	}
}

func TestWhatIsOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	ctx := t.Context()
	for i, e := range []admin.UserEdit{
		{Email: ptr("nobody")},
		{Nick: ptr("  ")},
		{Nick: ptr("a\x00b")},
		{Status: ptr(catalog.Status("asleep"))},
		{Quota: ptr(int64(-2))},
		{Password: ptr(core.Secret("short"))},
		{Group: ptr(admin.AnonymousGroup)},
	} {
		_, err := s.EditUser(ctx, s.by, s.by.Actor.User, e)
		if !errs.Has(err, errs.BadParam) {
			t.Errorf("user %d: %v", i, err)
		}
	}
	for i, e := range []admin.GroupEdit{
		{Name: ptr("")},
		{Quota: ptr(int64(-1))},
		{MaxVersions: ptr(int64(0))},
		{MaxSessions: ptr(int64(0))},
		{TrashFor: ptr(time.Millisecond)},
		{Permissions: ptr(int64(-1))},
	} {
		_, err := s.EditGroup(ctx, s.by, admin.UserGroup, e)
		if !errs.Has(err, errs.BadParam) {
			t.Errorf("group %d: %v", i, err)
		}
	}
	for i, e := range []admin.PolicyEdit{
		{Name: ptr("")},
		{ChunkSize: ptr(int64(1))},
		{MaxSize: ptr(int64(-1))},
		{AllowedName: ptr("(")},
		{Concurrency: ptr(int64(0))},
		{AllowedSuffix: &[]string{"a/b"}},
	} {
		_, err := s.EditPolicy(ctx, s.by, admin.DefaultPolicy, e)
		if !errs.Has(err, errs.BadParam) {
			t.Errorf("policy %d: %v", i, err)
		}
	}
	for name, value := range map[string]string{
		"siteName": "", "upload_session_timeout": "604801", "nothing": "x",
	} {
		if _, err := s.Set(ctx, s.by, map[string]string{name: value}); !errs.Has(err, errs.BadParam) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := s.EditGroup(ctx, s.by, admin.AnonymousGroup, admin.GroupEdit{Permissions: ptr(int64(3))})
	want(t, err, errs.Forbidden, errs.Builtin)
}

func TestAListGoesOnBehindItsWindow(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	for i := range 5 {
		s.add(fmt.Sprintf("u%d@example.test", i), admin.UserGroup)
	}
	var got []string
	q := admin.Query{Size: 2, Up: true, Words: "U", Group: admin.UserGroup}
	for {
		p, err := s.Users(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Total != 5 || p.Next != 0 {
			t.Fatalf("%d in all, next %d", p.Total, p.Next)
		}
		if len(p.Items) == 0 {
			break
		}
		for _, l := range p.Items {
			got = append(got, l.User.Nick)
		}
		q.Page++
	}
	if d := cmp.Diff([]string{"u0", "u1", "u2", "u3", "u4"}, got); d != "" {
		t.Error(d)
	}
}

func TestSettingsStay(t *testing.T) {
	t.Parallel()
	s := setup(t, storetest.SQLite)
	if got, err := s.Set(t.Context(), s.by, map[string]string{"siteName": "Quay", "upload_session_timeout": "120"}); err != nil {
		t.Fatal(got, err)
	}
	again := admin.New(s.Options)
	if err := again.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(admin.Settings{Title: "Quay", UploadLife: 2 * time.Minute}, again.Settings()); d != "" {
		t.Error(d)
	}
	_, err := s.Set(t.Context(), s.by, map[string]string{"siteURL": "http://elsewhere"})
	want(t, err, errs.Forbidden, errs.SettingReadOnly)
}
