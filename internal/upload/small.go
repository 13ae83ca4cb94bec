package upload

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// takeSmall stores a file that comes in one chunk, and completes it: the blob
// gets its final name at once, then one transaction records the chunk and makes
// it the version of its file. A crash between the two leaves a blob without a
// row under the session's own key; the next try, or the end of the session,
// removes it.
func (e *Engine) takeSmall(ctx context.Context, s Session, b *blob.Bucket, w blob.Write) (Written, error) {
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
	sum := blob.Sum{CRC64: got.CRC64, SHA256: got.SHA256}
	err = e.Store.InTx(ctx, func(tx Tx) error {
		if _, err := e.recordIn(ctx, tx, s, got); err != nil {
			return err
		}
		_, err := e.publishIn(ctx, tx, s, sum)
		return err
	})
	if errs.Has(err, errs.SessionGone) {
		_ = remove(ctx, s, b) // it ended meanwhile; what stays, the audit finds
	}
	return Written{Received: s.Size, Done: true}, err
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
