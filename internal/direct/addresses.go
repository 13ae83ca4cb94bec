package direct

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

const (
	pageSize = 100  // addresses of a page, unless the client wants others
	mostPage = 1000 // a page of addresses is some hundred bytes for each
)

// Addresses signs addresses of an open upload of who anew. The store need not be
// asked for that. NotFound/session_gone; Invalid/policy_use for an upload whose bytes
// come to us.
func (f *Flow) Addresses(ctx context.Context, who core.Actor, id core.SessionID, page upload.Page) (upload.Addresses, error) {
	const op = "direct.Addresses"
	out, err := f.addresses(ctx, who, id, page)
	return out, errs.Wrap(op, err)
}

func (f *Flow) addresses(ctx context.Context, who core.Actor, id core.SessionID, page upload.Page) (upload.Addresses, error) {
	p, err := f.Engine.Progress(ctx, who, id)
	if err != nil {
		return upload.Addresses{}, err
	}
	s := p.Session
	switch {
	case s.State.Ended():
		return upload.Addresses{}, errs.New(errs.NotFound, errs.SessionGone)
	case !s.Direct():
		return upload.Addresses{}, errs.New(errs.Invalid, errs.PolicyUse)
	}
	b, err := f.Engine.Buckets.Bucket(ctx, p.Policy)
	if err != nil {
		return upload.Addresses{}, err
	}
	a := f.ask(s)
	a.Callback = f.callback(s, p.Policy)
	out := upload.Addresses{Session: s, Secret: f.Engine.Secret(s.ID), Parts: a.Parts(), Until: a.Until}
	if page.Count <= 0 {
		page.Count = pageSize
	}
	from := min(max(page.From, 0), out.Parts)
	to := from + min(page.Count, mostPage, out.Parts-from)
	if out.Signed, err = b.Sign(ctx, s.Handle(), a, from, to); err != nil || !page.Stored {
		return out, err
	}
	if out.Seen, err = b.Confirm(ctx, s.Handle()); errs.Is(err, errs.NotFound) {
		err = errs.New(errs.NotFound, errs.SessionGone).Because(err)
	}
	return out, err
}
