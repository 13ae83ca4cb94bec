package administration

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// change is one transaction. turn is a field: it has methods of the same names as
// the catalog.
type change struct {
	catalog.Tx
	turn part.Turn
}

var _ admin.Tx = change{}

// InTx implements admin.Store.
func (a *Administration) InTx(ctx context.Context, fn func(admin.Tx) error) error {
	return a.base.Both(ctx, func(names catalog.Tx, t part.Turn) error { return fn(change{names, t}) })
}

// Hold implements admin.Changes. On PostgreSQL the row is what the others wait for;
// SQLite has one writer anyway.
func (c change) Hold(ctx context.Context) error {
	return c.turn.Fail("administration.Hold", c.turn.SetSite(ctx, query.SetSiteParams{Name: "administration", Value: "held by each change"}))
}

// HoldUser implements admin.Changes.
func (c change) HoldUser(ctx context.Context, id core.UserID) error {
	return c.one("administration.HoldUser", errs.UserUnknown)(c.turn.HoldLedger(ctx, int64(id)))
}

// one fails for a statement that found no row.
func (c change) one(op string, missing errs.Reason) func(rows int64, err error) error {
	return func(rows int64, err error) error {
		if err == nil && rows == 0 {
			return errs.New(errs.NotFound, missing).At(op)
		}
		return c.turn.Fail(op, err)
	}
}

// Admins implements admin.Changes.
func (c change) Admins(ctx context.Context, limit int) ([]core.UserID, error) {
	rows, err := c.turn.ActiveAdmins(ctx, int64(limit))
	return list(c.turn, "administration.Admins", rows, err, toUserID)
}

func toUserID(id int64) core.UserID { return core.UserID(id) }

// Note implements admin.Changes.
func (c change) Note(ctx context.Context, l admin.Line) error {
	return c.turn.Fail("administration.Note", c.turn.AddTrail(ctx, query.AddTrailParams{
		ID: l.ID, AtUs: core.Micros(l.At), Who: int64(l.Who), Request: l.Request, Action: string(l.Action),
		Kind: string(l.Kind), Subject: l.Subject, Note: l.Note,
	}))
}

// SetSetting implements admin.Changes.
func (c change) SetSetting(ctx context.Context, name, value string) error {
	return c.turn.Fail("administration.SetSetting", c.turn.SetSite(ctx, query.SetSiteParams{Name: settingKey(name), Value: value}))
}

// RemoveUser implements admin.Changes.
func (c change) RemoveUser(ctx context.Context, id core.UserID) error {
	const op = "administration.RemoveUser"
	c.turn.Forget()
	for _, forget := range []func(context.Context, int64) error{
		c.turn.ForgetUploadsOf, c.turn.ForgetDevicesOf, c.turn.ForgetFactorsOf, c.turn.ForgetPasskeysOf, c.turn.ForgetPictureOf,
	} {
		if err := forget(ctx, int64(id)); err != nil {
			return c.turn.Fail(op, err)
		}
	}
	rows, err := c.turn.RemoveUser(ctx, int64(id))
	if dialect.IsForeignKey(err) {
		return errs.Newf(errs.Conflict, errs.Changed, "Something of the user was there yet, or came just now. Delete the user again.").At(op).Because(err)
	}
	return c.one(op, errs.UserUnknown)(rows, err)
}

// Roots implements admin.Changes.
func (c change) Roots(ctx context.Context, id core.UserID) ([]core.NodeID, error) {
	rows, err := c.turn.RootsOf(ctx, int64(id))
	return list(c.turn, "administration.Roots", rows, err, func(id int64) core.NodeID { return core.NodeID(id) })
}

func (c change) groupFailed(op string, rows int64, err, none error) error {
	switch {
	case dialect.IsForeignKey(err):
		return errs.New(errs.NotFound, errs.PolicyMissing).At(op).Because(err)
	case err == nil && rows == 0:
		return none
	}
	return c.turn.Fail(op, err)
}

func taken(op string) error {
	return errs.Newf(errs.Exists, errs.NameTaken, "There is another group of that name.").At(op)
}

// AddGroup implements admin.Places.
func (c change) AddGroup(ctx context.Context, g catalog.Group) error {
	const op = "administration.AddGroup"
	rows, err := c.turn.AddGroup(ctx, query.AddGroupParams{
		ID: int64(g.ID), Name: g.Name, Permissions: g.Permissions, Quota: g.Quota, Policy: int64(g.Policy),
		MaxSessions: g.MaxSessions, MaxVersions: g.MaxVersions, TrashSeconds: int64(g.TrashFor / time.Second),
	})
	return c.groupFailed(op, rows, err, taken(op))
}

// UpdateGroup implements admin.Places.
func (c change) UpdateGroup(ctx context.Context, g catalog.Group) error {
	const op = "administration.UpdateGroup"
	c.turn.Forget()
	rows, err := c.turn.UpdateGroup(ctx, query.UpdateGroupParams{
		ID: int64(g.ID), Name: g.Name, Permissions: g.Permissions, Quota: g.Quota, Policy: int64(g.Policy),
		MaxSessions: g.MaxSessions, MaxVersions: g.MaxVersions, TrashSeconds: int64(g.TrashFor / time.Second),
	})
	none := taken(op)
	if err == nil && rows == 0 {
		if _, err := c.Group(ctx, g.ID); errs.Is(err, errs.NotFound) {
			none = errs.New(errs.NotFound, errs.GroupMissing).At(op)
		}
	}
	return c.groupFailed(op, rows, err, none)
}

// RemoveGroup implements admin.Places.
func (c change) RemoveGroup(ctx context.Context, id core.GroupID) error {
	const op = "administration.RemoveGroup"
	c.turn.Forget()
	rows, err := c.turn.RemoveGroup(ctx, int64(id))
	if dialect.IsForeignKey(err) {
		return errs.New(errs.Conflict, errs.GroupInUse).At(op).Because(err)
	}
	return c.one(op, errs.GroupMissing)(rows, err)
}

// Members implements admin.Places.
func (c change) Members(ctx context.Context, id core.GroupID, limit int) ([]core.UserID, error) {
	rows, err := c.turn.MembersOf(ctx, query.MembersOfParams{GroupID: int64(id), Lim: int64(limit)})
	return list(c.turn, "administration.Members", rows, err, toUserID)
}

// UseOf implements admin.Places.
func (c change) UseOf(ctx context.Context, id core.PolicyID) (admin.Use, error) {
	const op = "administration.UseOf"
	group, err := c.turn.GroupOfPolicy(ctx, int64(id))
	if err != nil && !dialect.IsNoRows(err) {
		return admin.Use{}, c.turn.Fail(op, err)
	}
	r, err := c.turn.PolicyHolds(ctx, int64(id))
	return admin.Use{Group: group, Versions: r.Versions, Uploads: r.Uploads, Doomed: r.Doomed}, c.turn.Fail(op, err)
}

// RemovePolicy implements admin.Places.
func (c change) RemovePolicy(ctx context.Context, id core.PolicyID) error {
	const op = "administration.RemovePolicy"
	c.turn.Forget()
	rows, err := c.turn.RemovePolicy(ctx, int64(id))
	if dialect.IsForeignKey(err) {
		return errs.New(errs.Conflict, errs.PolicyInUse).At(op).Because(err)
	}
	return c.one(op, errs.PolicyMissing)(rows, err)
}
