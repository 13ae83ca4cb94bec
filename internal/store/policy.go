package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

func (t *tx) Policy(ctx context.Context, id core.PolicyID) (catalog.Policy, error) {
	const op = "store.Policy"
	r, err := t.policy(ctx, int64(id))
	if err != nil {
		return catalog.Policy{}, t.found(op, err, errs.PolicyMissing)
	}
	p, err := toPolicy(r)
	return p, t.fail(op, err)
}

func (t *tx) PolicyByName(ctx context.Context, name string) (catalog.Policy, error) {
	const op = "store.PolicyByName"
	r, err := t.q.PolicyByName(ctx, name)
	if err != nil {
		return catalog.Policy{}, t.found(op, err, errs.PolicyMissing)
	}
	p, err := toPolicy(r)
	return p, t.fail(op, err)
}

func (t *tx) Policies(ctx context.Context) ([]catalog.Policy, error) {
	const op = "store.Policies"
	rows, err := t.q.Policies(ctx)
	if err != nil {
		return nil, t.fail(op, err)
	}
	all, err := each(rows, toPolicy)
	return all, t.fail(op, err)
}

func (t *tx) SetPolicy(ctx context.Context, p catalog.Policy, was core.Rev) error {
	const op = "store.SetPolicy"
	t.known.forget()
	var rows int64
	var err error
	if was == 0 {
		rows, err = t.q.AddPolicy(ctx, query.AddPolicyParams{
			ID: int64(p.ID), Name: p.Name, Type: p.Type, Config: p.Config, ChunkSize: p.ChunkSize, MaxSize: p.MaxSize,
			AllowedSuffix: toJSON(p.AllowedSuffix), DeniedSuffix: toJSON(p.DeniedSuffix), AllowedName: p.AllowedName,
			DeniedName: p.DeniedName, Encrypt: p.Encrypt, Sync: string(p.Sync), SHA256: p.SHA256,
			Concurrency: p.Concurrency, Relay: p.Relay,
		})
	} else {
		rows, err = t.q.UpdatePolicy(ctx, query.UpdatePolicyParams{
			Name: p.Name, Type: p.Type, Config: p.Config, ChunkSize: p.ChunkSize, MaxSize: p.MaxSize,
			AllowedSuffix: toJSON(p.AllowedSuffix), DeniedSuffix: toJSON(p.DeniedSuffix), AllowedName: p.AllowedName,
			DeniedName: p.DeniedName, Encrypt: p.Encrypt, Sync: string(p.Sync), SHA256: p.SHA256,
			Concurrency: p.Concurrency, Relay: p.Relay, ID: int64(p.ID), Was: int64(was),
		})
	}
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	switch other, err := t.q.PolicyByName(ctx, p.Name); {
	case err != nil && !dialect.IsNoRows(err):
		return t.fail(op, err)
	case err == nil && other.ID != int64(p.ID):
		return errs.Newf(errs.Exists, errs.NameTaken, "There is another storage policy of that name.").At(op)
	}
	return errs.New(errs.Conflict, errs.Changed).At(op)
}
