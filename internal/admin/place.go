package admin

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// GroupLine is a group of a list.
type GroupLine struct {
	Group  catalog.Group
	Policy catalog.Policy
	Span   Span
}

// PolicyLine is a storage policy of a list.
type PolicyLine struct {
	Policy catalog.Policy
	Groups []GroupLine // that upload to it
	Place  Place       // never with a secret
	Span   Span
}

func all[T any](T) bool { return true }

// Groups lists the groups.
func (a *Admin) Groups(ctx context.Context, q Query) (Page[GroupLine], error) {
	const op = "admin.Groups"
	rows, err := a.Store.Groups(ctx, mostGroups)
	if err != nil {
		return Page[GroupLine]{}, errs.Wrap(op, err)
	}
	page := cut(q, rows, func(g catalog.Group) int64 { return int64(g.ID) }, all)
	return fill(page, op, func(g catalog.Group) (GroupLine, error) { return a.group(ctx, g) })
}

// Group returns one; NotFound/group_missing.
func (a *Admin) Group(ctx context.Context, id core.GroupID) (GroupLine, error) {
	const op = "admin.Group"
	g, err := group(ctx, a.Names, id)
	if err != nil {
		return GroupLine{}, errs.Wrap(op, err)
	}
	l, err := a.group(ctx, g)
	return l, errs.Wrap(op, err)
}

func (a *Admin) group(ctx context.Context, g catalog.Group) (l GroupLine, err error) {
	l.Group = g
	if l.Policy, err = a.Names.Policy(ctx, g.Policy); err != nil {
		return l, err
	}
	l.Span, err = a.placed(ctx, OfGroup, ID(g.ID), g.ID <= AnonymousGroup)
	return l, err
}

// placed are the stamps of what may have come with the site.
func (a *Admin) placed(ctx context.Context, k Kind, subject string, builtin bool) (Span, error) {
	var born time.Time
	if builtin {
		var err error
		if born, err = a.birth(ctx); err != nil {
			return Span{}, err
		}
	}
	return a.stamps(ctx, k, subject, born)
}

// Policies lists the storage policies.
func (a *Admin) Policies(ctx context.Context, q Query) (Page[PolicyLine], error) {
	const op = "admin.Policies"
	rows, err := a.Names.Policies(ctx)
	if err != nil {
		return Page[PolicyLine]{}, errs.Wrap(op, err)
	}
	page := cut(q, rows, func(p catalog.Policy) int64 { return int64(p.ID) }, all)
	return fill(page, op, func(p catalog.Policy) (PolicyLine, error) { return a.policy(ctx, p) })
}

// Policy returns one; NotFound/policy_missing.
func (a *Admin) Policy(ctx context.Context, id core.PolicyID) (PolicyLine, error) {
	const op = "admin.Policy"
	p, err := a.Names.Policy(ctx, id)
	if err != nil {
		return PolicyLine{}, errs.Wrap(op, err)
	}
	l, err := a.policy(ctx, p)
	return l, errs.Wrap(op, err)
}

func (a *Admin) policy(ctx context.Context, p catalog.Policy) (PolicyLine, error) {
	l := PolicyLine{Policy: p}
	if Far(p.Type) {
		var err error
		if l.Place, err = a.Vendors.Where(p.Config); err != nil {
			return l, err
		}
	}
	groups, err := a.Store.Groups(ctx, mostGroups)
	if err != nil {
		return l, err
	}
	for _, g := range groups {
		if g.Policy != p.ID {
			continue
		}
		line, err := a.group(ctx, g)
		if err != nil {
			return l, err
		}
		l.Groups = append(l.Groups, line)
	}
	l.Span, err = a.placed(ctx, OfPolicy, ID(p.ID), p.ID == DefaultPolicy)
	return l, err
}

// Counts is what there was at some time.
type Counts struct {
	Totals
	At time.Time
}

// Counts returns the last counts, nil before any; again counts anew, which reads as
// much as there is, one at a time, and not within a minute of the last.
func (a *Admin) Counts(ctx context.Context, again bool) (*Counts, error) {
	a.counting.Lock()
	defer a.counting.Unlock()
	if !again || a.counts != nil && a.Clock().Sub(a.counts.At) < time.Minute {
		return a.counts, nil
	}
	t, err := a.Store.Totals(ctx)
	if err != nil {
		return nil, errs.Wrap("admin.Counts", err)
	}
	a.counts = &Counts{Totals: t, At: a.Clock()}
	return a.counts, nil
}

// Waiting counts blobs that are to be unlinked, up to 10,000.
func (a *Admin) Waiting(ctx context.Context) (int64, error) {
	n, err := a.Store.Doomed(ctx, windowRows)
	return n, errs.Wrap("admin.Waiting", err)
}

// Born is when the site had its first user.
func (a *Admin) Born(ctx context.Context) (time.Time, error) {
	t, err := a.birth(ctx)
	return t, errs.Wrap("admin.Born", err)
}
