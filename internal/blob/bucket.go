package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what a policy asks of its bucket.
type Options struct {
	Sync   Sync // "" is SyncAnswer
	SHA256 bool // keep the SHA-256 of whole files
}

// Abilities are what a bucket can do beyond the least. They are read off the
// driver, never set.
type Abilities struct {
	Parts  bool // take files in pieces
	Files  bool // hand out open files
	Packs  bool // keep many small objects in one
	Direct bool // take files from clients themselves
	Links  bool // hand out addresses to read from
}

// Bucket is a place where bytes are kept. It may be used from many goroutines.
// Every error it returns is an *errs.Error.
type Bucket struct {
	d      Driver
	parts  Parts  // nil: not able
	filer  Filer  // nil: not able
	packer Packer // nil: not able
	direct Direct // nil: not able
	linker Linker // nil: not able
	o      Options

	// begun holds the uploads that began here: no reboot can have taken bytes from
	// under them. See trusted.
	begun sync.Map // key → struct{}
}

// New returns the bucket that keeps its bytes with d.
func New(d Driver, o Options) *Bucket {
	if o.Sync == "" {
		o.Sync = SyncAnswer
	}
	b := &Bucket{d: d, o: o}
	b.parts, _ = d.(Parts)
	b.filer, _ = d.(Filer)
	b.packer, _ = d.(Packer)
	b.direct, _ = d.(Direct)
	b.linker, _ = d.(Linker)
	return b
}

// Can says what b is able to do.
func (b *Bucket) Can() Abilities {
	return Abilities{
		Parts: b.parts != nil, Files: b.filer != nil, Packs: b.packer != nil, Direct: b.direct != nil, Links: b.linker != nil,
	}
}

// Write is a body and where it belongs.
type Write struct {
	Range core.Range
	// Body holds the bytes of Range. It is read one byte further, to know that it
	// ends there. Bucket does not close it.
	Body io.Reader
	// Cipher enciphers the body on its way; nil stores it as it comes.
	Cipher *Cipher
	// Sealed says that the body was enciphered with Cipher by the sender. It is
	// stored as it comes, and deciphered only to be measured.
	Sealed bool
	// Want are digests of the body as sent. One that does not hold fails the
	// write, and the range counts as unwritten.
	Want []Digest
}

// Receipt says what was stored. It goes into the row of the part, and comes
// back at Commit.
type Receipt struct {
	Range  core.Range
	CRC64  uint64 // CRC-64/NVME of the content, never of a ciphertext
	SHA256 []byte // of the content; nil unless the bucket keeps it
}

// Sum is a finished object and the digests of its content.
type Sum struct {
	Info
	CRC64  uint64
	SHA256 []byte // nil unless the bucket keeps it
}

// Begin opens an upload of size bytes that will be the object key. The handle
// is all that is needed to go on after a restart.
func (b *Bucket) Begin(ctx context.Context, key string, size int64) (Handle, error) {
	const op = "blob.Begin"
	if err := b.partly(op, key); err != nil {
		return Handle{}, err
	}
	if size < 0 || size > MaxSize {
		return Handle{}, errs.Newf(errs.Invalid, errs.BadParam, "size %d", size).At(op)
	}
	h, err := b.parts.Begin(ctx, key, size, b.put())
	if err != nil {
		return Handle{}, b.full(ctx, size, b.wrap(op, err))
	}
	b.begun.Store(h.Key, struct{}{})
	return h, nil
}

// WriteAt stores the body of w as the bytes w.Range of the upload. When it
// returns the bytes are as durable as Options.Sync says, and were what w.Want
// said. A body that ends early is Transient, ChunkShort; one that goes on is
// Invalid, ChunkLength; a digest that does not hold is Invalid, DigestMismatch.
// After any error the range counts as unwritten.
func (b *Bucket) WriteAt(ctx context.Context, h Handle, w Write) (Receipt, error) {
	const op = "blob.WriteAt"
	if err := b.partly(op, h.Key); err != nil {
		return Receipt{}, err
	}
	if !w.Range.Valid() || w.Range.To > h.Size {
		return Receipt{}, errs.Newf(errs.Invalid, errs.ChunkIndex, "bytes %d to %d of %d", w.Range.From, w.Range.To, h.Size).At(op)
	}
	in, err := newIntake(w, b.o.SHA256)
	if err != nil {
		return Receipt{}, errs.Wrap(op, err)
	}
	if in.err == nil {
		err = b.parts.WriteAt(ctx, h, w.Range, in, b.put())
	}
	return in.receipt(op, w.Range, b.wrap(op, err))
}

