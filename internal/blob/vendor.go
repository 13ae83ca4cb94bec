package blob

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the sums of stores
	"encoding/binary"
	"hash"
	"io"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// The methods of this file are those of [Direct] and [Linker], with names and
// kinds for their errors; Unsupported, PolicyUse where Can says that there is no
// such ability.

// Grant opens an upload that a client makes by itself.
func (b *Bucket) Grant(ctx context.Context, a Ask) (Handle, error) {
	const op = "blob.Grant"
	if err := b.directly(op, a.Key); err != nil {
		return Handle{}, err
	}
	h, err := b.direct.Grant(ctx, a)
	return h, b.wrap(op, err)
}

// Sign returns the addresses for the parts from..to of the upload.
func (b *Bucket) Sign(ctx context.Context, h Handle, a Ask, from, to int) (Signed, error) {
	const op = "blob.Sign"
	if err := b.directly(op, h.Key); err != nil {
		return Signed{}, err
	}
	s, err := b.direct.Sign(ctx, h, a, from, to)
	return s, b.wrap(op, err)
}

// Confirm asks the store what became of the upload. NotFound, VersionMissing
// when it knows nothing of it.
func (b *Bucket) Confirm(ctx context.Context, h Handle) (Evidence, error) {
	const op = "blob.Confirm"
	if err := b.directly(op, h.Key); err != nil {
		return Evidence{}, err
	}
	e, err := b.direct.Confirm(ctx, h)
	if err != nil && b.d.Classify(err) == errs.NotFound {
		return Evidence{}, errs.New(errs.NotFound, errs.VersionMissing).At(op).Because(err)
	}
	return e, b.wrap(op, err)
}

// Finish makes the object of the parts that Confirm told.
func (b *Bucket) Finish(ctx context.Context, h Handle, parts []StoredPart) (Info, error) {
	const op = "blob.Finish"
	if err := b.directly(op, h.Key); err != nil {
		return Info{}, err
	}
	info, err := b.direct.Finish(ctx, h, parts)
	return info, b.wrap(op, err)
}

// Revoke forgets the upload at the store.
func (b *Bucket) Revoke(ctx context.Context, h Handle) error {
	const op = "blob.Revoke"
	if err := b.directly(op, h.Key); err != nil {
		return err
	}
	return b.wrap(op, b.direct.Revoke(ctx, h))
}

// Link returns an address from which anybody can read the object for a while.
func (b *Bucket) Link(ctx context.Context, key string, o LinkOptions) (string, error) {
	const op = "blob.Link"
	if b.linker == nil {
		return "", errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	if err := checkKey(op, key); err != nil {
		return "", err
	}
	s, err := b.linker.Link(ctx, key, o)
	return s, b.wrap(op, err)
}

// AllowOrigins lets pages of these sites send to the store and read from it.
// Unsupported/policy_use where the driver cannot tell its store.
func (b *Bucket) AllowOrigins(ctx context.Context, origins []string) error {
	const op = "blob.AllowOrigins"
	err := errs.New(errs.Unsupported, errs.PolicyUse)
	if o, ok := b.d.(Origins); ok {
		err := o.AllowOrigins(ctx, origins)
		if !errs.Is(err, errs.Unsupported) {
			return b.wrap(op, err)
		}
	}
	return errs.Newf(errs.Unsupported, errs.PolicyUse,
		"The CORS rules of this kind of store cannot be set from here. Set them at the vendor: see the page of the policy in docs/policies.").At(op).Because(err)
}

// ReadCallback checks that the store made a callback. Nil where the driver's store
// does not sign them; Forbidden/callback_signature when it does and this one is not.
func (b *Bucket) ReadCallback(ctx context.Context, c Callback) error {
	const op = "blob.ReadCallback"
	d, ok := b.d.(Caller)
	if !ok {
		return nil
	}
	err := d.ReadCallback(ctx, c)
	if err != nil && b.d.Classify(err) == errs.Forbidden {
		return errs.New(errs.Forbidden, errs.CallbackSignature).At(op).Because(err)
	}
	return b.wrap(op, err)
}

// Reading is an object that is to be read whole and measured.
type Reading struct {
	Key    string
	Size   int64
	Cipher *Cipher // deciphers it on the way; nil for none

	PartSize int64  // of every part but the last
	Parted   []byte // as in Evidence; nil: there is nothing to compare with
}

// Digest reads an object and measures it. Conflict, DigestMismatch when its bytes
// are not those that its parts had when they came.
func (b *Bucket) Digest(ctx context.Context, r Reading) (Receipt, error) {
	const op = "blob.Digest"
	if err := checkKey(op, r.Key); err != nil {
		return Receipt{}, err
	}
	all := core.Range{To: r.Size}
	stored, err := b.d.Open(ctx, r.Key, all)
	if err != nil {
		return Receipt{}, b.wrap(op, err)
	}
	parts := &partMeter{ReadCloser: stored, each: r.PartSize}
	if parts.each <= 0 {
		parts.each = max(r.Size, 1)
	}
	if r.Parted != nil {
		stored = parts
	}
	body := b.outlet(op, stored, all, r.Cipher)
	defer func() { _ = body.Close() }() // read only
	m := newMeter(b.o.SHA256)
	if _, err := CopyAt(ctx, meterAt{m}, 0, body); err != nil {
		return Receipt{}, b.wrap(op, err)
	}
	if r.Parted != nil && !bytes.Equal(parts.sum(), r.Parted) {
		return Receipt{}, errs.New(errs.Conflict, errs.DigestMismatch).At(op)
	}
	got := Receipt{Range: all}
	got.CRC64, got.SHA256 = m.sum()
	return got, nil
}

// partMeter sums what is read through it as stores of the S3 family sum an object
// of parts: the MD5 of the MD5s of all parts.
type partMeter struct {
	io.ReadCloser
	each  int64 // bytes of a part; the last is shorter
	in    int64 // of the part that is being read
	whole []byte
	part  hash.Hash
}

func (m *partMeter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	for p = p[:n]; len(p) > 0; {
		if m.part == nil {
			m.part = md5.New() //nolint:gosec // what the store made of it, no secret
		}
		k := min(int64(len(p)), m.each-m.in)
		_, _ = m.part.Write(p[:k])
		p, m.in = p[k:], m.in+k
		if m.in == m.each {
			m.close()
		}
	}
	return n, err
}

// close ends the part that is being read.
func (m *partMeter) close() {
	if m.part == nil {
		m.part = md5.New() //nolint:gosec // as above
	}
	m.whole = m.part.Sum(m.whole)
	m.part.Reset()
	m.in = 0
}

func (m *partMeter) sum() []byte {
	if m.in > 0 || len(m.whole) == 0 {
		m.close()
	}
	sum := md5.Sum(m.whole) //nolint:gosec // as above
	return sum[:]
}

// Receipt is what the store itself says of an object that it has, if that is
// enough for this bucket; ok is false if the object must be read for it.
func (b *Bucket) Receipt(e Evidence) (got Receipt, ok bool) {
	for _, d := range e.Sum {
		if d.Algorithm == CRC64NVME && len(d.Value) == 8 && !b.o.SHA256 {
			return Receipt{Range: core.Range{To: e.Info.Size}, CRC64: binary.BigEndian.Uint64(d.Value)}, true
		}
	}
	return Receipt{}, false
}

func (b *Bucket) directly(op, key string) error {
	if b.direct == nil {
		return errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	return checkKey(op, key)
}
