package upload

import (
	"context"
	"io"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Put takes a whole content in one go, of exactly q.Size bytes: it creates the
// upload, writes it and completes it, or leaves nothing behind.
func (e *Engine) Put(ctx context.Context, who core.Actor, q Request, body io.Reader, want []blob.Digest) (catalog.Node, error) {
	const op = "upload.Put"
	q.InOne = true
	t, err := e.Create(ctx, who, q)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	s := t.Session
	_, err = e.take(ctx, s, core.Range{To: s.Size}, Chunk{Session: s.ID, Body: body, Want: want})
	if err != nil {
		e.undo(ctx, s)
		return catalog.Node{}, errs.Wrap(op, err)
	}
	n, err := e.Settle(ctx, s.ID)
	return n, errs.Wrap(op, err)
}
