package direct

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Rows keeps the uploads that are to be asked for. It is implemented by
// internal/store/providers.
type Rows interface {
	// Granted keeps the store's id of an open session, and when to ask first.
	// NotFound/session_gone when the session is not open.
	Granted(ctx context.Context, id core.SessionID, vendorID string, due time.Time) error
	// DueChecks returns up to limit sessions of a policy that are to be asked for,
	// the longest due first; one that was forgotten is every policy's.
	DueChecks(ctx context.Context, policy core.PolicyID, before time.Time, limit int) ([]upload.Check, error)
	// SetCheck says when to ask again. One that is not there is no error.
	SetCheck(ctx context.Context, c upload.Check) error
	// DropCheck forgets a session. One that is not there is no error.
	DropCheck(ctx context.Context, id core.SessionID) error
}

// Options are what a Flow is made of; Engine and Rows are needed.
type Options struct {
	Engine *upload.Engine
	Rows   Rows
	Site   *url.URL // public address, for stores that call back by themselves; nil: they do not
	// Proxied reports whether downloads of a policy come through us; nil: those of none.
	Proxied func(catalog.Policy) bool

	Patience time.Duration // how long a store may take to say what it has; default 30 s
}

// Flow is the way of bytes that go past us. It is an upload.Vendor.
type Flow struct{ Options }

var _ upload.Vendor = (*Flow)(nil)

// New returns the flow over o.
func New(o Options) *Flow {
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	return &Flow{o}
}

// Takes implements upload.Vendor.
func (*Flow) Takes(p catalog.Policy) bool {
	switch p.Type {
	case "s3", "ks3", "cos", "obs", "oss":
		return true
	}
	return false
}

// Grant implements upload.Vendor.
func (f *Flow) Grant(ctx context.Context, s upload.Session, p catalog.Policy, g upload.Grant) (upload.Granted, error) {
	const op = "direct.Grant"
	b, err := f.Engine.Buckets.Bucket(ctx, p)
	if err != nil {
		return upload.Granted{}, errs.Wrap(op, err)
	}
	a := f.ask(s)
	a.Callback = f.callback(s, p)
	h, err := b.Grant(ctx, a)
	if err != nil {
		return upload.Granted{}, errs.Wrap(op, err)
	}
	some := a.Parts()
	if g.Paged {
		some = min(some, pageSize)
	}
	signed, err := b.Sign(ctx, h, a, 0, some)
	if err == nil {
		err = f.Rows.Granted(ctx, s.ID, h.Upload, a.Now.Add(first))
	}
	if err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.Engine.Finish)
		defer cancel()
		_ = b.Revoke(clean, h) // what stays, the sweep finds
		return upload.Granted{}, errs.Wrap(op, err)
	}
	return upload.Granted{VendorID: h.Upload, Signed: signed}, nil
}

// callback is the address that the store calls, "" where the client does.
func (f *Flow) callback(s upload.Session, p catalog.Policy) string {
	if p.Type != "obs" && p.Type != "oss" || f.Site == nil {
		return ""
	}
	return f.Site.Scheme + "://" + f.Site.Host + "/api/v4/callback/" + p.Type + "/" + string(s.ID) + "/" + f.Engine.Secret(s.ID).Reveal()
}

func (f *Flow) ask(s upload.Session) blob.Ask {
	return blob.Ask{Key: s.Blob, Size: s.Size, PartSize: s.ChunkSize, MIME: s.MIME, Until: s.Expires, Now: f.Engine.Clock()}
}

// Called is what a callback comes to: c where it says that it is the store's own,
// nil where a client makes it. The secret says that it may ask; whether the upload
// is complete, the store says. It succeeds again for an upload that is done.
// NotFound/session_gone, Forbidden/callback_secret, Invalid/policy_use for another
// kind of storage, Forbidden/callback_signature where the store signs and c is not
// signed; Conflict/object_differs when the store has not all.
func (f *Flow) Called(ctx context.Context, kind string, id core.SessionID, secret core.Secret, c *blob.Callback) error {
	const op = "direct.Called"
	s, p, err := f.session(ctx, id)
	if err != nil {
		return errs.Wrap(op, err)
	}
	sum := sha256.Sum256([]byte(secret.Reveal()))
	switch {
	case subtle.ConstantTimeCompare(sum[:], s.Secret) != 1:
		return errs.New(errs.Forbidden, errs.CallbackSecret).At(op)
	case p.Type != kind, !s.Direct() && s.State != upload.Done:
		return errs.New(errs.Invalid, errs.PolicyUse).At(op)
	case s.State == upload.Done:
		return nil
	case s.State.Ended(), f.Engine.Past(s):
		return errs.New(errs.NotFound, errs.SessionGone).At(op)
	}
	if c != nil {
		if err := f.signed(ctx, p, *c); err != nil {
			return errs.Wrap(op, err)
		}
	}
	if _, err = f.check(ctx, s, p, heard); err != nil {
		f.Engine.Trouble(ctx, s.ID, err)
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, f.Rows.DropCheck(ctx, id))
}

