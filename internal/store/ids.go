package store

import (
	"context"
	"sync"

	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	idBlock = 1024    // ids reserved at once
	maxID   = 1 << 53 // JSON numbers hold integers below it exactly
)

// minter hands out ids from a block that no other process has. What is left of
// a block when the process ends is never used.
type minter struct {
	mu        sync.Mutex
	next, end int64
}

// mintID must not be called inside a transaction: on SQLite the new block needs
// the writer, which waits for that transaction.
func (s *Store) mintID(ctx context.Context) (int64, error) {
	const op = "store.MintID"
	s.ids.mu.Lock()
	defer s.ids.mu.Unlock()
	if s.ids.next == s.ids.end {
		var end int64
		err := s.write(ctx, func(t *tx) (err error) {
			end, err = t.q.ReserveIDs(ctx, idBlock)
			return t.fail(op, err)
		})
		if err != nil {
			return 0, err
		}
		s.ids.next, s.ids.end = end-idBlock, end
	}
	if s.ids.next >= maxID {
		return 0, errs.Newf(errs.Internal, errs.StoreFailed, "All ids are used up.").At(op)
	}
	s.ids.next++
	return s.ids.next - 1, nil
}
