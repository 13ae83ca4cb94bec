package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Wrong passwords that are let through within guessWindow. The first bound is
// of one account from one address, so that a stranger's guesses never lock the
// owner out; the second is of one address over all accounts.
const (
	guessWindow     = 15 * time.Minute
	guessesEach     = 10
	guessesAddress  = 50
	guessesWaiting  = 64 // attempts of one address that may queue
	afterRequestEnd = 5 * time.Second
)

// guard bounds guesses. The attempts of one address run one after the other:
// only so is a count that is read before an attempt still true after it.
type guard struct {
	store Guesses
	clock core.Clock

	mu    sync.Mutex
	turns map[string]*turn
}

type turn struct {
	seat  chan struct{}
	users int
}

// attempt is one address trying one account.
type attempt struct {
	each, address string // keys of the two counts
}

func attemptOf(user core.UserID, email, network string) attempt {
	who := "e:" + digest(email)
	if user != 0 { // all spellings of an address are one account
		who = "u:" + strconv.FormatInt(int64(user), 10)
	}
	return attempt{each: "login:" + who + "@" + network, address: "login:@" + network}
}

// Guess is one try at a secret of a user that is not the password, such as a
// code. It is counted for the user wherever it comes from: who got this far has
// the password, so nobody else can lock the user out by it.
type Guess struct {
	What string // a word of our own, such as "factor"
	User core.UserID
	Addr string // IP address of the client, with or without a port
}

// Guess runs try unless there were too many that were wrong, and counts it if it
// is; Transient/too_many_guesses, and try does not run. Tries of one user run
// one after another.
func (t *Tokens) Guess(ctx context.Context, q Guess, try func(context.Context) (right bool, err error)) (bool, error) {
	const op = "auth.Guess"
	from := network(q.Addr)
	a := attempt{each: q.What + ":u:" + strconv.FormatInt(int64(q.User), 10), address: "login:@" + from}
	for _, seat := range []string{a.each, from} {
		leave, err := t.guard.enter(ctx, seat)
		if err != nil {
			return false, errs.Wrap(op, err)
		}
		defer leave() //nolint:gocritic // two, and both are held to the end
	}
	if err := t.guard.allow(ctx, a); err != nil {
		return false, errs.Wrap(op, err)
	}
	right, err := try(ctx)
	switch {
	case err != nil:
		return false, errs.Wrap(op, err)
	case right:
		return true, errs.Wrap(op, t.guard.right(ctx, a))
	}
	return false, errs.Wrap(op, t.guard.wrong(ctx, a))
}

// digest keeps addresses that somebody mistyped out of the database.
func digest(email string) string {
	h := sha256.Sum256([]byte(email))
	return hex.EncodeToString(h[:16])
}

// network is what counts as one address: an IPv4 address, or the /64 that an
// IPv6 customer has (RFC 6177).
func network(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		ap, err := netip.ParseAddrPort(addr)
		if err != nil {
			return "?" + digest(addr)
		}
		a = ap.Addr()
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// enter waits for the turn of this network.
func (g *guard) enter(ctx context.Context, network string) (leave func(), err error) {
	const op = "auth.enter"
	g.mu.Lock()
	t := g.turns[network]
	if t == nil {
		t = &turn{seat: make(chan struct{}, 1)}
		g.turns[network] = t
	}
	if t.users > guessesWaiting {
		g.mu.Unlock()
		return nil, errs.Newf(errs.Transient, errs.Overload, "Too many sign-ins at once from this address").At(op)
	}
	t.users++
	g.mu.Unlock()

	gone := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(g.turns, network)
		}
	}
	select {
	case t.seat <- struct{}{}:
		return func() { <-t.seat; gone() }, nil
	case <-ctx.Done():
		gone()
		return nil, errs.Wrap(op, ctx.Err())
	}
}

// allow is nil while both counts are below their bounds.
func (g *guard) allow(ctx context.Context, a attempt) error {
	const op = "auth.allow"
	since := g.clock().Add(-guessWindow)
	for _, c := range []struct {
		key string
		max int64
	}{{a.each, guessesEach}, {a.address, guessesAddress}} {
		n, err := g.store.Failures(ctx, c.key, since)
		if err != nil {
			return errs.Wrap(op, err)
		}
		if n >= c.max {
			return errs.Newf(errs.Transient, errs.TooManyGuesses,
				"Too many wrong tries. Wait %d minutes, then try again.", int(guessWindow/time.Minute)).At(op)
		}
	}
	return nil
}

// wrong counts a failure. It outlives the request: who hangs up has guessed too.
func (g *guard) wrong(ctx context.Context, a attempt) error {
	const op = "auth.wrong"
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterRequestEnd)
	defer cancel()
	now := g.clock()
	for _, key := range []string{a.each, a.address} {
		if _, err := g.store.Failed(ctx, key, now, now.Add(-guessWindow)); err != nil {
			return errs.Wrap(op, err)
		}
	}
	return nil
}

// right forgets the failures of this account from this address, never those of
// the address: its own account must not buy an attacker new guesses.
func (g *guard) right(ctx context.Context, a attempt) error {
	return errs.Wrap("auth.right", g.store.Cleared(ctx, a.each))
}
