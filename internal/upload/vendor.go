package upload

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Vendor lets clients send the bytes of their uploads to a store by themselves.
// It asks the store what has come of an upload, and says so by Arrived.
type Vendor interface {
	// Takes reports whether clients reach the storage of p by themselves. It asks
	// nobody.
	Takes(p catalog.Policy) bool
	// Grant opens the upload of s at the store and keeps its id there. If it fails
	// nothing is left behind.
	Grant(ctx context.Context, s Session, p catalog.Policy, g Grant) (Granted, error)
}

// Grant is what a client is to be given.
type Grant struct {
	Paged bool // some addresses are enough
}

// Granted is what a client needs to send its bytes to a store.
type Granted struct {
	VendorID string // of the upload; never ""
	Signed   blob.Signed
}

// Page asks a Vendor for the addresses of some parts.
type Page struct {
	From   int  // first part, from 0
	Count  int  // at most; 0: as many as usual
	Stored bool // the store is to be asked what it has
}

// Addresses are those of a page.
type Addresses struct {
	Session Session
	Secret  core.Secret // of its callback
	Parts   int         // that the whole upload has
	Signed  blob.Signed
	Until   time.Time
	Seen    blob.Evidence // if it was asked for
}

// Direct reports whether the bytes of s go past us.
func (s Session) Direct() bool { return s.VendorID != "" }

// leastDirect is the smallest chunk that stores take, and usualDirect the one
// where the policy wants whole files.
const (
	leastDirect = 5 << 20
	usualDirect = 25 << 20
)

// chunkSize is that of the new session.
func (d *draft) chunkSize() int64 {
	want := d.policy.ChunkSize
	if d.direct {
		if want == 0 {
			want = usualDirect
		}
		want = max(want, leastDirect)
	}
	return blob.ChunkSize(d.q.Size, want)
}

// sealable reports whether the client can encrypt as policies want it. The
// contract looks at the first entry only.
func (q Request) sealable() bool { return len(q.Ciphers) > 0 && q.Ciphers[0] == blob.CipherName }

// straight reports whether the bytes of the new session go past us.
func (d *draft) straight() bool {
	v := d.e.Vendor
	return v != nil && v.Takes(d.policy) && !d.policy.Relay && !d.q.Relay && !d.q.InOne && (!d.policy.Encrypt || d.q.sealable())
}

// place makes room for the bytes of the new session.
func (d *draft) place(ctx context.Context) error {
	if !d.direct {
		return d.e.begin(ctx, d.s)
	}
	g, err := d.e.Vendor.Grant(ctx, d.s, d.policy, Grant{Paged: d.q.Paged})
	d.s.VendorID, d.signed = g.VendorID, g.Signed
	return err
}

// told is the policy as it counts for this session: what does not go to the
// store directly is relayed.
func (d *draft) told() catalog.Policy {
	p := d.policy
	p.Relay = p.Relay || !d.direct && d.e.Vendor != nil && d.e.Vendor.Takes(p)
	return p
}

// Arrived records that the store has all bytes of a direct upload, as got
// measured them, and completes the upload: exactly once, however often and by
// whomever it is called.
func (e *Engine) Arrived(ctx context.Context, id core.SessionID, got blob.Receipt) (catalog.Node, error) {
	const op = "upload.Arrived"
	if err := e.arrive(ctx, id, got); err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	n, err := e.Settle(ctx, id)
	return n, errs.Wrap(op, err)
}

func (e *Engine) arrive(ctx context.Context, id core.SessionID, got blob.Receipt) error {
	leave, err := e.gate.enter(ctx, id, whole, nil)
	if err != nil {
		return err
	}
	defer leave()
	s, err := e.Store.Session(ctx, id)
	if err != nil || s.State != Open {
		return err // Settle says what there is to say
	}
	if got.Range != (core.Range{To: s.Size}) {
		return errs.Newf(errs.Internal, errs.ChunkIndex, "bytes %d to %d are not the whole of %d", got.Range.From, got.Range.To, s.Size)
	}
	if err := e.writable(ctx, s); err != nil {
		return err
	}
	_, err = e.record(ctx, s, got)
	return err
}

// Secret is what callbacks of a session carry. It is made of the session's id with
// the master key, so that fresh addresses can have it too; 32 characters, as clients
// expect.
func (e *Engine) Secret(id core.SessionID) core.Secret {
	key := e.Keyring.Derive("callback")
	mac := hmac.New(sha256.New, key[:])
	_, _ = mac.Write([]byte(id)) // never fails
	return core.Secret(hex.EncodeToString(mac.Sum(nil)[:16]))
}

// Expire ends an open session because its time is over.
func (e *Engine) Expire(ctx context.Context, s Session) error {
	const op = "upload.Expire"
	return errs.Wrap(op, e.end(ctx, s, Expired))
}

// Trouble leaves in the trail of a session, for its owner, why it could not be
// completed.
func (e *Engine) Trouble(ctx context.Context, id core.SessionID, because error) {
	e.note(ctx, id, Event{Kind: SettleFailed}, because)
}

// CipherOf returns the cipher that the stored bytes of s are under, nil for
// none.
func (e *Engine) CipherOf(s Session) (*blob.Cipher, error) {
	const op = "upload.CipherOf"
	if s.Direct() && !s.Sealed {
		return nil, nil
	}
	c, err := e.cipherOf(s)
	return c, errs.Wrap(op, err)
}

// Past reports whether s is over its expiry.
func (e *Engine) Past(s Session) bool { return e.past(s) }

// Check is when and how often the store was asked for a direct upload.
type Check struct {
	Session core.SessionID
	Due     time.Time
	Tries   int  // in a row in which nothing had changed
	Parts   int  // that the store had
	Whole   bool // all were in, and the upload not ended
}