// receipt is the outcome of in having been stored, or of err if it was not. A
// fault of the body comes before what it made the driver say.
func (in *intake) receipt(op string, r core.Range, err error) (Receipt, error) {
	switch {
	case in.err != nil:
		return Receipt{}, errs.Wrap(op, in.err)
	case err != nil:
		return Receipt{}, err
	case !in.done:
		return Receipt{}, errs.Newf(errs.Internal, errs.IOFailed, "driver left %d of %d bytes unread", in.left, in.size).At(op)
	}
	out := Receipt{Range: r}
	out.CRC64, out.SHA256 = in.meter.sum()
	return out, nil
}

// Measure reads and proves the body of w as WriteAt would, and stores nothing:
// whether a chunk that came twice is the same one, its receipt tells.
func Measure(w Write, sha bool) (Receipt, error) {
	const op = "blob.Measure"
	if !w.Range.Valid() {
		return Receipt{}, errs.Newf(errs.Invalid, errs.ChunkIndex, "bytes %d to %d", w.Range.From, w.Range.To).At(op)
	}
	in, err := newIntake(w, sha)
	if err != nil {
		return Receipt{}, errs.Wrap(op, err)
	}
	// in.err says all that can go wrong here.
	_, _ = CopyAt(context.Background(), nowhere{}, 0, in)
	return in.receipt(op, w.Range, nil)
}

type nowhere struct{}

func (nowhere) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }

// Put stores src as the object key, whole or not at all. c enciphers it; nil
// stores it as it is.
func (b *Bucket) Put(ctx context.Context, key string, src Source, c *Cipher) (Sum, error) {
	const op = "blob.Put"
	if err := checkKey(op, key); err != nil {
		return Sum{}, err
	}
	size := src.Size()
	if size < 0 || size > MaxSize {
		return Sum{}, errs.Newf(errs.Invalid, errs.BadParam, "size %d", size).At(op)
	}
	s := &measured{src: src, cipher: c, sha: b.o.SHA256}
	if err := s.start(); err != nil {
		return Sum{}, errs.Wrap(op, err)
	}
	info, err := b.d.Put(ctx, key, s, b.put())
	got, err := s.receipt(op, core.Range{From: 0, To: size}, b.wrap(op, err))
	if err != nil {
		return Sum{}, b.full(ctx, size, err)
	}
	return Sum{Info: info, CRC64: got.CRC64, SHA256: got.SHA256}, nil
}

// measured is a Source that is metered and enciphered on its way.
type measured struct {
	*intake
	src    Source
	cipher *Cipher
	sha    bool
}

func (s *measured) start() (err error) {
	s.intake, err = newIntake(Write{Range: core.Range{From: 0, To: s.src.Size()}, Body: s.src, Cipher: s.cipher}, s.sha)
	return err
}

func (s *measured) Size() int64 { return s.src.Size() }

func (s *measured) Rewind() error {
	if err := s.src.Rewind(); err != nil {
		return err
	}
	return s.start()
}

// Abort forgets an upload. One that is unknown or committed is left as it is.
func (b *Bucket) Abort(ctx context.Context, h Handle) error {
	const op = "blob.Abort"
	if err := b.partly(op, h.Key); err != nil {
		return err
	}
	if err := b.parts.Abort(ctx, h); err != nil {
		return b.wrap(op, err)
	}
	b.begun.Delete(h.Key)
	return nil
}

// Open returns the bytes r of key, deciphered with c unless c is nil. The
// caller closes it. The reader ends after r.Len() bytes or fails, and its
// errors are named as those of Bucket are.
func (b *Bucket) Open(ctx context.Context, key string, r core.Range, c *Cipher) (io.ReadCloser, error) {
	const op = "blob.Open"
	if err := checkKey(op, key); err != nil {
		return nil, err
	}
	if !r.Valid() {
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "bytes %d to %d", r.From, r.To).At(op)
	}
	body, err := b.d.Open(ctx, key, r)
	if err != nil {
		return nil, b.wrap(op, err)
	}
	return b.outlet(op, body, r, c), nil
}

