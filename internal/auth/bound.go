package auth

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Bound bounds guesses of secrets that belong to no account, such as the
// password of a share: as many as at a sign-in, across restarts.
type Bound struct {
	guard guard
	kind  string
}

// NewBound returns the bound of one kind of secret, named by a word of our own.
func NewBound(kind string, s Guesses, clock core.Clock) *Bound {
	return &Bound{kind: kind, guard: guard{store: s, clock: clock, turns: map[string]*turn{}}}
}

// Try reports whether a guess of the secret named which, from the address addr,
// is right, and counts it if it is not. Transient/too_many_guesses, and right is
// not called, after too many that were wrong; a right one forgets none of them.
func (b *Bound) Try(ctx context.Context, which, addr string, right func() (bool, error)) (bool, error) {
	const op = "auth.Bound.Try"
	from := network(addr)
	leave, err := b.guard.enter(ctx, from)
	if err != nil {
		return false, errs.Wrap(op, err)
	}
	defer leave()
	a := attempt{each: b.kind + ":" + which + "@" + from, address: b.kind + ":@" + from}
	if err := b.guard.allow(ctx, a); err != nil {
		return false, errs.Wrap(op, err)
	}
	ok, err := right()
	if err != nil || ok {
		return ok, errs.Wrap(op, err)
	}
	return false, errs.Wrap(op, b.guard.wrong(ctx, a))
}
