package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) User(ctx context.Context, id core.UserID) (catalog.User, error) {
	const op = "store.User"
	r, err := t.user(ctx, int64(id))
	if err != nil {
		return catalog.User{}, t.found(op, err, errs.UserUnknown)
	}
	return toUser(r), nil
}

func (t *tx) UserByEmail(ctx context.Context, email string) (catalog.User, error) {
	const op = "store.UserByEmail"
	r, err := t.q.UserByEmail(ctx, catalog.EmailKey(email))
	if err != nil {
		return catalog.User{}, t.found(op, err, errs.UserUnknown)
	}
	return toUser(r), nil
}

func (t *tx) Users(ctx context.Context, after core.UserID, limit int) ([]catalog.User, error) {
	const op = "store.Users"
	rows, err := t.q.Users(ctx, query.UsersParams{After: int64(after), Lim: int64(max(limit, 0))})
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toUser))
}

func (t *tx) AddUser(ctx context.Context, u catalog.User, root core.NodeID) error {
	const op = "store.AddUser"
	rows, err := t.q.AddUser(ctx, query.AddUserParams{
		ID: int64(u.ID), Email: u.Email, EmailKey: catalog.EmailKey(u.Email), Nick: u.Nick,
		Password: u.Password.Reveal(), GroupID: int64(u.Group), Status: string(u.Status), Quota: u.Quota,
		Epoch: u.Epoch, Language: u.Language, CreatedUs: micros(u.Created),
	})
	if err != nil {
		return t.fail(op, err)
	}
	if rows == 0 {
		return errs.Newf(errs.Exists, errs.NameTaken, "The address is in use.").At(op)
	}
	rows, err = t.q.InsertRoot(ctx, query.InsertRootParams{
		ID: int64(root), Owner: int64(u.ID), CreatedUs: micros(u.Created),
	})
	if err == nil && rows == 0 {
		err = errs.Newf(errs.Exists, errs.NameTaken, "The id of the root folder is in use.")
	}
	return t.fail(op, err)
}

func (t *tx) UpdateUser(ctx context.Context, u catalog.User) error {
	const op = "store.UpdateUser"
	t.known.forget()
	rows, err := t.q.UpdateUser(ctx, query.UpdateUserParams{
		Email: u.Email, EmailKey: catalog.EmailKey(u.Email), Nick: u.Nick, Password: u.Password.Reveal(),
		GroupID: int64(u.Group), Status: string(u.Status), Quota: u.Quota, Epoch: u.Epoch, Language: u.Language,
		CreatedUs: micros(u.Created), ID: int64(u.ID),
	})
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	if _, err := t.q.User(ctx, int64(u.ID)); err != nil {
		return t.found(op, err, errs.UserUnknown)
	}
	return errs.Newf(errs.Exists, errs.NameTaken, "The address is in use.").At(op)
}

func (t *tx) Group(ctx context.Context, id core.GroupID) (catalog.Group, error) {
	const op = "store.Group"
	r, err := t.group(ctx, int64(id))
	if err != nil {
		return catalog.Group{}, t.found(op, err, errs.UserUnknown)
	}
	return toGroup(r), nil
}

func (t *tx) GroupByName(ctx context.Context, name string) (catalog.Group, error) {
	const op = "store.GroupByName"
	r, err := t.q.GroupByName(ctx, name)
	if err != nil {
		return catalog.Group{}, t.found(op, err, errs.UserUnknown)
	}
	return toGroup(r), nil
}
