package providers

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Providers keeps rows about vendors in a database.
type Providers struct{ base part.Base }

// Over returns those of a store.
func Over(b part.Base) *Providers { return &Providers{base: b} }

// SetGroupPolicy makes new files of the group, named in any case, go to that
// policy. NotFound/user_unknown when there is no such group.
func (p *Providers) SetGroupPolicy(ctx context.Context, group string, policy core.PolicyID) error {
	const op = "providers.SetGroupPolicy"
	return p.base.Write(ctx, func(t part.Turn) error {
		n, err := t.SetGroupPolicy(ctx, query.SetGroupPolicyParams{Policy: int64(policy), Name: group})
		if err != nil {
			return t.Fail(op, err)
		}
		if n == 0 {
			return errs.New(errs.NotFound, errs.UserUnknown).At(op)
		}
		t.Forget()
		return nil
	})
}

// Granted implements direct.Rows.
func (p *Providers) Granted(ctx context.Context, id core.SessionID, vendorID string, due time.Time) error {
	const op = "providers.Granted"
	return p.base.Write(ctx, func(t part.Turn) error {
		n, err := t.SetVendorID(ctx, query.SetVendorIDParams{ID: string(id), VendorID: vendorID})
		if err == nil && n == 0 {
			return errs.New(errs.NotFound, errs.SessionGone).At(op)
		}
		if err == nil {
			err = t.AddCheck(ctx, query.AddCheckParams{Session: string(id), DueUs: core.Micros(due)})
		}
		return t.Fail(op, err)
	})
}

// DueChecks implements direct.Rows.
func (p *Providers) DueChecks(ctx context.Context, policy core.PolicyID, before time.Time, limit int) ([]upload.Check, error) {
	t := p.base.Read()
	rows, err := t.DueChecks(ctx, query.DueChecksParams{Policy: int64(policy), BeforeUs: core.Micros(before), Lim: int64(limit)})
	if err != nil {
		return nil, t.Fail("providers.DueChecks", err)
	}
	out := make([]upload.Check, len(rows))
	for i, row := range rows {
		r := row.Check
		out[i] = upload.Check{
			Session: core.SessionID(r.Session), Due: core.FromMicros(r.DueUs), Tries: int(r.Tries), Parts: int(r.Parts), Whole: r.IsWhole,
		}
	}
	return out, nil
}

// SetCheck implements direct.Rows.
func (p *Providers) SetCheck(ctx context.Context, c upload.Check) error {
	return p.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("providers.SetCheck", t.SetCheck(ctx, query.SetCheckParams{
			Session: string(c.Session), DueUs: core.Micros(c.Due), Tries: int64(c.Tries), Parts: int64(c.Parts), IsWhole: c.Whole,
		}))
	})
}

// DropCheck implements direct.Rows.
func (p *Providers) DropCheck(ctx context.Context, id core.SessionID) error {
	return p.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("providers.DropCheck", t.DropCheck(ctx, string(id)))
	})
}
