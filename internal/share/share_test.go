package share_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/share"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/shares"
)

// world is a drive with the file /f/a, and links to it.
type world struct {
	*testing.T
	now   *atomic.Int64
	db    catalog.Store
	rows  share.Store
	clock core.Clock
	links *share.Links
	names *catalog.Catalog
	owner core.Actor
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: new(atomic.Int64)}
	w.now.Store(1_900_000_000_000_000)
	clock := func() time.Time { return core.FromMicros(w.now.Load()) }
	w.clock = clock
	st, err := store.Open(w.Context(), store.Config{Path: filepath.Join(t.TempDir(), "wharf.db"), Clock: clock})
	w.must(err)
	t.Cleanup(func() { _ = st.Close() })
	w.db, w.rows = st.Catalog(), shares.Over(st)
	w.links = share.New(share.Options{
		Store: w.rows, Tree: w.db, Guesses: auth.NewBound("share", st.Auth(), clock), Vault: auth.NewVault(auth.Keys{Vault: auth.Key{7}}), Clock: clock,
	})
	w.names = catalog.New(catalog.Options{Store: w.db, Gate: w.links, Clock: clock})
	w.owner = core.Actor{User: core.UserID(w.id()), Group: 2}
	w.must(w.db.AddUser(w.Context(), catalog.User{
		ID: w.owner.User, Email: "o@example.test", Group: 2, Status: catalog.Active, Quota: -1, Created: clock(),
	}, core.NodeID(w.id())))
	_, err = w.names.Create(w.Context(), w.owner, catalog.At(w.path("/f/a")), catalog.NewNode{Kind: catalog.File})
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) id() int64 {
	w.Helper()
	id, err := w.db.MintID(w.Context())
	w.must(err)
	return id
}

func (w *world) path(s string) core.Path {
	w.Helper()
	p, err := core.ParsePath(s)
	w.must(err)
	return p
}

func (w *world) share(p string, t share.Terms) share.Link {
	w.Helper()
	made, err := w.links.Make(w.Context(), w.owner, catalog.At(w.path(p)), t)
	w.must(err)
	return made
}

// open is what a stranger with that key meets.
func (w *world) open(key catalog.ShareKey) error {
	_, err := w.names.Find(w.Context(), core.Actor{}, catalog.Ref{Share: &key})
	return err
}

func (w *world) want(err error, reason errs.Reason) {
	w.Helper()
	if !errs.Has(err, reason) {
		w.Errorf("got %v, want %s", err, reason)
	}
}

func (w *world) setUser(change func(*catalog.User)) {
	w.Helper()
	u, err := w.db.User(w.Context(), w.owner.User)
	w.must(err)
	change(&u)
	w.must(w.db.UpdateUser(w.Context(), u))
}

func TestAPasswordIsSealedInItsRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.share("/f", share.Terms{Private: true, Password: "hunter2"})
	row, err := w.rows.Share(w.Context(), made.ID)
	w.must(err)
	if bytes.Contains(row.Sealed, []byte("hunter2")) || !row.Private() {
		t.Errorf("the row has %q", row.Sealed)
	}
	v, err := w.links.Info(w.Context(), w.owner, catalog.ShareKey{ID: made.ID}, false)
	w.must(err)
	if v.Password != "hunter2" || !v.Unlocked {
		t.Errorf("the owner reads %q", v.Password.Reveal())
	}
	// Sealed for one share it is nothing in another.
	other := w.share("/f", share.Terms{Private: true, Password: "other"})
	row.ID = other.ID
	w.must(w.rows.Update(w.Context(), row))
	w.want(w.open(catalog.ShareKey{ID: other.ID, Password: "hunter2"}), errs.CipherFailed)
}

