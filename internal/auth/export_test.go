package auth

import (
	"context"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// cheap keeps the tests quick; password_test.go proves the real parameters.
var cheap = argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// Cheapen gives t a hasher of its own and returns how often it has run.
func (t *Tokens) Cheapen() (runs func() int64) {
	t.passwords = newHasher(cheap)
	return t.passwords.runs.Load
}

func CheapHash(pw core.Secret) core.Secret {
	h, err := newHasher(cheap).hash(context.Background(), pw)
	if err != nil {
		panic(err)
	}
	return h
}

// SignIn is Prove and Issue, which nobody else may do without asking for more.
func (t *Tokens) SignIn(ctx context.Context, email string, pw core.Secret, meta SignIn) (Pair, Account, error) {
	acc, err := t.Prove(ctx, email, pw, meta.Addr)
	if err != nil {
		return Pair{}, Account{}, err
	}
	p, err := t.Issue(ctx, acc, meta)
	return p, acc, err
}

// Remembered counts the readings that Verify holds.
func (t *Tokens) Remembered() int {
	t.families.mu.Lock()
	defer t.families.mu.Unlock()
	return len(t.families.young) + len(t.families.old)
}

func (t *Tokens) BoundReadings(n int) { t.families.bound = n / 2 }

func (t *Tokens) OpenTurns() int {
	t.guard.mu.Lock()
	defer t.guard.mu.Unlock()
	return len(t.guard.turns)
}

// Occupy takes all seats of the hasher of t.
func (t *Tokens) Occupy() {
	for range cap(t.passwords.seats) {
		t.passwords.seats <- struct{}{}
	}
}

func (t *Tokens) Vacate() {
	for range cap(t.passwords.seats) {
		<-t.passwords.seats
	}
}

// Bytes are what a signature of m covers.
func (m Message) Bytes(until int64) []byte { return m.bytes(until) }

var ParseSignature = parseSignature

// CheapRest is a hasher that says when it gives memory back. It returns what
// hashes with it, and how long it waits.
func CheapRest(rest func()) (hash func(core.Secret) error, wait time.Duration) {
	h := newHasher(cheap)
	h.rest = rest
	return func(pw core.Secret) error {
		_, err := h.hash(context.Background(), pw)
		return err
	}, quiet
}

// KnownTokens counts the tokens that Verify remembers.
func (t *Tokens) KnownTokens() int {
	t.known.mu.Lock()
	defer t.known.mu.Unlock()
	return len(t.known.young) + len(t.known.old)
}

func (t *Tokens) BoundKnown(n int) { t.known.bound = n / 2 }

// Verify reports whether hash was made of pw. An error means that hash is not
// one of ours, never that pw is wrong.
func Verify(ctx context.Context, pw, hash core.Secret) (bool, error) {
	const op = "auth.Verify"
	if err := shape(pw, minTried); err != nil {
		return false, errs.Wrap(op, err)
	}
	ok, err := process.verify(ctx, pw, hash)
	return ok, errs.Wrap(op, err)
}
