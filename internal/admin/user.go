package admin

import (
	"context"
	"regexp"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// UserEdit is what of a user is set; nil leaves a field as it is.
type UserEdit struct {
	Email    *string
	Nick     *string
	Group    *core.GroupID
	Status   *catalog.Status
	Quota    *int64 // bytes; -1: as the group says
	Password *core.Secret
}

var address = regexp.MustCompile(`^[^\s@"<>]{1,64}@[^\s@"<>]{1,255}$`)

func (e *UserEdit) check(op string) error {
	if e.Email != nil {
		*e.Email = strings.TrimSpace(*e.Email)
		if !address.MatchString(*e.Email) {
			return bad(op, "%q is not an e-mail address.", *e.Email)
		}
	}
	if s := e.Status; s != nil && *s != catalog.Active && *s != catalog.Inactive && *s != catalog.Banned {
		return bad(op, "The status of a user is active, inactive or manual_banned.")
	}
	return firstOf(checkName(op, "user", e.Nick), within(op, "A quota", e.Quota, -1, blob.MaxSize))
}

// checkGroup refuses a group that users cannot be in.
func checkGroup(ctx context.Context, op string, tx Tx, id core.GroupID) error {
	g, err := tx.Group(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, errs.GroupMissing).At(op).Because(err)
	}
	if err == nil && g.Permissions&(1<<catalog.PermAnonymous) != 0 {
		return bad(op, "Nobody signs in as a member of the group %q.", g.Name)
	}
	return err
}

// AddUser makes an account of an address and a password: active, in the group of
// users, unless e says otherwise. Exists/name_taken when the address has one.
func (a *Admin) AddUser(ctx context.Context, by By, e UserEdit) (catalog.User, error) {
	const op = "admin.AddUser"
	if e.Email == nil || e.Password == nil {
		return catalog.User{}, bad(op, "A new user needs an address and a password.")
	}
	if err := e.check(op); err != nil {
		return catalog.User{}, err
	}
	hash, err := auth.Hash(ctx, *e.Password)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	var ids [2]int64 // of the user and of the root
	for i := range ids {
		if ids[i], err = a.Names.MintID(ctx); err != nil {
			return catalog.User{}, errs.Wrap(op, err)
		}
	}
	nick, _, _ := strings.Cut(*e.Email, "@")
	u := catalog.User{
		ID: core.UserID(ids[0]), Email: *e.Email, Nick: nick, Password: hash, Group: UserGroup,
		Status: catalog.Active, Quota: -1, Language: "en-US", Created: a.Clock(),
	}
	var ignored notes
	edit(&ignored, "", &u.Nick, e.Nick)
	edit(&ignored, "", &u.Group, e.Group)
	edit(&ignored, "", &u.Status, e.Status)
	edit(&ignored, "", &u.Quota, e.Quota)
	err = a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		if err := checkGroup(ctx, op, tx, u.Group); err != nil {
			return nil, err
		}
		if err := tx.AddUser(ctx, u, core.NodeID(ids[1])); err != nil {
			return nil, inUse(op, u.Email, err)
		}
		return []Line{{Action: Added, Kind: OfUser, Subject: ID(u.ID), Note: u.Email}}, nil
	})
	return u, errs.Wrap(op, err)
}

func inUse(op, email string, err error) error {
	if errs.Is(err, errs.Exists) {
		return errs.Newf(errs.Exists, errs.NameTaken, "%s has an account already.", email).At(op).Because(err)
	}
	return err
}

