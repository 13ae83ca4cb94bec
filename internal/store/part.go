package store

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/store/part"
)

var _ part.Base = (*Store)(nil)

// Read implements part.Base.
func (s *Store) Read() part.Turn { return s.reads.turn() }

// Write implements part.Base.
func (s *Store) Write(ctx context.Context, fn func(part.Turn) error) error {
	return s.write(ctx, func(t *tx) error { return fn(t.turn()) })
}

// Both is Write for a part that changes what the catalog keeps as well.
func (s *Store) Both(ctx context.Context, fn func(catalog.Tx, part.Turn) error) error {
	return s.write(ctx, func(t *tx) error { return fn(t, t.turn()) })
}

// MintID implements part.Base.
func (s *Store) MintID(ctx context.Context) (int64, error) { return s.mintID(ctx) }

func (t *tx) turn() part.Turn {
	return part.Turn{Queries: t.q, FailFunc: t.fail, ForgetFunc: t.known.forget}
}
