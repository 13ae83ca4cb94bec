package addresses

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/address"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

var _ address.Store = (*Addresses)(nil)

// Addresses keeps addresses in a database.
type Addresses struct{ base part.Base }

// Over returns the addresses of a store.
func Over(b part.Base) *Addresses { return &Addresses{base: b} }

func toAddress(r query.Address) address.Address {
	return address.Address{
		ID: r.ID, Owner: core.UserID(r.Owner), Node: core.NodeID(r.Node), Downloaded: r.Downloaded,
		Created: core.FromMicros(r.CreatedUs),
	}
}

// Address implements address.Store.
func (s *Addresses) Address(ctx context.Context, id int64) (address.Address, error) {
	t := s.base.Read()
	r, err := t.Address(ctx, id)
	if err != nil {
		return address.Address{}, t.Found("addresses.Address", err, errs.AddressMissing)
	}
	return toAddress(r), nil
}

// Add implements address.Store.
func (s *Addresses) Add(ctx context.Context, a address.Address) (out address.Address, err error) {
	const op = "addresses.Add"
	err = s.base.Write(ctx, func(t part.Turn) error {
		err := t.AddAddress(ctx, query.AddAddressParams{
			ID: a.ID, Owner: int64(a.Owner), Node: int64(a.Node), CreatedUs: core.Micros(a.Created),
		})
		if err != nil {
			return t.Fail(op, err)
		}
		r, err := t.AddressOf(ctx, int64(a.Node))
		out = toAddress(r)
		return t.Fail(op, err)
	})
	return out, err
}

// Remove implements address.Store.
func (s *Addresses) Remove(ctx context.Context, id int64, owner core.UserID) error {
	const op = "addresses.Remove"
	return s.base.Write(ctx, func(t part.Turn) error {
		rows, err := t.RemoveAddress(ctx, query.RemoveAddressParams{ID: id, Owner: int64(owner)})
		if err == nil && rows == 0 {
			return errs.New(errs.NotFound, errs.AddressMissing).At(op)
		}
		return t.Fail(op, err)
	})
}

// Count implements address.Store.
func (s *Addresses) Count(ctx context.Context, id int64) error {
	return s.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("addresses.Count", t.CountAddress(ctx, id))
	})
}