func (f *Flow) signed(ctx context.Context, p catalog.Policy, c blob.Callback) error {
	b, err := f.Engine.Buckets.Bucket(ctx, p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	return b.ReadCallback(ctx, c)
}

func (f *Flow) session(ctx context.Context, id core.SessionID) (s upload.Session, p catalog.Policy, err error) {
	if len(id) != 36 {
		return s, p, errs.New(errs.NotFound, errs.SessionGone)
	}
	if s, err = f.Engine.Store.Session(ctx, id); err == nil {
		p, err = f.Engine.Store.Policy(ctx, s.Policy)
	}
	return s, p, err
}

// voice is who says that an upload may be whole.
type voice int

const (
	nobody  voice = iota // its client may be about to end it at the store: we do not
	silence              // its client has had the time to, and did not
	heard                // its client, which had an answer for every part, or the store
)

// check asks the store for an upload that is open or sealing, and completes it if
// all of it is there. An upload that is whole but not ended at the store is ended
// by us, unless nobody says that it is time. It returns how many parts are in.
// Conflict/object_differs when something is missing.
func (f *Flow) check(ctx context.Context, s upload.Session, p catalog.Policy, v voice) (parts int, err error) {
	if s.State == upload.Sealing {
		_, err = f.Engine.Settle(ctx, s.ID)
		return 0, err
	}
	b, err := f.Engine.Buckets.Bucket(ctx, p)
	if err != nil {
		return 0, err
	}
	seen, err := f.confirm(ctx, b, s)
	if err == nil && !seen.Stored {
		parts = len(seen.Parts)
		if err = f.whole(s, seen.Parts); err != nil || v == nobody {
			return parts, err
		}
		if err = finish(ctx, b, s, seen.Parts); err == nil {
			seen, err = f.confirm(ctx, b, s)
		}
	}
	switch {
	case errs.Is(err, errs.NotFound):
		return parts, errs.Newf(errs.Conflict, errs.ObjectDiffers, "The storage does not know this upload any more, and has no such file.").Because(err)
	case err != nil:
		return parts, err
	case !seen.Stored || seen.Info.Size != s.Size:
		return parts, differs(s.Size, seen.Info.Size)
	}
	got, err := f.measured(ctx, b, s, seen, v)
	if errs.Has(err, errs.DigestMismatch) {
		return parts, f.broken(ctx, s, err)
	}
	if err == nil {
		_, err = f.Engine.Arrived(ctx, s.ID, got)
	}
	return parts, err
}

// measured is what the store says of a stored object, or what reading it tells: where
// the store keeps no digest of the content, and where a part may have broken off
// with its client and nobody has said since that it was sent again.
func (f *Flow) measured(ctx context.Context, b *blob.Bucket, s upload.Session, seen blob.Evidence, v voice) (blob.Receipt, error) {
	cipher, err := f.Engine.CipherOf(s)
	if err != nil {
		return blob.Receipt{}, err
	}
	if v == heard {
		seen.Parted = nil
	}
	if got, ok := b.Receipt(seen); ok && cipher == nil && seen.Parted == nil {
		return got, nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.Patience+time.Duration(s.Size/slowest)*time.Second)
	defer cancel()
	return b.Digest(ctx, blob.Reading{Key: s.Blob, Size: s.Size, Cipher: cipher, PartSize: s.ChunkSize, Parted: seen.Parted})
}

// broken ends an upload of which the store has made an object with a part that is
// not as it was sent. It cannot go on: the store knows no parts any more.
func (f *Flow) broken(ctx context.Context, s upload.Session, cause error) error {
	err := errs.Newf(errs.Conflict, errs.ObjectDiffers,
		"The client went away in the middle of a part, and the storage took that part for a whole one. Send the file again.").Because(cause)
	f.Engine.Trouble(ctx, s.ID, err)
	return firstOf(f.Engine.Expire(ctx, s), err)
}

// The steps that ask the store have an end each.

func (f *Flow) confirm(ctx context.Context, b *blob.Bucket, s upload.Session) (blob.Evidence, error) {
	ctx, cancel := context.WithTimeout(ctx, f.Patience)
	defer cancel()
	return b.Confirm(ctx, s.Handle())
}

func finish(ctx context.Context, b *blob.Bucket, s upload.Session, parts []blob.StoredPart) error {
	ctx, cancel := context.WithTimeout(ctx, finishing)
	defer cancel()
	_, err := b.Finish(ctx, s.Handle(), parts)
	return err
}

// whole refuses parts that are not all, or not as they were planned.
func (f *Flow) whole(s upload.Session, parts []blob.StoredPart) error {
	a := f.ask(s)
	var size int64
	ok := len(parts) == a.Parts()
	for i, p := range parts {
		size += p.Size
		ok = ok && p.Number == i && p.Size == a.Part(i)
	}
	if !ok {
		return differs(s.Size, size)
	}
	return nil
}

func differs(want, got int64) error {
	return errs.Newf(errs.Conflict, errs.ObjectDiffers, "File size not match, expected: %d, actual: %d", want, got)
}
