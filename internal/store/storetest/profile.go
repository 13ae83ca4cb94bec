package storetest

import (
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
)

func testProfiles(t *testing.T, s *store.Store) {
	a := accounts.New(s)
	t.Run("a profile changes by what is said, and nothing else of the user does", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := h.Names.User(h.Ctx, h.User.ID)
		h.Must(err)
		u := h.User
		h.Must(a.SaveProfile(h.Ctx, u.ID, account.Patch{}))
		u.Nick, u.Language = "Ann", "de"
		h.Must(a.SaveProfile(h.Ctx, u.ID, account.Patch{Nick: &u.Nick, Language: &u.Language}))
		u.Profile = catalog.Profile{Theme: "#0f766e", ViewAlone: true, ShareLinks: "all_share", MaxVersions: 3, KeepExt: []string{"txt", "md"}}
		p := &u.Profile
		h.Must(a.SaveProfile(h.Ctx, u.ID, account.Patch{
			Theme: &p.Theme, ViewAlone: &p.ViewAlone, ShareLinks: &p.ShareLinks, MaxVersions: &p.MaxVersions,
			KeepExt: &p.KeepExt,
		}))
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error { // where rows are read from memory
			got, err := tx.User(h.Ctx, u.ID)
			equal(t, "user", got, u)
			return err
		}))
		h.Must(h.Names.UpdateUser(h.Ctx, u))
		got, err := h.Names.User(h.Ctx, u.ID)
		h.Must(err)
		equal(t, "user after an update", got, u)
		h.Must(a.SaveProfile(h.Ctx, u.ID, account.Patch{KeepExt: &[]string{}}))
		got, err = h.Names.User(h.Ctx, u.ID)
		h.Must(err)
		equal(t, "extensions when there are none", len(got.Profile.KeepExt), 0)
		want(t, a.SaveProfile(h.Ctx, 1<<52, account.Patch{Nick: &u.Nick}), errs.NotFound, errs.UserUnknown)
	})
	t.Run("people are found by a part of their name or by their whole address", func(t *testing.T) {
		h, closed := NewHome(t, s, -1), NewHome(t, s, -1)
		name := "Nobody 100%_! " + core.NewUUID()
		for _, u := range []core.UserID{h.User.ID, closed.User.ID} {
			h.Must(a.SaveProfile(h.Ctx, u, account.Patch{Nick: &name}))
		}
		closed.User.Nick, closed.User.Status = name, catalog.Banned
		h.Must(h.Names.UpdateUser(h.Ctx, closed.User))
		me := []account.Person{{User: h.User.ID, Nick: name, Created: h.User.Created}}
		for _, words := range []string{name, "100%_! " + name[14:20], name[14:], h.User.Email} {
			got, err := a.SearchPeople(h.Ctx, words, 10)
			h.Must(err)
			equal(t, words, got, me)
		}
		for _, words := range []string{"100_%! " + name[14:], "%" + name[14:], h.User.Email[1:]} {
			got, err := a.SearchPeople(h.Ctx, words, 10)
			h.Must(err)
			equal(t, words, len(got), 0)
		}
		got, err := a.SearchPeople(h.Ctx, "n", 1)
		h.Must(err)
		equal(t, "at most", len(got), 1)
	})
	t.Run("a picture is replaced and taken away, and the user says so", func(t *testing.T) {
		h := NewHome(t, s, -1)
		_, err := a.Picture(h.Ctx, h.User.ID)
		want(t, err, errs.NotFound, errs.PictureMissing)
		for _, p := range []*account.Picture{
			{MIME: "image/png", Image: []byte{0, 1}, At: Epoch}, {MIME: "image/jpeg", Image: []byte{2}, At: Epoch.Add(time.Second)}, nil, nil,
		} {
			h.Must(a.SetPicture(h.Ctx, h.User.ID, p))
			u, err := h.Names.User(h.Ctx, h.User.ID)
			h.Must(err)
			got, err := a.Picture(h.Ctx, h.User.ID)
			if p == nil {
				want(t, err, errs.NotFound, errs.PictureMissing)
				equal(t, "avatar", u.Profile.Avatar, "")
				continue
			}
			h.Must(err)
			equal(t, "picture", got, *p)
			equal(t, "avatar", u.Profile.Avatar, "file")
		}
		want(t, a.SetPicture(h.Ctx, 1<<52, &account.Picture{MIME: "x", Image: []byte{1}, At: Epoch}), errs.NotFound, errs.UserUnknown)
	})
}

