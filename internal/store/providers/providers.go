package providers

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
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
