package share

import (
	"context"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var _ catalog.Gate = (*Links)(nil)

// Enter implements catalog.Gate.
func (l *Links) Enter(ctx context.Context, who core.Actor, key catalog.ShareKey) (catalog.Opened, error) {
	const op = "share.Enter"
	s, err := l.store.Share(ctx, key.ID)
	if key.Granted {
		s.Remain = NoLimit // that download was one of those that were left
	}
	if err == nil {
		_, err = l.stands(ctx, s)
	}
	if err == nil && !key.Granted {
		err = l.admit(ctx, who, s, key)
	}
	if err != nil {
		return catalog.Opened{}, errs.Wrap(op, err)
	}
	return s.opens(), nil
}

func (s Share) opens() catalog.Opened {
	return catalog.Opened{Owner: s.Owner, Node: s.Node, ShowView: s.ShowView}
}

// stands returns the owner of s if s opens anything: it has not expired, is not
// used up, and its owner still may share. NotFound/share_expired.
func (l *Links) stands(ctx context.Context, s Share) (catalog.User, error) {
	const op = "share.stands"
	owner, err := l.tree.User(ctx, s.Owner)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	g, err := l.tree.Group(ctx, owner.Group)
	if err != nil {
		return catalog.User{}, errs.Wrap(op, err)
	}
	old := !s.Expires.IsZero() && !l.clock().Before(s.Expires)
	if old || s.Remain == 0 || owner.Status != catalog.Active || !g.May(catalog.PermShare) {
		return owner, errs.New(errs.NotFound, errs.ShareExpired).At(op)
	}
	return owner, nil
}

// admit is nil for whom s opens with that key.
func (l *Links) admit(ctx context.Context, who core.Actor, s Share, key catalog.ShareKey) error {
	const op = "share.admit"
	if !who.Known() {
		g, err := l.tree.Group(ctx, catalog.Anonymous)
		if err != nil {
			return errs.Wrap(op, err)
		}
		if !g.May(catalog.PermShareDownload) {
			return errs.New(errs.Forbidden, errs.AnonymousDenied).At(op)
		}
	}
	if !s.Private() || who.User == s.Owner {
		return nil
	}
	wrong := errs.New(errs.Forbidden, errs.SharePassword).At(op)
	if key.Password == "" {
		return wrong // nothing was guessed
	}
	pw, err := l.open(s)
	if err != nil {
		return errs.Wrap(op, err)
	}
	ok, err := l.guesses.Try(ctx, strconv.FormatInt(int64(s.ID), 10), key.From, func() (bool, error) {
		return same(pw, key.Password), nil
	})
	if err == nil && !ok {
		err = wrong
	}
	return errs.Wrap(op, err)
}

// Take counts a download by who, after Enter; the owner's own do not count.
// NotFound/share_expired when none is left, Forbidden/no_permission for a group
// that may not.
func (l *Links) Take(ctx context.Context, who core.Actor, id core.ShareID) error {
	const op = "share.Take"
	s, err := l.store.Share(ctx, id)
	if err != nil || who.User == s.Owner {
		return errs.Wrap(op, err)
	}
	group := catalog.Anonymous
	if who.Known() {
		group = who.Group
	}
	g, err := l.tree.Group(ctx, group)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if !g.May(catalog.PermShareDownload) {
		return errs.Newf(errs.Forbidden, errs.NoPermission, "Your group may not download from shares").At(op)
	}
	return errs.Wrap(op, l.store.Take(ctx, id, l.clock()))
}
