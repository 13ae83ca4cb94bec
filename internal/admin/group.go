package admin

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// The groups that come with the site, as the migrations insert them.
const (
	AdminGroup     core.GroupID = 1
	UserGroup      core.GroupID = 2
	AnonymousGroup core.GroupID = 3
)

// mostGroups bounds groups and policies: lists of them are read whole.
const mostGroups = 1000

// GroupEdit is what of a group is set; nil leaves a field as it is.
type GroupEdit struct {
	Name        *string
	Permissions *int64
	Quota       *int64 // bytes
	Policy      *core.PolicyID
	MaxSessions *int64
	MaxVersions *int64
	TrashFor    *time.Duration
}

const (
	adminBit     int64 = 1 << catalog.PermAdmin
	anonymousBit int64 = 1 << catalog.PermAnonymous
)

func (e *GroupEdit) check(op string) error {
	if t := e.TrashFor; t != nil && (*t < 0 || *t > 100*365*24*time.Hour || *t%time.Second != 0) {
		return bad(op, "What was deleted is kept for whole seconds, up to 100 years.")
	}
	return firstOf(
		checkName(op, "group", e.Name),
		within(op, "A set of permissions", e.Permissions, 0, 1<<53-1),
		within(op, "A quota", e.Quota, 0, blob.MaxSize),
		within(op, "The number of open uploads", e.MaxSessions, 1, 1_000_000),
		within(op, "The number of versions", e.MaxVersions, 1, 10_000),
	)
}

// rights refuses permissions that a group cannot have.
func rights(op string, g catalog.Group) error {
	is := func(bit int64) bool { return g.Permissions&bit != 0 }
	switch {
	case g.ID == AnonymousGroup && (!is(anonymousBit) || is(adminBit)):
		return errs.Newf(errs.Forbidden, errs.Builtin, "Those who are not signed in stay anonymous, and administer nothing.").At(op)
	case g.ID != AnonymousGroup && is(anonymousBit):
		return errs.Newf(errs.Forbidden, errs.Builtin, "Only one group is that of those who are not signed in.").At(op)
	case g.ID == AdminGroup && !is(adminBit):
		return errs.Newf(errs.Forbidden, errs.Builtin, "The first group administers the site. Move its users to another group instead.").At(op)
	}
	return nil
}

// AddGroup makes a group. Exists/name_taken; NotFound/policy_missing.
func (a *Admin) AddGroup(ctx context.Context, by By, e GroupEdit) (catalog.Group, error) {
	const op = "admin.AddGroup"
	if e.Name == nil {
		return catalog.Group{}, bad(op, "A new group needs a name.")
	}
	if err := e.check(op); err != nil {
		return catalog.Group{}, err
	}
	all, err := a.Store.Groups(ctx, mostGroups)
	if err != nil {
		return catalog.Group{}, errs.Wrap(op, err)
	}
	if len(all) == mostGroups {
		return catalog.Group{}, errs.Newf(errs.Invalid, errs.TooMany, "There are %d groups; delete one first.", mostGroups).At(op)
	}
	id, err := a.Names.MintID(ctx)
	if err != nil {
		return catalog.Group{}, errs.Wrap(op, err)
	}
	g := catalog.Group{ID: core.GroupID(id), MaxSessions: 1000, MaxVersions: 10, TrashFor: 7 * 24 * time.Hour, Policy: 1}
	e.apply(&g)
	err = a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		if _, err := tx.Policy(ctx, g.Policy); err != nil {
			return nil, err
		}
		err := firstOf(rights(op, g), tx.AddGroup(ctx, g))
		return []Line{{Action: Added, Kind: OfGroup, Subject: ID(g.ID), Note: g.Name}}, err
	})
	return g, errs.Wrap(op, err)
}

func (e *GroupEdit) apply(g *catalog.Group) notes {
	var done notes
	edit(&done, "name", &g.Name, e.Name)
	edit(&done, "permissions", &g.Permissions, e.Permissions)
	edit(&done, "quota", &g.Quota, e.Quota)
	edit(&done, "policy", &g.Policy, e.Policy)
	edit(&done, "open uploads", &g.MaxSessions, e.MaxSessions)
	edit(&done, "versions", &g.MaxVersions, e.MaxVersions)
	edit(&done, "trash", &g.TrashFor, e.TrashFor)
	return done
}

// EditGroup changes a group. NotFound/group_missing, policy_missing;
// Exists/name_taken; Forbidden/builtin; Conflict/last_admin.
func (a *Admin) EditGroup(ctx context.Context, by By, id core.GroupID, e GroupEdit) (catalog.Group, error) {
	const op = "admin.EditGroup"
	if err := e.check(op); err != nil {
		return catalog.Group{}, err
	}
	var g catalog.Group
	var members []core.UserID
	err := a.change(ctx, by, 1, func(tx Tx) (_ []Line, err error) {
		if g, err = group(ctx, tx, id); err != nil {
			return nil, err
		}
		was := g
		done := e.apply(&g)
		if len(done) == 0 {
			return nil, nil
		}
		if err := rights(op, g); err != nil {
			return nil, err
		}
		if _, err := tx.Policy(ctx, g.Policy); err != nil {
			return nil, err
		}
		if err := tx.UpdateGroup(ctx, g); err != nil {
			return nil, err
		}
		if (was.Permissions^g.Permissions)&adminBit != 0 {
			if members, err = tx.Members(ctx, id, windowRows); err != nil {
				return nil, err
			}
		}
		return []Line{{Action: Changed, Kind: OfGroup, Subject: ID(id), Note: done.String()}}, keepAdmin(ctx, tx)
	})
	for _, m := range members { // those beyond see it within a second
		a.Changed(m)
	}
	return g, errs.Wrap(op, err)
}

func group(ctx context.Context, d catalog.Directory, id core.GroupID) (catalog.Group, error) {
	g, err := d.Group(ctx, id)
	if errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, errs.GroupMissing).Because(err)
	}
	return g, err
}

// RemoveGroup removes a group without users. NotFound/group_missing;
// Forbidden/builtin; Conflict/group_in_use.
func (a *Admin) RemoveGroup(ctx context.Context, by By, id core.GroupID) error {
	const op = "admin.RemoveGroup"
	if id == AdminGroup || id == UserGroup || id == AnonymousGroup {
		return errs.New(errs.Forbidden, errs.Builtin).At(op)
	}
	return errs.Wrap(op, a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		g, err := group(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		left, err := tx.Members(ctx, id, 1)
		if err == nil && len(left) > 0 {
			err = errs.New(errs.Conflict, errs.GroupInUse)
		}
		if err == nil {
			err = tx.RemoveGroup(ctx, id)
		}
		return []Line{{Action: Removed, Kind: OfGroup, Subject: ID(id), Note: g.Name}}, err
	}))
}
