package blob

import (
	"cmp"
	"context"
	"crypto/cipher"
	"errors"
	"io"
	"slices"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Commit turns the upload into the object. got must cover every byte of it
// exactly once; c is the cipher the parts were written with. Called again after
// it succeeded it returns the same.
//
// The CRC comes from the receipts. The bytes are read once more, and must agree
// with it, where the policy keeps SHA-256 and the file came in several parts,
// and where the upload began before this bucket: the machine may have lost
// power since, under a policy that promised less than this one.
func (b *Bucket) Commit(ctx context.Context, h Handle, got []Receipt, c *Cipher) (Sum, error) {
	const op = "blob.Commit"
	if err := b.partly(op, h.Key); err != nil {
		return Sum{}, err
	}
	sum, err := assemble(h.Size, got)
	if err != nil {
		return Sum{}, errs.Wrap(op, err)
	}
	if b.o.SHA256 && sum.SHA256 == nil || !b.trusted(ctx, h) {
		if sum.SHA256, err = b.reread(ctx, h, sum.CRC64, c); err != nil {
			return Sum{}, err
		}
	}
	if !b.o.SHA256 {
		sum.SHA256 = nil
	}
	if sum.Info, err = b.parts.Commit(ctx, h, b.put()); err != nil {
		return Sum{}, b.wrap(op, err)
	}
	if sum.Size != h.Size {
		return Sum{}, errs.Newf(errs.Internal, errs.IOFailed, "object has %d bytes, upload had %d", sum.Size, h.Size).At(op)
	}
	b.begun.Delete(h.Key)
	return sum, nil
}

// assemble adds the receipts up to the sum of the whole file. Its SHA-256 is
// known if one receipt is the whole file.
func assemble(size int64, got []Receipt) (sum Sum, err error) {
	got = slices.Clone(got)
	slices.SortFunc(got, func(x, y Receipt) int {
		return cmp.Or(cmp.Compare(x.Range.From, y.Range.From), cmp.Compare(x.Range.To, y.Range.To))
	})
	var at int64
	for _, g := range got {
		if !g.Range.Valid() || g.Range.From != at {
			return Sum{}, errs.Newf(errs.Internal, errs.IOFailed, "receipts have a gap or overlap at %d: next is %d to %d", at, g.Range.From, g.Range.To)
		}
		sum.CRC64 = CombineCRC(sum.CRC64, g.CRC64, g.Range.Len())
		if g.Range == (core.Range{From: 0, To: size}) {
			sum.SHA256 = g.SHA256
		}
		at = g.Range.To
	}
	if at != size {
		return Sum{}, errs.Newf(errs.Internal, errs.IOFailed, "receipts end at %d of %d", at, size)
	}
	return sum, nil
}

// trusted reports whether the bytes of h need no second look: this bucket saw
// the upload begin, or it was looked at and committed before.
func (b *Bucket) trusted(ctx context.Context, h Handle) bool {
	if _, ok := b.begun.Load(h.Key); ok {
		return true
	}
	_, err := b.d.Stat(ctx, h.Key)
	return err == nil
}

// reread digests the upload as it is stored and compares the CRC. An upload
// that is committed already is read where it is now.
func (b *Bucket) reread(ctx context.Context, h Handle, crc uint64, c *Cipher) ([]byte, error) {
	const op = "blob.Commit"
	all := core.Range{From: 0, To: h.Size}
	body, err := b.parts.Staged(ctx, h, all)
	if err != nil && b.d.Classify(err) == errs.NotFound {
		body, err = b.d.Open(ctx, h.Key, all)
	}
	if err != nil {
		return nil, b.wrap(op, err)
	}
	out := b.outlet(op, body, all, c)
	defer func() { _ = out.Close() }()
	m := newMeter(b.o.SHA256)
	if _, err := CopyAt(ctx, meterAt{m}, 0, out); err != nil {
		return nil, b.wrap(op, err)
	}
	got, sha := m.sum()
	if got != crc {
		return nil, errs.Newf(errs.Internal, errs.IOFailed, "stored bytes have CRC %016x, received bytes had %016x", got, crc).At(op)
	}
	return sha, nil
}

// meterAt lets CopyAt feed a meter: it writes in order.
type meterAt struct{ m meter }

func (w meterAt) WriteAt(p []byte, _ int64) (int, error) {
	w.m.Write(p)
	return len(p), nil
}

// outlet is what leaves a bucket: as long as promised, deciphered, its errors
// named.
type outlet struct {
	b      *Bucket
	op     string
	body   io.ReadCloser
	left   int64
	stream cipher.Stream // nil: as stored
}

func (b *Bucket) outlet(op string, body io.ReadCloser, r core.Range, c *Cipher) *outlet {
	o := &outlet{b: b, op: op, body: body, left: r.Len()}
	if c != nil {
		o.stream = c.Stream(r.From)
	}
	return o
}

func (o *outlet) Read(p []byte) (int, error) {
	if o.left == 0 {
		return 0, io.EOF
	}
	n, err := o.body.Read(p[:min(int64(len(p)), o.left)])
	if o.stream != nil {
		o.stream.XORKeyStream(p[:n], p[:n])
	}
	o.left -= int64(n)
	switch {
	case err == nil, o.left == 0 && errors.Is(err, io.EOF):
		return n, nil
	case errors.Is(err, io.EOF):
		err = errs.Newf(errs.Internal, errs.IOFailed, "stored bytes end %d too early", o.left).At(o.op)
	default:
		err = o.b.wrap(o.op, err)
	}
	return n, err
}

func (o *outlet) Close() error {
	if err := o.body.Close(); err != nil {
		return o.b.wrap(o.op, err)
	}
	return nil
}
