package blob

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// MaxPacked is the most that a packed object may have, in bytes. A larger one
// gains nothing from sharing a flush.
const MaxPacked = 256 << 10

// Packer is the ability to keep many small objects in one larger one, a pack,
// so that all who store at a time share one flush and no object costs a name of
// its own.
//
// A packed object has a key that says where it is ([PackedKey]). Stat, Open and
// Delete take it like any other; List names neither packed objects nor packs.
// Deleting one frees its room at once where the storage can make holes, else
// when the pack goes.
type Packer interface {
	// Pack stores the bodies, each of 1..MaxPacked bytes, durably as o.Sync says,
	// and returns their keys in the same order. After an error none of them is
	// stored. What one pack got is never moved or written again.
	Pack(ctx context.Context, bodies [][]byte, o PutOptions) ([]string, error)

	// Packs lists up to limit packs in key order, after that key. Those that still
	// grow are not among them, whichever process they grow in. Stat and SetAside
	// take the key of a pack too.
	Packs(ctx context.Context, after string, limit int) ([]Info, error)

	// DropPack removes a pack of which every object was deleted; one that is not
	// there is no error. One that still grows, or holds an object that was not
	// deleted, is refused with kind Conflict.
	DropPack(ctx context.Context, key string) error

	// Undeleted counts the objects of a pack that were not deleted. Conflict for
	// a pack that still grows, NotFound for none.
	Undeleted(ctx context.Context, key string) (int, error)
}

// The key of a pack is packPrefix and its name; that of a packed object is the
// key of its pack, a slash, and offset and length in hexadecimal.
const packPrefix = "pack-"

// PackKey is the key of the pack of that name: 1..64 bytes of [0-9a-z].
func PackKey(name string) string { return packPrefix + name }

// PackName undoes PackKey; "" for every other key.
func PackName(key string) string {
	name, ok := strings.CutPrefix(key, packPrefix)
	if !ok || len(name) > 64 {
		return ""
	}
	for _, c := range []byte(name) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return name
}

// Packed is where a packed object is.
type Packed struct {
	Pack string // the key of the pack
	At   int64  // of the record
	Size int64  // of the object
}

// Key is the key of the object.
func (p Packed) Key() string {
	return p.Pack + "/" + strconv.FormatInt(p.At, 16) + "-" + strconv.FormatInt(p.Size, 16)
}

// ParsePacked undoes Packed.Key; ok is false for every other key.
func ParsePacked(key string) (p Packed, ok bool) {
	pack, place, ok := strings.Cut(key, "/")
	at, size, two := strings.Cut(place, "-")
	if !ok || !two || PackName(pack) == "" {
		return Packed{}, false
	}
	p.Pack = pack
	var err error
	if p.At, err = strconv.ParseInt(at, 16, 64); err != nil || p.At < 0 || p.At > MaxSize {
		return Packed{}, false
	}
	if p.Size, err = strconv.ParseInt(size, 16, 64); err != nil || p.Size < 1 || p.Size > MaxPacked {
		return Packed{}, false
	}
	return p, p.Key() == key
}

// Pack stores the bodies of ws, each whole and of 1..MaxPacked bytes, in a pack
// of the driver's choice. It returns their keys and receipts in order. A fault of
// a body is told in its own place and keeps the others from nothing; err is for
// what befell all of them, and then nothing is stored.
func (b *Bucket) Pack(ctx context.Context, ws []Write) (out []PackReceipt, err error) {
	const op = "blob.Pack"
	if b.packer == nil {
		return nil, errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	out = make([]PackReceipt, len(ws))
	bodies := make([][]byte, 0, len(ws))
	var total int64
	for i, w := range ws {
		var body []byte
		if body, out[i] = b.gather(op, w); out[i].Err == nil {
			bodies = append(bodies, body)
			total += w.Range.To
		}
	}
	if len(bodies) == 0 {
		return out, nil
	}
	keys, err := b.packer.Pack(ctx, bodies, b.put())
	if err == nil && len(keys) != len(bodies) {
		err = fmt.Errorf("%d keys for %d bodies", len(keys), len(bodies))
	}
	if err != nil {
		return nil, b.full(ctx, total, b.wrap(op, err))
	}
	for i := range out {
		if out[i].Err == nil {
			out[i].Key, keys = keys[0], keys[1:]
		}
	}
	return out, nil
}

// PackReceipt says what became of one body.
type PackReceipt struct {
	Receipt
	Key string
	Err error // the body was not what was promised
}

// gather reads a body into memory, as it is to be stored.
func (b *Bucket) gather(op string, w Write) ([]byte, PackReceipt) {
	size := w.Range.Len()
	if w.Range.From != 0 || size < 1 || size > MaxPacked {
		return nil, PackReceipt{Err: errs.Newf(errs.Internal, errs.ChunkIndex, "bytes %d to %d cannot be packed", w.Range.From, w.Range.To).At(op)}
	}
	in, err := newIntake(w, b.o.SHA256)
	if err != nil {
		return nil, PackReceipt{Err: errs.Wrap(op, err)}
	}
	body := make([]byte, size)
	for n := 0; in.err == nil && n < len(body); {
		var m int
		m, err = in.Read(body[n:])
		n += m
		if err != nil {
			break
		}
	}
	got, err := in.receipt(op, core.Range{To: size}, b.wrap(op, in.err))
	return body, PackReceipt{Receipt: got, Err: err}
}

// Packs lists up to limit packs that do not grow any more, in key order after
// that key; none where the driver does not pack.
func (b *Bucket) Packs(ctx context.Context, after string, limit int) ([]Info, error) {
	const op = "blob.Packs"
	if b.packer == nil {
		return nil, nil
	}
	packs, err := b.packer.Packs(ctx, after, limit)
	if err != nil {
		return nil, b.wrap(op, err)
	}
	return packs, nil
}

// DropPack removes a pack of which every object was deleted. Conflict for one
// that still grows or holds an object.
func (b *Bucket) DropPack(ctx context.Context, key string) error {
	const op = "blob.DropPack"
	if b.packer == nil {
		return errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	if err := b.packer.DropPack(ctx, key); err != nil {
		return b.wrap(op, err)
	}
	return nil
}

// Undeleted counts the objects of a pack that were not deleted. Conflict for one
// that still grows, NotFound for none.
func (b *Bucket) Undeleted(ctx context.Context, key string) (int, error) {
	const op = "blob.Undeleted"
	if b.packer == nil {
		return 0, errs.New(errs.Unsupported, errs.PolicyUse).At(op)
	}
	n, err := b.packer.Undeleted(ctx, key)
	if err != nil {
		return 0, b.wrap(op, err)
	}
	return n, nil
}