func testDevices(t *testing.T, s *store.Store) {
	a, au := accounts.New(s), s.Auth()
	h := NewHome(t, s, -1)
	add := func(created, expires time.Time) auth.Family {
		f := auth.Family{
			ID: core.NewUUID(), User: h.User.ID, Epoch: h.User.Epoch, Serial: 1, Rotated: created, Created: created,
			Expires: expires, Agent: "curl/8", Addr: "192.0.2.1",
		}
		h.Must(au.AddFamily(h.Ctx, f))
		return f
	}
	of := func(f auth.Family) account.Device {
		return account.Device{ID: f.ID, Agent: f.Agent, Addr: f.Addr, Created: f.Created, Seen: f.Rotated, Expires: f.Expires}
	}
	listed := func(what string, now time.Time, limit int, w ...account.Device) {
		t.Helper()
		got, err := a.Devices(h.Ctx, h.User.ID, now, limit)
		h.Must(err)
		if len(got) == 0 {
			got = nil
		}
		equal(t, what, got, w)
	}
	first := add(Epoch, Epoch.Add(time.Hour))
	second := add(Epoch.Add(time.Minute), Epoch.Add(2*time.Hour))
	third := add(Epoch.Add(2*time.Minute), Epoch.Add(3*time.Hour))
	listed("all", Epoch, 10, of(third), of(second), of(first))
	listed("some", Epoch, 2, of(third), of(second))
	listed("not the expired one", first.Expires, 10, of(third), of(second))
	h.Must(au.Revoke(h.Ctx, second.ID))
	listed("not the revoked one", Epoch, 10, of(third), of(first))

	changed := account.Renewal{User: h.User.ID, Was: "another", Now: "new", Keep: first.ID}
	want(t, a.Renew(h.Ctx, changed), errs.Conflict, errs.Changed)
	listed("nothing has changed", Epoch, 10, of(third), of(first))
	changed.Was = h.User.Password
	h.Must(a.Renew(h.Ctx, changed))
	listed("only what was kept", Epoch, 10, of(first))
	u, err := h.Names.User(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "password and epoch", []any{u.Password, u.Epoch}, []any{core.Secret("new"), h.User.Epoch + 1})
	f, err := au.Family(h.Ctx, first.ID)
	h.Must(err)
	equal(t, "epoch of the device", f.Epoch, u.Epoch)
	f, err = au.Family(h.Ctx, third.ID)
	h.Must(err)
	equal(t, "the other device", []any{f.Epoch, f.Revoked}, []any{h.User.Epoch, true})

	stranger := NewHome(t, s, -1)
	h.Must(a.Renew(h.Ctx, account.Renewal{User: stranger.User.ID, Was: stranger.User.Password, Now: stranger.User.Password, Keep: first.ID}))
	listed("the device of another is not taken over", Epoch, 10, of(first))

	add(first.Expires.Add(time.Second), first.Expires.Add(time.Hour))
	_, err = au.Family(h.Ctx, first.ID)
	want(t, err, errs.NotFound, errs.BadToken)

	won := race(8, func(int) error {
		return a.Renew(h.Ctx, account.Renewal{User: h.User.ID, Was: "new", Now: "newer"})
	})
	onlyOne(t, won, errs.Conflict, errs.Changed)
}

