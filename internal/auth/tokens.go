package auth

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what Tokens are made of. Lives that are zero take the default.
type Options struct {
	Store Store
	Keys  Keys
	IDs   *core.IDs
	Clock core.Clock

	AccessLife  time.Duration // of an access token; 1 hour
	RefreshLife time.Duration // of a refresh token, anew with each; 14 days
	RefreshMax  time.Duration // of a signed-in device, whatever it does; 90 days
	Grace       time.Duration // in which the token before the newest still gives the newest; 1 minute
}

// Tokens signs people in and says who a token is. Safe for concurrent use.
type Tokens struct {
	store       Store
	keys        Keys
	ids         *core.IDs
	clock       core.Clock
	accessLife  time.Duration
	refreshLife time.Duration
	refreshMax  time.Duration
	grace       time.Duration

	parser    *jwt.Parser
	validator *jwt.Validator
	passwords *hasher
	guard     *guard
	known     *known
	families  *fresh[string, Family]
	accounts  *fresh[core.UserID, Account]
}

// New returns the tokens of a site.
func New(o Options) *Tokens {
	t := &Tokens{
		store: o.Store, keys: o.Keys, ids: o.IDs, clock: o.Clock,
		accessLife:  orElse(o.AccessLife, time.Hour),
		refreshLife: orElse(o.RefreshLife, 14*24*time.Hour),
		refreshMax:  orElse(o.RefreshMax, 90*24*time.Hour),
		grace:       orElse(o.Grace, time.Minute),
		parser: jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation()), // timely does that: an expired token still signs out
		validator: jwt.NewValidator(jwt.WithTimeFunc(o.Clock), jwt.WithIssuer(issuer),
			jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired()),
		passwords: process,
		known:     newKnown(),
		guard:     &guard{store: o.Store, clock: o.Clock, turns: map[string]*turn{}},
	}
	t.families = newFresh(o, o.Store.Family)
	t.accounts = newFresh(o, o.Store.Account)
	return t
}

// Format hides the keys from every verb of fmt, which would print them as
// numbers: it does not ask unexported fields how they want to be shown.
func (*Tokens) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// orElse keeps whole seconds, as tokens do.
func orElse(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		d = otherwise
	}
	return d.Truncate(time.Second)
}

// SignIn is where a sign-in comes from.
type SignIn struct {
	Agent string // User-Agent of the client
	Addr  string // IP address of the client, with or without a port
}

// maxEmail is the longest address that mail can carry, and some (RFC 5321 4.5.3.1).
const maxEmail = 320

// normalEmail is what the counts of guesses are kept under, and the store folds further.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Exists reports whether somebody has the address. The contract makes this
// public (GET /session/prepare).
func (t *Tokens) Exists(ctx context.Context, email string) (bool, error) {
	const op = "auth.Exists"
	if len(email) > maxEmail {
		return false, nil
	}
	_, err := t.store.AccountByEmail(ctx, normalEmail(email))
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, errs.Wrap(op, err)
}

// Prove returns the account of a right password. Nobody is signed in by it: see
// Issue, and what internal/account asks for beside a password.
//
//   - Unauthenticated/bad_login: address or password wrong, never which; both
//     cost the same work;
//   - Transient/too_many_guesses: too many wrong passwords of this account from
//     this address, or from this address at all; the password was not looked at;
//   - Forbidden/user_banned, user_inactive: the password is right, see Refused;
//   - Invalid/bad_param: no password has that length.
//
// The caller renews the hash of an Account for which NeedsRehash holds, see Rehash.
func (t *Tokens) Prove(ctx context.Context, email string, pw core.Secret, addr string) (Account, error) {
	const op = "auth.Prove"
	if err := shape(pw, minTried); err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	if len(email) > maxEmail {
		return Account{}, errs.Newf(errs.Invalid, errs.BadParam, "No address is that long").At(op)
	}
	from := network(addr)
	leave, err := t.guard.enter(ctx, from)
	if err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	defer leave()

	email = normalEmail(email)
	acc, err := t.store.AccountByEmail(ctx, email)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return Account{}, errs.Wrap(op, err)
	}
	acc, err = t.compare(ctx, acc, pw, attemptOf(acc.User, email, from))
	return acc, errs.Wrap(op, err)
}

