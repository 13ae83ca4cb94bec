package upload

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what an Engine is made of. Life, Idle, Patience and Finish have
// defaults.
type Options struct {
	Store   Store
	Catalog *catalog.Catalog
	Buckets catalog.Buckets
	Keyring *blob.Keyring
	Clock   core.Clock
	Vendor  Vendor // nil: all bytes pass through us

	Life     time.Duration        // of a session; default 24 h, fixed at creation
	LifeFunc func() time.Duration // of a session that begins now; default: Life
	Idle     time.Duration        // after which an unfinished upload gives way; default 1 min
	Patience time.Duration        // how long a second sender waits for the first; default 5 s
	Finish   time.Duration        // how long steps go on after the client has gone; default 1 min
}

// Engine runs uploads. It is safe for use by many goroutines.
type Engine struct {
	Options
	gate     *gate
	young    young
	gathered atomic.Int64 // bytes of bodies in memory, see gather
	since    time.Time    // when it was made
	made     sync.Map     // core.PolicyID → struct{}: see makeWhole
	undone   sync.Map     // core.SessionID → Session: was to end, and the store did not take it
}

// New returns an engine over o.
func New(o Options) *Engine {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Life, 24*time.Hour)
	if life := o.Life; o.LifeFunc == nil {
		o.LifeFunc = func() time.Duration { return life }
	}
	def(&o.Idle, time.Minute)
	def(&o.Patience, 5*time.Second)
	def(&o.Finish, time.Minute)
	return &Engine{Options: o, gate: newGate(o.Patience), since: o.Clock()}
}

// detached returns a context for steps that must not end because the client
// went away: recording what is durable, completing, cleaning up.
func (e *Engine) detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), e.Finish)
}

func (e *Engine) bucket(ctx context.Context, id core.PolicyID) (*blob.Bucket, error) {
	p, err := e.Store.Policy(ctx, id)
	if err != nil {
		return nil, err
	}
	return e.Buckets.Bucket(ctx, p)
}

// cipherOf returns the cipher of a session, nil for one that is not encrypted.
func (e *Engine) cipherOf(s Session) (*blob.Cipher, error) {
	if s.Cipher == nil {
		return nil, nil
	}
	return s.Cipher.Open(e.Keyring)
}

// Progress is where an upload stands.
type Progress struct {
	Session  Session
	Policy   catalog.Policy
	Received core.RangeSet
	Samples  []Part       // of an upload that is unfinished: the first, one amid, the last
	Cipher   *blob.Cipher // for the owner whose client encrypts; nil otherwise
}

// Progress returns where the upload stands; NotFound/session_gone unless it is
// the caller's. Ended sessions can be seen until they would have expired.
func (e *Engine) Progress(ctx context.Context, who core.Actor, id core.SessionID) (Progress, error) {
	const op = "upload.Progress"
	s, err := e.mine(ctx, who, id)
	if err != nil {
		return Progress{}, errs.Wrap(op, err)
	}
	p, err := e.progress(ctx, s)
	return p, errs.Wrap(op, err)
}

func (e *Engine) progress(ctx context.Context, s Session) (Progress, error) {
	parts, err := e.partsOf(ctx, s)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Session: s}
	for _, part := range parts {
		p.Received = p.Received.Add(part.Range)
	}
	if !s.State.Ended() {
		p.Samples = sample(parts)
	}
	if p.Policy, err = e.Store.Policy(ctx, s.Policy); err != nil {
		return Progress{}, err
	}
	if s.Sealed {
		p.Cipher, err = e.cipherOf(s)
	}
	return p, err
}

// sample picks parts by which a content is known again.
func sample(parts []Part) []Part {
	if len(parts) <= 3 {
		return parts
	}
	return []Part{parts[0], parts[len(parts)/2], parts[len(parts)-1]}
}

// maxListed bounds what one listing of uploads answers.
const maxListed = 1000

// Unfinished returns the caller's uploads that are open or sealing, newest
// first.
func (e *Engine) Unfinished(ctx context.Context, who core.Actor) ([]Progress, error) {
	const op = "upload.Unfinished"
	if !who.Known() {
		return nil, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	var out []Progress
	for _, state := range []State{Open, Sealing} {
		sessions, err := e.Store.SessionsOf(ctx, who.User, state, maxListed)
		if err != nil {
			return nil, errs.Wrap(op, err)
		}
		for _, s := range sessions {
			if e.past(s) {
				continue
			}
			p, err := e.progress(ctx, s)
			if err != nil {
				return nil, errs.Wrap(op, err)
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// mine returns the session if it is the caller's and not past its expiry.
// Whether it exists for somebody else is not told.
func (e *Engine) mine(ctx context.Context, who core.Actor, id core.SessionID) (Session, error) {
	gone := errs.New(errs.NotFound, errs.SessionGone)
	if !who.Known() || len(id) != 36 {
		return Session{}, gone
	}
	s, err := e.Store.Session(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if s.Owner != who.User || e.past(s) {
		return Session{}, gone
	}
	return s, nil
}

// past reports whether s is over its expiry. A sealing session has all its
// bytes and is finished whenever that is.
func (e *Engine) past(s Session) bool {
	return s.State != Sealing && !e.Clock().Before(s.Expires)
}