func testFactors(t *testing.T, s *store.Store) {
	a, h := accounts.New(s), NewHome(t, s, -1)
	_, err := a.Factor(h.Ctx, h.User.ID)
	want(t, err, errs.NotFound, errs.FactorMissing)
	f := account.Factor{User: h.User.ID, Sealed: []byte{1}, Made: Epoch}
	h.Must(a.OfferFactor(h.Ctx, f))
	f.Sealed, f.Made = []byte{2}, Epoch.Add(time.Second)
	h.Must(a.OfferFactor(h.Ctx, f))
	got, err := a.Factor(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "offered", got, f)
	f.Since = Epoch.Add(time.Minute)
	stale := f
	stale.Made = Epoch
	want(t, a.ConfirmFactor(h.Ctx, stale, nil), errs.Conflict, errs.Changed)
	h.Must(a.ConfirmFactor(h.Ctx, f, nil))
	want(t, a.ConfirmFactor(h.Ctx, f, nil), errs.Conflict, errs.Changed)
	want(t, a.OfferFactor(h.Ctx, f), errs.Exists, errs.FactorOn)
	got, err = a.Factor(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "on", got, f)
	h.Must(a.DropFactor(h.Ctx, h.User.ID))
	h.Must(a.DropFactor(h.Ctx, h.User.ID))
	_, err = a.Factor(h.Ctx, h.User.ID)
	want(t, err, errs.NotFound, errs.FactorMissing)

	id := core.NewUUID()
	won := race(8, func(int) error {
		fresh, err := a.Spend(h.Ctx, id, Epoch, Epoch.Add(time.Minute))
		if err == nil && !fresh {
			err = errs.New(errs.Conflict, errs.Changed)
		}
		return err
	})
	onlyOne(t, won, errs.Conflict, errs.Changed)
	fresh, err := a.Spend(h.Ctx, id, Epoch.Add(time.Minute), Epoch.Add(time.Hour))
	h.Must(err)
	equal(t, "again at the end", fresh, false)
	fresh, err = a.Spend(h.Ctx, id, Epoch.Add(2*time.Minute), Epoch.Add(time.Hour))
	h.Must(err)
	equal(t, "again afterwards", fresh, true)
}

func testPasskeys(t *testing.T, s *store.Store) {
	a, h, other := accounts.New(s), NewHome(t, s, -1), NewHome(t, s, -1)
	p := account.Passkey{ID: core.NewUUID(), User: h.User.ID, Name: "phone", Sealed: []byte{1, 2}, Created: Epoch}
	q := account.Passkey{ID: core.NewUUID(), User: h.User.ID, Name: "key", Sealed: []byte{3}, Created: Epoch.Add(time.Second)}
	h.Must(a.AddPasskey(h.Ctx, q))
	h.Must(a.AddPasskey(h.Ctx, p))
	want(t, a.AddPasskey(h.Ctx, p), errs.Exists, errs.PasskeyKnown)
	p.Sealed, p.Used = []byte{9}, Epoch.Add(time.Hour)
	h.Must(a.UsePasskey(h.Ctx, p))
	got, err := a.Passkeys(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "passkeys", got, []account.Passkey{p, q})
	stolen := p
	stolen.User = other.User.ID
	want(t, a.UsePasskey(h.Ctx, stolen), errs.NotFound, errs.PasskeyMissing)
	want(t, a.DropPasskey(h.Ctx, other.User.ID, p.ID), errs.NotFound, errs.PasskeyMissing)
	h.Must(a.DropPasskey(h.Ctx, h.User.ID, p.ID))
	want(t, a.DropPasskey(h.Ctx, h.User.ID, p.ID), errs.NotFound, errs.PasskeyMissing)
	got, err = a.Passkeys(h.Ctx, h.User.ID)
	h.Must(err)
	equal(t, "what is left", got, []account.Passkey{q})
}
