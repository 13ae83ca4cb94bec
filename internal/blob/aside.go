package blob

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Shelf is the ability to put an object out of the way without losing it.
type Shelf interface {
	// SetAside takes the object from its key and keeps its bytes under that folder
	// of a place of its own, for people to look at. It returns where that is.
	SetAside(ctx context.Context, key, folder string) (where string, err error)
}

// SetAside takes the object key out of the way without losing it, and returns
// where it is now. Unsupported, PolicyUse where the driver has no place for it.
func (b *Bucket) SetAside(ctx context.Context, key, folder string) (string, error) {
	const op = "blob.SetAside"
	s, able := b.d.(Shelf)
	if !able {
		return "", errs.Newf(errs.Unsupported, errs.PolicyUse, "This storage cannot set files aside.").At(op)
	}
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	where, err := s.SetAside(ctx, key, folder)
	if err != nil {
		return "", b.wrap(op, err)
	}
	return where, nil
}
