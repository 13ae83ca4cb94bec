package blob

import (
	"context"
	"errors"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// PutWhole stores the body of w, which is all of the object key, without an
// upload before it: for files so small that one request brings them. Its
// promises are those of WriteAt and Commit together; after any error nothing is
// stored under key, but for Exists, when somebody stored it before.
func (b *Bucket) PutWhole(ctx context.Context, key string, w Write) (Receipt, error) {
	const op = "blob.PutWhole"
	if err := checkKey(op, key); err != nil {
		return Receipt{}, err
	}
	if w.Range.From != 0 || !w.Range.Valid() {
		return Receipt{}, errs.Newf(errs.Internal, errs.ChunkIndex, "bytes %d to %d are not a whole object", w.Range.From, w.Range.To).At(op)
	}
	in, err := newIntake(w, b.o.SHA256)
	if err != nil {
		return Receipt{}, errs.Wrap(op, err)
	}
	if in.err == nil {
		_, err = b.d.Put(ctx, key, once{in}, b.put())
	}
	got, err := in.receipt(op, core.Range{To: w.Range.To}, b.wrap(op, err))
	if err != nil {
		return Receipt{}, b.full(ctx, w.Range.To, err)
	}
	return got, nil
}

// once is a Source that can be read one time: what a client sends.
type once struct{ *intake }

func (s once) Size() int64 { return s.size }

func (once) Rewind() error { return errors.New("a request body cannot be read again") }
