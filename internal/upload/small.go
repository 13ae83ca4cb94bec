package upload

import (
	"context"
	"errors"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// takeSmall stores a file that comes in one chunk, and completes it: the bytes
// get their final place at once, then one transaction makes them the version of
// its file. A crash between the two leaves bytes that nothing names: a record of
// a pack, or a blob under the session's own key, which the next try, or the end
// of the session, removes.
func (e *Engine) takeSmall(ctx context.Context, s Session, b *blob.Bucket, w blob.Write) (Written, error) {
	if b.Can().Packs && s.Size > 0 && e.gather(s.Size) {
		defer e.gathered.Add(-s.Size)
		return e.takePacked(ctx, s, b, w)
	}
	got, err := b.PutWhole(ctx, s.Blob, w)
	if errs.Is(err, errs.Exists) {
		if err = e.unput(ctx, s, b); err == nil {
			got, err = b.PutWhole(ctx, s.Blob, w)
		}
	}
	if err != nil {
		return Written{}, err
	}
	ctx, cancel := e.detached(ctx)
	defer cancel()
	_, err = e.finish(ctx, s, got)
	if errs.Has(err, errs.SessionGone) {
		_ = remove(ctx, s, b) // it ended meanwhile; what stays, the audit finds
	}
	return Written{Received: s.Size, Done: true}, err
}

// mostGathered bounds the bodies that are in memory at once, on their way to a
// pack: who comes beyond it is written to a file of its own as it comes in.
const mostGathered = 16 << 20

// gather takes memory for a body, to be given back from e.gathered; false if too
// much is taken.
func (e *Engine) gather(n int64) bool {
	if e.gathered.Add(n) <= mostGathered {
		return true
	}
	e.gathered.Add(-n)
	return false
}

// takePacked is takeSmall where bodies share a flush.
func (e *Engine) takePacked(ctx context.Context, s Session, b *blob.Bucket, w blob.Write) (Written, error) {
	out, err := b.Pack(ctx, []blob.Write{w})
	if err == nil {
		err = out[0].Err
	}
	if err != nil {
		return Written{}, err
	}
	got := out[0]
	ctx, cancel := e.detached(ctx)
	defer cancel()
	s.Blob = got.Key
	sure, err := e.finish(ctx, s, got.Receipt)
	if err == nil {
		return Written{Received: s.Size, Done: true}, nil
	}
	if sure {
		_, derr := b.Delete(ctx, []string{got.Key}) // what stays, the audit finds
		err = errors.Join(err, derr)
	}
	if !errs.Has(err, errs.SessionGone) && !errs.Has(err, errs.Changed) {
		return Written{}, err
	}
	// The same chunk may have been in already.
	if now, rerr := e.Store.Session(ctx, s.ID); rerr == nil && now.State == Done {
		return Written{Received: now.Size, Done: true}, now.same(got.CRC64)
	}
	return Written{}, err
}

// finish is the one transaction of a small file. A session that needs more than
// Express does goes step by step. After an error, sure says that no row names the
// bytes: of a commit that failed nobody knows, until the store is read again.
func (e *Engine) finish(ctx context.Context, s Session, got blob.Receipt) (sure bool, err error) {
	if s.Fresh && s.Kind == catalog.Content && len(s.Meta) == 0 {
		done, sure, err := e.express(ctx, s, got)
		if done || err != nil {
			return sure, err
		}
		now, err := e.Store.Session(ctx, s.ID)
		if err == nil {
			err = e.writable(ctx, now)
		}
		if err != nil {
			return true, err
		}
	}
	sure = true // as long as it did not run
	err = e.Store.InTx(ctx, func(tx Tx) error {
		sure = true
		if _, err := e.recordIn(ctx, tx, s, got); err != nil {
			return err
		}
		_, err := e.publishIn(ctx, tx, s, blob.Sum{CRC64: got.CRC64, SHA256: got.SHA256})
		sure = err != nil
		return err
	})
	return sure, err
}

// errSlow gives up a transaction in which Express did not hold.
var errSlow = errors.New("the session is not as it was made")

func (e *Engine) express(ctx context.Context, s Session, got blob.Receipt) (done, sure bool, err error) {
	v := version(s, blob.Sum{CRC64: got.CRC64, SHA256: got.SHA256}, e.Clock())
	sure = true // as long as it did not run
	err = e.Store.InTx(ctx, func(tx Tx) error {
		ok, err := tx.Finish(ctx, s, v, updated(s, v.Created))
		if err == nil && !ok {
			err = errSlow
		}
		sure = err != nil
		return err
	})
	if errors.Is(err, errSlow) {
		return false, true, nil
	}
	return err == nil, sure, err
}

// same refuses a chunk that is not the one of which s was made.
func (s Session) same(crc uint64) error {
	if s.Ending.CRC64 == crc {
		return nil
	}
	return otherBytes()
}

// wholePart is the chunk of a session that Express ended: it has no row of its
// own.
func (s Session) wholePart() Part {
	return Part{Range: core.Range{To: s.Size}, CRC64: s.Ending.CRC64, SHA256: s.Ending.SHA256, At: s.Ending.At}
}

// partsOf returns the parts of s, in order.
func (e *Engine) partsOf(ctx context.Context, s Session) ([]Part, error) {
	parts, err := e.Store.Parts(ctx, s.ID)
	if err == nil && len(parts) == 0 && s.State == Done {
		parts = []Part{s.wholePart()}
	}
	return parts, err
}

// partsIn returns the parts that have a byte of at, in order.
func (e *Engine) partsIn(ctx context.Context, s Session, at core.Range) ([]Part, error) {
	parts, err := e.Store.PartsIn(ctx, s.ID, at)
	if err != nil || len(parts) > 0 || !s.small() {
		return parts, err
	}
	if s.State == Open {
		s, err = e.Store.Session(ctx, s.ID)
	}
	if err == nil && s.State == Done {
		parts = []Part{s.wholePart()}
	}
	return parts, err
}

// unput removes what an earlier try of an open session stored, half or whole,
// and did not live to record. Nobody else can be at it: the caller is inside the
// gate.
func (e *Engine) unput(ctx context.Context, s Session, b *blob.Bucket) error {
	now, err := e.Store.Session(ctx, s.ID)
	if err != nil {
		return err
	}
	if now.State != Open {
		return errs.New(errs.NotFound, errs.SessionGone)
	}
	return remove(ctx, s, b)
}

// remove takes away the bytes of a small session that were never published.
func remove(ctx context.Context, s Session, b *blob.Bucket) error {
	if err := b.Abort(ctx, s.Handle()); err != nil {
		return err
	}
	failed, err := b.Delete(ctx, []string{s.Blob})
	if err == nil && len(failed) > 0 {
		err = failed[0].Err
	}
	return err
}