func TestAMadePasswordOpens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.share("/f", share.Terms{Private: true}), w.share("/f", share.Terms{Private: true})
	if len(a.Password) < 10 || a.Password == b.Password {
		t.Errorf("made %q and %q", a.Password.Reveal(), b.Password.Reveal())
	}
	w.must(w.open(catalog.ShareKey{ID: a.ID, Password: a.Password}))
	w.want(w.open(catalog.ShareKey{ID: a.ID, Password: b.Password}), errs.SharePassword)
}

func TestAShareEndsWithItsOwnersRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := catalog.ShareKey{ID: w.share("/f/a", share.Terms{}).ID}
	granted := key
	granted.Granted = true
	w.must(w.open(key))
	for name, change := range map[string]func(*catalog.User){
		"banned":            func(u *catalog.User) { u.Status = catalog.Banned },
		"a group without":   func(u *catalog.User) { u.Group = catalog.Anonymous },
		"not activated yet": func(u *catalog.User) { u.Status = catalog.Inactive },
	} {
		w.setUser(change)
		for _, k := range []catalog.ShareKey{key, granted} {
			if err := w.open(k); !errs.Has(err, errs.ShareExpired) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.setUser(func(u *catalog.User) { u.Status, u.Group = catalog.Active, 2 })
		w.must(w.open(key))
	}
}

func TestOfManyDownloadsAtOnceOneGoesThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.share("/f/a", share.Terms{Downloads: 1})
	var took atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if w.links.Take(w.Context(), core.Actor{}, made.ID) == nil {
				took.Add(1)
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 {
		t.Errorf("%d downloads went through", took.Load())
	}
	w.want(w.open(catalog.ShareKey{ID: made.ID}), errs.ShareExpired)
	w.must(w.open(catalog.ShareKey{ID: made.ID, Granted: true}))
}

func TestTheOwnersOwnDownloadsDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.share("/f/a", share.Terms{Downloads: 1})
	w.must(w.links.Take(w.Context(), w.owner, made.ID))
	w.must(w.links.Take(w.Context(), core.Actor{}, made.ID))
	w.want(w.links.Take(w.Context(), core.Actor{}, made.ID), errs.ShareExpired)
}

func TestWrongPasswordsOfAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.share("/f", share.Terms{Private: true})
	key := catalog.ShareKey{ID: made.ID, From: "192.0.2.1"}
	for range 20 {
		w.want(w.open(key), errs.SharePassword) // no password is no guess
	}
	key.Password = "wrong"
	for range 10 {
		w.want(w.open(key), errs.SharePassword)
	}
	key.Password = made.Password
	w.want(w.open(key), errs.TooManyGuesses)
	key.From = "192.0.2.2"
	w.must(w.open(key))
	key.From = "192.0.2.1"
	w.now.Add(16 * time.Minute.Microseconds())
	w.must(w.open(key))
}

func TestAShareOpensNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, p := range []string{"/fa/secret", "/g/secret"} {
		_, err := w.names.Create(w.Context(), w.owner, catalog.At(w.path(p)), catalog.NewNode{Kind: catalog.File})
		w.must(err)
	}
	made := w.share("/f", share.Terms{})
	for _, p := range []string{"/../fa/secret", "/a/../../g/secret", "/f/a", "/secret", "/a/b"} {
		_, err := w.names.Find(w.Context(), core.Actor{}, catalog.Ref{Path: w.path(p), Share: &catalog.ShareKey{ID: made.ID}})
		w.want(err, errs.PathMissing)
	}
	// What takes the place of what was shared is not shared.
	_, err := w.names.Rename(w.Context(), w.owner, catalog.At(w.path("/f")), "was")
	w.must(err)
	_, err = w.names.Rename(w.Context(), w.owner, catalog.At(w.path("/g")), "f")
	w.must(err)
	_, err = w.names.Find(w.Context(), core.Actor{}, catalog.Ref{Path: w.path("/secret"), Share: &catalog.ShareKey{ID: made.ID}})
	w.want(err, errs.PathMissing)
	_, err = w.names.Find(w.Context(), core.Actor{}, catalog.Ref{Path: w.path("/a"), Share: &catalog.ShareKey{ID: made.ID}})
	w.must(err)
}

func TestVisitorsSeeTheCurrentVersionOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n, err := w.names.Find(w.Context(), w.owner, catalog.At(w.path("/f/a")))
	w.must(err)
	old := core.VersionID(w.id())
	w.must(w.db.AddVersion(w.Context(), catalog.Version{
		ID: old, Node: n.ID, Owner: n.Owner, Policy: 1, Created: n.Created, Creator: n.Owner,
	}))
	ref := catalog.Ref{Share: &catalog.ShareKey{ID: w.share("/f/a", share.Terms{}).ID}}
	_, _, err = w.names.Choose(w.Context(), core.Actor{}, ref, &old)
	w.want(err, errs.VersionMissing)
	_, _, err = w.names.Choose(w.Context(), w.owner, ref, &old)
	w.must(err)
}

func TestWritingThroughAShareIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ref := catalog.Ref{Path: w.path("/b"), Share: &catalog.ShareKey{ID: w.share("/f", share.Terms{}).ID}}
	_, err := w.names.Create(w.Context(), w.owner, ref, catalog.NewNode{Kind: catalog.Folder})
	w.want(err, errs.NoPermission)
	_, err = w.names.Rename(w.Context(), w.owner, ref, "c")
	w.want(err, errs.NoPermission)
	failed, err := arrange.New(arrange.Options{Store: w.db, Catalog: w.names, Clock: w.clock}).Remove(w.Context(), w.owner, []catalog.Ref{ref})
	w.want(errors.Join(err, failed[0]), errs.NoPermission)
	_, err = w.links.Make(w.Context(), w.owner, ref, share.Terms{})
	w.want(err, errs.NoPermission)
}

func TestWhoMayNotShareMakesNoLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.links.Make(w.Context(), core.Actor{}, catalog.At(w.path("/f")), share.Terms{})
	w.want(err, errs.LoginNeeded)
	w.setUser(func(u *catalog.User) { u.Group = catalog.Anonymous })
	who := w.owner
	who.Group = catalog.Anonymous
	_, err = w.links.Make(w.Context(), who, catalog.At(w.path("/f")), share.Terms{})
	w.want(err, errs.NoPermission)
}

func TestOthersSeeOfMySharesWhatILetThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.share("/f", share.Terms{})
	w.share("/f/a", share.Terms{Private: true})
	gone := w.share("/f/a", share.Terms{Life: time.Second})
	w.now.Add(time.Minute.Microseconds())
	for setting, want := range map[string]int{"": 1, "all_share": 2, "hide_share": 0} {
		tree := profile{w.db, setting}
		links := share.New(share.Options{Store: w.rows, Tree: tree, Vault: auth.NewVault(auth.Keys{Vault: auth.Key{7}}), Clock: w.clock})
		p, err := links.Of(w.Context(), core.Actor{User: 1, Group: 2}, share.Query{Owner: w.owner.User})
		w.must(err)
		if len(p.Views) != want {
			t.Errorf("%q shows %d shares, want %d", setting, len(p.Views), want)
		}
		for _, v := range p.Views {
			if v.ID == gone.ID || v.Password != "" || !v.Path.IsRoot() && !v.Mine {
				t.Errorf("%q shows %+v", setting, v)
			}
		}
		p, err = links.Mine(w.Context(), w.owner, share.Query{})
		w.must(err)
		if len(p.Views) != 3 {
			t.Errorf("%q: I see %d of my shares", setting, len(p.Views))
		}
	}
}

// profile is a database in which users let others see what it says.
type profile struct {
	catalog.Store
	links string
}

func (p profile) User(ctx context.Context, id core.UserID) (catalog.User, error) {
	u, err := p.Store.User(ctx, id)
	u.Profile.ShareLinks = p.links
	return u, err
}