// OpenFile returns key as an open file, for the kernel to send. The caller
// closes it. Enciphered objects come as they are stored; packed ones, which are
// no files, do not come: Unsupported, PolicyUse.
func (b *Bucket) OpenFile(ctx context.Context, key string) (*os.File, error) {
	const op = "blob.OpenFile"
	if _, packed := ParsePacked(key); packed || b.filer == nil {
		return nil, errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	if err := checkKey(op, key); err != nil {
		return nil, err
	}
	f, err := b.filer.OpenFile(ctx, key)
	if err != nil {
		return nil, b.wrap(op, err)
	}
	return f, nil
}

// Delete removes the keys; one that is not there counts as removed. failed
// names those that could not be removed.
func (b *Bucket) Delete(ctx context.Context, keys []string) (failed []KeyError, err error) {
	const op = "blob.Delete"
	for _, key := range keys {
		if err := checkKey(op, key); err != nil {
			return nil, err
		}
	}
	failed, err = b.d.Delete(ctx, keys)
	for i := range failed {
		failed[i].Err = b.wrap(op, failed[i].Err)
	}
	if err != nil {
		return failed, b.wrap(op, err)
	}
	return failed, nil
}

// Stat returns what is stored under key. Nothing there is NotFound,
// VersionMissing.
func (b *Bucket) Stat(ctx context.Context, key string) (Info, error) {
	const op = "blob.Stat"
	if err := checkKey(op, key); err != nil {
		return Info{}, err
	}
	info, err := b.d.Stat(ctx, key)
	if err == nil {
		return info, nil
	}
	if err = b.wrap(op, err); errs.Has(err, errs.RecoverNeeded) {
		// Who stats asks whether it is there; who opens was promised that it is.
		return Info{}, errs.New(errs.NotFound, errs.VersionMissing).At(op).Because(errors.Unwrap(err))
	}
	return Info{}, err
}

// List returns up to limit finished objects whose key starts with prefix, in
// key order, after the key `after`.
func (b *Bucket) List(ctx context.Context, prefix, after string, limit int) (Page, error) {
	const op = "blob.List"
	p, err := b.d.List(ctx, prefix, after, limit)
	if err != nil {
		return Page{}, b.wrap(op, err)
	}
	return p, nil
}

// Pending returns up to limit unfinished uploads, in key order after the key
// `after`, for audits. Their sizes are what is staged so far.
func (b *Bucket) Pending(ctx context.Context, after string, limit int) ([]Handle, error) {
	const op = "blob.Pending"
	if b.parts == nil {
		return nil, nil
	}
	hs, err := b.parts.Pending(ctx, after, limit)
	if err != nil {
		return nil, b.wrap(op, err)
	}
	return hs, nil
}

// Check returns nil while b takes writes, else why it does not.
func (b *Bucket) Check() error {
	const op = "blob.Check"
	if c, ok := b.d.(Checker); ok {
		if err := c.Check(); err != nil {
			return b.wrap(op, err)
		}
	}
	return nil
}

// Close lets go of the driver. Called once, after the last call.
func (b *Bucket) Close() error {
	const op = "blob.Close"
	if err := b.d.Close(); err != nil {
		return b.wrap(op, err)
	}
	return nil
}

func (b *Bucket) put() PutOptions { return PutOptions{Sync: b.o.Sync} }

// partly refuses what needs parts where there are none, and keys no driver
// should see.
func (b *Bucket) partly(op, key string) error {
	if b.parts == nil {
		return errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	return checkKey(op, key)
}

func checkKey(op, key string) error {
	if !ValidKey(key) {
		return errs.Newf(errs.Internal, errs.BadParam, "key %.210q", key).At(op)
	}
	return nil
}

// wrap names an error of the driver, once. wrap(op, nil) is nil.
func (b *Bucket) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var named *errs.Error
	switch {
	case errors.As(err, &named) && named.Op == op:
		return err
	case named != nil:
		return errs.Wrap(op, err)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return errs.As(op, errs.Canceled, "", err)
	}
	e := errs.New(b.d.Classify(err), errs.IOFailed).At(op).Because(err)
	switch {
	case errors.Is(err, ErrSuspect):
		e.Kind, e.Reason, e.Note = errs.Internal, errs.StorageStopped, "storage is read-only: check its medium, then restart"
	case e.Kind == errs.NoSpace:
		e.Reason = errs.DiskFull
	case e.Kind == errs.NotFound:
		e.Reason = errs.RecoverNeeded
	case e.Kind == errs.Transient:
		e.Reason = errs.Overload
	}
	return e
}

// full adds to a disk-full error how much room there was and is needed.
func (b *Bucket) full(ctx context.Context, need int64, err error) error {
	var e *errs.Error
	s, able := b.d.(Spacer)
	if !able || !errs.Is(err, errs.NoSpace) || !errors.As(err, &e) {
		return err
	}
	if free, _, ferr := s.Free(ctx); ferr == nil {
		e.Note = fmt.Sprintf("%d bytes needed, %d free", need, free)
	}
	return e
}