// ProveAgain is Prove for somebody who is signed in.
func (t *Tokens) ProveAgain(ctx context.Context, user core.UserID, pw core.Secret, addr string) (Account, error) {
	const op = "auth.ProveAgain"
	if err := shape(pw, minTried); err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	from := network(addr)
	leave, err := t.guard.enter(ctx, from)
	if err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	defer leave()
	acc, err := t.store.Account(ctx, user)
	if err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	acc, err = t.compare(ctx, acc, pw, attemptOf(user, "", from))
	return acc, errs.Wrap(op, err)
}

// compare returns acc if the password is its. The caller has the turn of the
// address.
func (t *Tokens) compare(ctx context.Context, acc Account, pw core.Secret, try attempt) (Account, error) {
	const op = "auth.compare"
	if err := t.guard.allow(ctx, try); err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	hash := acc.Password
	_, broken := decode(hash)
	if broken != nil {
		hash = t.passwords.dummy // no account, or one without a password: the same work
	}
	same, err := t.passwords.verify(ctx, pw, hash)
	if err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	if !same || broken != nil {
		if err := t.guard.wrong(ctx, try); err != nil {
			return Account{}, errs.Wrap(op, err)
		}
		bad := errs.New(errs.Unauthenticated, errs.BadLogin).At(op)
		if acc.User != 0 && broken != nil {
			return Account{}, bad.Because(broken) // for the log: the row needs mending
		}
		return Account{}, bad
	}
	if err := t.guard.right(ctx, try); err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	if err := acc.Refused(); err != nil {
		return Account{}, errs.Wrap(op, err)
	}
	return acc, nil
}

// Refused says why the account may not sign in, nil if it may.
func (a Account) Refused() error {
	switch {
	case a.Banned:
		return errs.New(errs.Forbidden, errs.UserBanned)
	case !a.Active:
		return errs.New(errs.Forbidden, errs.UserInactive)
	}
	return nil
}

// Issue starts a new device of an account whose owner has been proved another
// way, such as by having just made it.
func (t *Tokens) Issue(ctx context.Context, acc Account, meta SignIn) (Pair, error) {
	const op = "auth.Issue"
	if err := acc.Refused(); err != nil {
		return Pair{}, errs.Wrap(op, err)
	}
	now := t.now()
	f := t.renewed(Family{
		ID: core.NewUUID(), User: acc.User, Epoch: acc.Epoch, Created: now, Agent: printable(meta.Agent, 256),
		Addr: printable(bare(meta.Addr), 64),
	}, now)
	if err := t.store.AddFamily(ctx, f); err != nil {
		return Pair{}, errs.Wrap(op, err)
	}
	p, err := t.mint(f)
	return p, errs.Wrap(op, err)
}

// bare is an address without its port.
func bare(addr string) string {
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return ap.Addr().Unmap().String()
	}
	return addr
}

// now has the precision in which rows are kept, since pairs are minted from both.
func (t *Tokens) now() time.Time { return t.clock().UTC().Truncate(time.Microsecond) }

// renewed returns f with its next serial.
func (t *Tokens) renewed(f Family, now time.Time) Family {
	f.Serial++
	f.Rotated = now
	f.Expires = now.Add(t.refreshLife)
	if end := f.Created.Add(t.refreshMax); f.Expires.After(end) {
		f.Expires = end
	}
	f.Expires = f.Expires.Truncate(time.Second)
	return f
}

// printable cuts s to at most n bytes of whole characters without controls.
func printable(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 4*n)], ""))
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