// ID spells an id as the trail has it.
func ID[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

// EditUser changes an account. Another password, and a status that shuts out, end
// all sign-ins of it.
//
//   - NotFound/user_unknown, group_missing;
//   - Exists/name_taken: the address is another's;
//   - Conflict/last_admin.
func (a *Admin) EditUser(ctx context.Context, by By, id core.UserID, e UserEdit) (catalog.User, error) {
	const op = "admin.EditUser"
	if err := e.check(op); err != nil {
		return catalog.User{}, err
	}
	var hash *core.Secret
	if e.Password != nil {
		h, err := auth.Hash(ctx, *e.Password)
		if err != nil {
			return catalog.User{}, errs.Wrap(op, err)
		}
		hash = &h
	}
	var u catalog.User
	err := a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		if err := tx.HoldUser(ctx, id); err != nil {
			return nil, err
		}
		var err error
		if u, err = tx.User(ctx, id); err != nil {
			return nil, err
		}
		var done notes
		edit(&done, "email", &u.Email, e.Email)
		edit(&done, "nick", &u.Nick, e.Nick)
		edit(&done, "group", &u.Group, e.Group)
		edit(&done, "status", &u.Status, e.Status)
		edit(&done, "quota", &u.Quota, e.Quota)
		edit(&done, "password", &u.Password, hash)
		if len(done) == 0 {
			return nil, nil
		}
		if err := checkGroup(ctx, op, tx, u.Group); err != nil {
			return nil, err
		}
		if hash != nil || u.Status != catalog.Active {
			u.Epoch++
		}
		if err := tx.UpdateUser(ctx, u); err != nil {
			return nil, inUse(op, u.Email, err)
		}
		return []Line{{Action: Changed, Kind: OfUser, Subject: ID(id), Note: done.String()}}, keepAdmin(ctx, tx)
	})
	a.Changed(id) // also after a failure: nobody knows then what was written
	return u, errs.Wrap(op, err)
}

// RemoveUser takes a user away with everything of the user's: files, versions, open
// uploads, devices. The account is shut out first, so what fails on the way can be
// done again.
//
//   - NotFound/user_unknown;
//   - Forbidden/no_permission for one's own account;
//   - Conflict/last_admin; Conflict/changed while something is being added yet.
func (a *Admin) RemoveUser(ctx context.Context, by By, id core.UserID) error {
	const op = "admin.RemoveUser"
	if id == by.Actor.User {
		return errs.Newf(errs.Forbidden, errs.NoPermission, "The account you are signed in with cannot be deleted by itself.").At(op)
	}
	shut := catalog.Banned
	if _, err := a.EditUser(ctx, by, id, UserEdit{Status: &shut}); err != nil {
		return errs.Wrap(op, err)
	}
	if err := a.abortAll(ctx, id); err != nil {
		return errs.Wrap(op, err)
	}
	err := a.change(ctx, by, 1, func(tx Tx) ([]Line, error) {
		if err := tx.HoldUser(ctx, id); err != nil {
			return nil, err
		}
		u, err := tx.User(ctx, id)
		if err != nil {
			return nil, err
		}
		roots, err := tx.Roots(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, root := range roots {
			if _, err := tx.RemoveTree(ctx, root, a.Clock()); err != nil {
				return nil, err
			}
		}
		if err := tx.RemoveUser(ctx, id); err != nil {
			return nil, err
		}
		return []Line{{Action: Removed, Kind: OfUser, Subject: ID(id), Note: u.Email}}, keepAdmin(ctx, tx)
	})
	a.Changed(id)
	return errs.Wrap(op, err)
}

// abortAll ends the uploads of a user who can begin no other.
func (a *Admin) abortAll(ctx context.Context, id core.UserID) error {
	const batch = 200
	for {
		open, err := a.Store.UploadsOf(ctx, id, batch)
		if err != nil {
			return err
		}
		for _, s := range open {
			if err := a.Abort(ctx, core.Actor{User: id, Via: core.ViaLocal}, s); err != nil {
				return err
			}
		}
		if len(open) < batch {
			return nil
		}
	}
}

// AbortUpload ends an upload of whomever; NotFound/session_gone.
func (a *Admin) AbortUpload(ctx context.Context, by By, id core.SessionID) error {
	const op = "admin.AbortUpload"
	owner, err := a.Store.OwnerOf(ctx, id)
	if err != nil {
		return errs.Wrap(op, err)
	}
	// The line comes first: what is ended is in the trail whatever happens then.
	err = a.change(ctx, by, 1, func(Tx) ([]Line, error) {
		return []Line{{Action: Removed, Kind: OfUpload, Subject: string(id), Note: "of user " + ID(owner)}}, nil
	})
	if err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, a.Abort(ctx, core.Actor{User: owner, Via: core.ViaLocal}, id))
}
