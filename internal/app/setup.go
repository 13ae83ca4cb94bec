package app

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// setup makes the first administrator, once. It implements rest.Setup.
type setup struct {
	base  *Base
	token *auth.SetupToken
	done  atomic.Bool
	one   sync.Mutex // at a time makes the account
}

// Required reports whether there is no administrator yet.
func (s *setup) Required(ctx context.Context) (bool, error) {
	const op = "app.setup.Required"
	if s.done.Load() {
		return false, nil
	}
	users, err := s.base.Users(ctx)
	if err != nil {
		return false, errs.Wrap(op, err)
	}
	for _, u := range users {
		if u.Group.Admin() && u.User.Status == catalog.Active {
			s.done.Store(true)
			return false, nil
		}
	}
	return true, nil
}

// Make checks the one-time token and makes the account.
func (s *setup) Make(ctx context.Context, token core.Secret, email string, password core.Secret) error {
	const op = "app.setup.Make"
	s.one.Lock()
	defer s.one.Unlock()
	required, err := s.Required(ctx)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if !required || !s.token.Holds(token) {
		return errs.New(errs.Forbidden, errs.SetupDone).At(op)
	}
	_, err = s.base.AddUser(ctx, NewUser{Email: email, Password: password, Admin: true, Quota: GroupQuota})
	if err == nil {
		s.token.Spend()
	}
	return errs.Wrap(op, err)
}
