package auth_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// memory is an auth.Store that outlives the Tokens over it, as a database does.
type memory struct {
	mu       sync.Mutex
	accounts map[core.UserID]auth.Account
	families map[string]auth.Family
	failures map[string][]time.Time

	broken       atomic.Pointer[error] // what every call answers, if set
	familyReads  atomic.Int64
	beforeRotate func() // outside the lock
	rotateFails  func() error
	inFamily     func() // after the row was read
	afterAccount func()
	beforeFailed func()
}

func (m *memory) fail(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e := m.broken.Load(); e != nil {
		return *e
	}
	return nil
}

func (m *memory) Account(ctx context.Context, id core.UserID) (auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return auth.Account{}, err
	}
	if m.afterAccount != nil {
		m.afterAccount()
	}
	a, ok := m.accounts[id]
	if !ok {
		return auth.Account{}, errs.New(errs.NotFound, errs.UserUnknown)
	}
	return a, nil
}

func (m *memory) AccountByEmail(ctx context.Context, email string) (auth.Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return auth.Account{}, err
	}
	for _, a := range m.accounts {
		if a.Email == email {
			return a, nil
		}
	}
	return auth.Account{}, errs.New(errs.NotFound, errs.UserUnknown)
}

func (m *memory) AddFamily(ctx context.Context, f auth.Family) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return err
	}
	m.families[f.ID] = kept(f)
	return nil
}

// kept is what a database gives back of f.
func kept(f auth.Family) auth.Family {
	for _, t := range []*time.Time{&f.Rotated, &f.Created, &f.Expires} {
		*t = core.FromMicros(core.Micros(*t))
	}
	return f
}

func (m *memory) Family(ctx context.Context, id string) (auth.Family, error) {
	m.familyReads.Add(1)
	m.mu.Lock()
	f, ok := m.families[id]
	err := m.fail(ctx)
	m.mu.Unlock()
	if m.inFamily != nil {
		m.inFamily()
	}
	if err != nil {
		return auth.Family{}, err
	}
	if !ok {
		return auth.Family{}, errs.New(errs.NotFound, errs.BadToken)
	}
	return f, nil
}

func (m *memory) Rotate(ctx context.Context, id string, from int64, at, expires time.Time) error {
	if m.beforeRotate != nil {
		m.beforeRotate()
	}
	if m.rotateFails != nil {
		if err := m.rotateFails(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return err
	}
	f, ok := m.families[id]
	if !ok || f.Revoked || f.Serial != from {
		return errs.New(errs.Conflict, errs.Changed)
	}
	f.Serial, f.Rotated, f.Expires = from+1, at, expires
	m.families[id] = kept(f)
	return nil
}

func (m *memory) Revoke(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return err
	}
	if f, ok := m.families[id]; ok {
		f.Revoked = true
		m.families[id] = f
	}
	return nil
}

func (m *memory) Failed(ctx context.Context, key string, at, since time.Time) (int64, error) {
	if m.beforeFailed != nil {
		m.beforeFailed()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(ctx); err != nil {
		return 0, err
	}
	m.failures[key] = append(m.failures[key], at)
	return m.count(key, since), nil
}

func (m *memory) Failures(ctx context.Context, key string, since time.Time) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(key, since), m.fail(ctx)
}

func (m *memory) count(key string, since time.Time) (n int64) {
	for _, at := range m.failures[key] {
		if !at.Before(since) {
			n++
		}
	}
	return n
}

func (m *memory) Cleared(ctx context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.failures, key)
	return m.fail(ctx)
}

func (m *memory) change(id core.UserID, f func(*auth.Account)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[id]
	f(&a)
	m.accounts[id] = a
}

func (m *memory) family(t *testing.T) auth.Family {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.families) != 1 {
		t.Fatalf("%d families, want one", len(m.families))
	}
	for _, f := range m.families {
		return f
	}
	panic("unreachable")
}

const (
	ann      core.UserID = 42
	annEmail             = "ann@example.org"
	annPass  core.Secret = "correct horse"
	home                 = "192.0.2.7:5123"
)

var annHash = sync.OnceValue(func() core.Secret { return auth.CheapHash(annPass) })

// site is a store, a clock that only tests move, and a process over both.
type site struct {
	*auth.Tokens
	t    *testing.T
	db   *memory
	now  *atomic.Int64 // microseconds
	keys auth.Keys
	runs func() int64
}

func setup(t *testing.T) *site {
	t.Parallel()
	return newSite(t)
}

func newSite(t *testing.T) *site {
	s := &site{t: t, now: new(atomic.Int64), keys: auth.DeriveKeys([32]byte{1, 2, 3}), db: &memory{
		accounts: map[core.UserID]auth.Account{ann: {
			User: ann, Group: 2, Admin: true, Email: annEmail, Password: annHash(), Active: true, Epoch: 3,
		}},
		families: map[string]auth.Family{}, failures: map[string][]time.Time{},
	}}
	s.now.Store(time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC).UnixMicro())
	s.Tokens, s.runs = s.process()
	return s
}

// process is another server over the same database, or the same one restarted.
func (s *site) process() (*auth.Tokens, func() int64) {
	t := auth.New(auth.Options{Store: s.db, Keys: s.keys, IDs: core.NewIDs(s.keys.IDs), Clock: s.clock})
	return t, t.Cheapen()
}

func (s *site) clock() time.Time          { return core.FromMicros(s.now.Load()) }
func (s *site) pass(d time.Duration)      { s.now.Add(d.Microseconds()) }
func (s *site) restart()                  { s.Tokens, s.runs = s.process() }
func (s *site) from(a string) auth.SignIn { return auth.SignIn{Agent: "curl/8", Addr: a} }

func (s *site) signedIn() auth.Pair {
	s.t.Helper()
	p, _, err := s.SignIn(s.t.Context(), annEmail, annPass, s.from(home))
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *site) refreshed(p auth.Pair) auth.Pair {
	s.t.Helper()
	next, err := s.Refresh(s.t.Context(), p.Refresh.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	return next
}

func (s *site) verify(p auth.Pair) error {
	_, err := s.Verify(s.t.Context(), p.Access.Reveal())
	return err
}

func (s *site) refresh(p auth.Pair) error {
	_, err := s.Refresh(s.t.Context(), p.Refresh.Reveal())
	return err
}

func wantErr(t *testing.T, err error, k errs.Kind, r errs.Reason) {
	t.Helper()
	if !errs.Is(err, k) || !errs.Has(err, r) {
		t.Errorf("got %v, want %v/%v", err, k, r)
	}
}

func wantBadToken(t *testing.T, err error) {
	t.Helper()
	wantErr(t, err, errs.Unauthenticated, errs.BadToken)
}
