package share

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// View is a share as somebody sees it.
type View struct {
	Share
	User     catalog.User // its owner
	Size     int64        // of the file; 0 for a folder, and while it is not Unlocked
	Mine     bool         // the caller is its owner
	Unlocked bool         // the caller needs no password, or gave the right one
	Expired  bool
	Password core.Secret // only for its owner
	Path     core.Path   // in the drive of its owner, and only for its owner; the root if it is Expired
}

// look fills what s is now. The names of what stands are those of today.
func (l *Links) look(ctx context.Context, who core.Actor, s Share) (View, error) {
	v := View{Share: s, Mine: who.User == s.Owner, Unlocked: !s.Private()}
	var err error
	if v.User, err = l.stands(ctx, s); err == nil {
		var n catalog.Node
		var at core.Path
		if n, at, err = catalog.Opens(ctx, l.tree, s.opens()); err == nil {
			v.Name, v.Kind, v.Size = n.Name, n.Kind, n.Size
		}
		if v.Mine {
			v.Path = at
		}
	}
	if errs.Has(err, errs.ShareExpired) {
		v.Expired, err = true, nil
	}
	if err != nil || !v.Mine {
		return v, err
	}
	v.Unlocked = true
	v.Password, err = l.open(s)
	return v, err
}

// Info shows the share to anybody who has its id, with or without its password,
// and counts a visit if visit says so. Who gave a wrong password sees that it is
// not unlocked. NotFound/share_missing or share_expired.
func (l *Links) Info(ctx context.Context, who core.Actor, key catalog.ShareKey, visit bool) (View, error) {
	const op = "share.Info"
	s, err := l.store.Share(ctx, key.ID)
	if err != nil {
		return View{}, errs.Wrap(op, err)
	}
	v, err := l.look(ctx, who, s)
	if err == nil && v.Expired {
		err = errs.New(errs.NotFound, errs.ShareExpired)
	}
	if err != nil {
		return View{}, errs.Wrap(op, err)
	}
	if !v.Unlocked {
		err = l.admit(ctx, who, s, key)
		v.Unlocked = err == nil
	}
	switch {
	case errs.Has(err, errs.SharePassword), errs.Has(err, errs.AnonymousDenied):
		v.Size = 0
	case err != nil:
		return View{}, errs.Wrap(op, err)
	}
	if visit && !v.Mine {
		if err := l.store.Visit(ctx, s.ID); err != nil {
			return View{}, errs.Wrap(op, err)
		}
	}
	return v, nil
}

// Page sizes of a list of shares.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// Page is one page of shares. Next and Rank are where the following one begins;
// Next is 0 at the end.
type Page struct {
	Views []View
	Next  core.ShareID
	Rank  int64
}

// Mine lists the caller's shares; q.Owner is not looked at.
func (l *Links) Mine(ctx context.Context, who core.Actor, q Query) (Page, error) {
	const op = "share.Mine"
	if !who.Known() {
		return Page{}, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	q.Owner = who.User
	p, err := l.page(ctx, who, q, func(View) bool { return true })
	return p, errs.Wrap(op, err)
}

// What users let others see of their shares, as the wire spells it. Anything else
// is those without a password.
const (
	showAll  = "all_share"
	showNone = "hide_share"
)

// Of lists what a user shares with everybody: shares that stand, as far as the
// user lets others see them. A page may hold fewer than q.Limit, also none, and
// another still follow.
func (l *Links) Of(ctx context.Context, who core.Actor, q Query) (Page, error) {
	const op = "share.Of"
	owner, err := l.tree.User(ctx, q.Owner)
	if err != nil || owner.Profile.ShareLinks == showNone {
		return Page{}, errs.Wrap(op, err)
	}
	all := owner.Profile.ShareLinks == showAll
	p, err := l.page(ctx, who, q, func(v View) bool { return !v.Expired && (all || !v.Private()) })
	return p, errs.Wrap(op, err)
}

func (l *Links) page(ctx context.Context, who core.Actor, q Query, keep func(View) bool) (Page, error) {
	if q.Limit <= 0 {
		q.Limit = DefaultPage
	}
	limit := min(q.Limit, MaxPage)
	q.Limit = limit + 1
	rows, err := l.store.Of(ctx, q)
	if err != nil {
		return Page{}, err
	}
	out := Page{Views: make([]View, 0, len(rows))}
	if len(rows) > limit {
		rows = rows[:limit]
		out.Next, out.Rank = rows[limit-1].ID, rows[limit-1].Rank(q.By)
	}
	for _, s := range rows {
		v, err := l.look(ctx, who, s)
		if err != nil {
			return Page{}, err
		}
		if !v.Unlocked {
			v.Size = 0
		}
		if keep(v) {
			out.Views = append(out.Views, v)
		}
	}
	return out, nil
}
