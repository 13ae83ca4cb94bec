package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Lengths of a password, in characters. Shorter ones than minNew may be tried,
// since the contract lets clients send them.
const (
	minTried = 4
	minNew   = 8
	maxAny   = 128
)

// current are OWASP's least parameters for argon2id: 19 MiB, two passes, one lane
// (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id).
var current = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// process bounds the memory of all hashing in this process, whoever asks, and
// gives it back.
var process = func() *hasher {
	h := newHasher(current)
	h.rest = debug.FreeOSMemory
	return h
}()

// maxSeats bounds how many hash at once, on machines of many cores too: four of
// 19 MiB do about a hundred sign-ins a second.
const maxSeats = 4

// quiet is how long nobody may have hashed before memory is given back. That
// takes a collection, which a burst of sign-ins shall not pay for each.
const quiet = 500 * time.Millisecond

// Hash returns pw as argon2id in PHC form; Invalid/bad_param unless it has 8 to
// 128 characters. It waits while too many others are hashing.
func Hash(ctx context.Context, pw core.Secret) (core.Secret, error) {
	const op = "auth.Hash"
	if err := shape(pw, minNew); err != nil {
		return "", errs.Wrap(op, err)
	}
	h, err := process.hash(ctx, pw)
	return h, errs.Wrap(op, err)
}

// Rehash is Hash for a password that was just proved, also one too short for
// a new account: what is in use stays in use.
func Rehash(ctx context.Context, pw core.Secret) (core.Secret, error) {
	const op = "auth.Rehash"
	if err := shape(pw, minTried); err != nil {
		return "", errs.Wrap(op, err)
	}
	h, err := process.hash(ctx, pw)
	return h, errs.Wrap(op, err)
}

// NeedsRehash reports whether hash was made with other parameters than today's,
// and should be replaced while the password is at hand.
func NeedsRehash(hash core.Secret) bool { return process.stale(hash) }

func shape(pw core.Secret, least int) error {
	if n := utf8.RuneCountInString(pw.Reveal()); n < least || n > maxAny {
		return errs.Newf(errs.Invalid, errs.BadParam, "A password has %d to %d characters", least, maxAny)
	}
	return nil
}

// hasher runs argon2, at most as many at a time as it has seats.
type hasher struct {
	params argon2id.Params
	seats  chan struct{}
	runs   atomic.Int64 // how often argon2 ran
	dummy  core.Secret  // what an account that is not there is compared with

	// rest is called on a goroutine of its own when nobody has hashed for a while;
	// nil: nothing is. The runtime keeps the memory of a hash for minutes otherwise,
	// which is more than the rest of an idle server.
	rest    func()
	mu      sync.Mutex
	resting *time.Timer
}

func newHasher(p argon2id.Params) *hasher {
	var salt [16]byte
	var key [32]byte // nobody knows a password that gives it
	_, _ = rand.Read(salt[:])
	_, _ = rand.Read(key[:])
	b64 := base64.RawStdEncoding.EncodeToString
	dummy := fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Iterations, p.Parallelism, b64(salt[:p.SaltLength]), b64(key[:p.KeyLength]))
	return &hasher{params: p, dummy: core.Secret(dummy), seats: make(chan struct{}, min(runtime.GOMAXPROCS(0), maxSeats))}
}

func (h *hasher) sit(ctx context.Context) (leave func(), err error) {
	select {
	case h.seats <- struct{}{}:
		h.runs.Add(1)
		return h.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *hasher) leave() {
	<-h.seats
	if h.rest == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.resting == nil {
		h.resting = time.AfterFunc(quiet, h.rest)
		return
	}
	h.resting.Reset(quiet)
}

func (h *hasher) hash(ctx context.Context, pw core.Secret) (core.Secret, error) {
	const op = "auth.hash"
	leave, err := h.sit(ctx)
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	defer leave()
	s, err := argon2id.CreateHash(pw.Reveal(), &h.params)
	return core.Secret(s), errs.As(op, errs.Internal, errs.CipherFailed, err)
}

func (h *hasher) verify(ctx context.Context, pw, hash core.Secret) (bool, error) {
	const op = "auth.verify"
	if _, err := decode(hash); err != nil {
		return false, errs.Wrap(op, err)
	}
	leave, err := h.sit(ctx)
	if err != nil {
		return false, errs.Wrap(op, err)
	}
	defer leave()
	ok, err := argon2id.ComparePasswordAndHash(pw.Reveal(), hash.Reveal())
	return ok, errs.As(op, errs.Internal, errs.CipherFailed, err)
}

func (h *hasher) stale(hash core.Secret) bool {
	p, err := decode(hash)
	return err != nil || *p != h.params
}

// decode refuses what argon2 would panic on, match with anything, or need a
// machine of its own for.
func decode(hash core.Secret) (*argon2id.Params, error) {
	const op = "auth.decode"
	p, _, _, err := argon2id.DecodeHash(hash.Reveal())
	if err != nil {
		return nil, errs.As(op, errs.Internal, errs.CipherFailed, err)
	}
	if p.Memory > 256<<10 || p.Iterations < 1 || p.Iterations > 16 || p.Parallelism < 1 || p.Parallelism > 16 ||
		p.SaltLength < 8 || p.SaltLength > 64 || p.KeyLength < 16 || p.KeyLength > 64 {
		return nil, errs.Newf(errs.Internal, errs.CipherFailed, "argon2id parameters out of bounds").At(op)
	}
	return p, nil
}
