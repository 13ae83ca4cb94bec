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

// setup makes the first administrator, once. It is the Setup of the doors.
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
	found, err := s.admin(ctx)
	if err != nil {
		return false, errs.Wrap(op, err)
	}
	s.done.Store(found)
	return !found, nil
}

// admin reports whether there is an active administrator. Accounts come in the
// order of their making, so that the first administrator ends the search.
func (s *setup) admin(ctx context.Context) (bool, error) {
	st := s.base.store.Catalog()
	for after := core.UserID(0); ; {
		page, err := st.Users(ctx, after, 100)
		if err != nil || len(page) == 0 {
			return false, err
		}
		for _, u := range page {
			g, err := st.Group(ctx, u.Group)
			if err != nil {
				return false, err
			}
			if g.Admin() && u.Status == catalog.Active {
				return true, nil
			}
			after = u.ID
		}
	}
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
