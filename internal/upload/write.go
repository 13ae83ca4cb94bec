package upload

import (
	"context"
	"io"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Chunk is a piece of an upload as it comes in.
type Chunk struct {
	Session core.SessionID
	// Place says which bytes of the file the chunk is, or refuses it. It is
	// asked before a byte of Body is read.
	Place func(Session) (core.Range, error)
	Body  io.Reader
	Want  []blob.Digest // of the body as sent; a mismatch refuses the chunk
	Yield func()        // makes reads of Body fail soon; may be called from another goroutine; nil if it cannot
}

// Written is what Write answers.
type Written struct {
	Received int64 // bytes of the upload that are in, this chunk included
	Done     bool  // the file is complete
}

// Write takes one chunk. When it returns nil the bytes are as durable as the
// policy promises and recorded, and if they were the last that lacked, the file
// is complete.
//
// A chunk that is in already is compared, never written again: the same bytes
// succeed, also after completion until the session would have expired; others
// are Conflict/chunk_differs. If Write fails, the same chunk may be sent again.
func (e *Engine) Write(ctx context.Context, who core.Actor, c Chunk) (Written, error) {
	const op = "upload.Write"
	s, err := e.mine(ctx, who, c.Session)
	if err != nil {
		return Written{}, errs.Wrap(op, err)
	}
	if at, err := e.receive(ctx, s, c); err != nil {
		e.note(ctx, s.ID, Event{Kind: Refused, Range: at}, err)
		return Written{}, errs.Wrap(op, err)
	}
	w, err := e.finish(ctx, s.ID)
	return w, errs.Wrap(op, err)
}

// receive takes the chunk into the session, and says where it belongs as far as
// that is known.
func (e *Engine) receive(ctx context.Context, s Session, c Chunk) (core.Range, error) {
	if err := e.writable(ctx, s); err != nil {
		return core.Range{}, err
	}
	at, err := c.Place(s)
	if err == nil && (!at.Valid() || at.To > s.Size) {
		err = errs.New(errs.Invalid, errs.ChunkIndex)
	}
	if err != nil {
		return core.Range{}, err
	}
	return at, e.take(ctx, s, at, c)
}

func (e *Engine) writable(ctx context.Context, s Session) error {
	switch s.State {
	case Done, Sealing:
		return nil
	case Aborted, Expired:
		return errs.New(errs.NotFound, errs.SessionGone)
	}
	n, err := e.Store.Node(ctx, s.Node)
	if err != nil {
		return err
	}
	if n.Session != s.ID {
		return errs.Newf(errs.NotFound, errs.PathMissing, "Path not exist")
	}
	if !s.Locked {
		return errs.Newf(errs.Conflict, errs.LockExpired, "Lock expired")
	}
	return nil
}

// take writes and records the chunk, or finds that it is in already.
func (e *Engine) take(ctx context.Context, s Session, at core.Range, c Chunk) error {
	cipher, err := e.cipherOf(s)
	if err != nil {
		return err
	}
	w := blob.Write{Range: at, Body: c.Body, Cipher: cipher, Sealed: s.Sealed, Want: c.Want}
	have, leave, err := e.claim(ctx, s, at, c.Yield)
	if err != nil {
		return err
	}
	if have != nil {
		return compare(w, *have) //nolint:contextcheck // the body itself ends with the request
	}
	defer leave()
	b, err := e.bucket(ctx, s.Policy)
	if err != nil {
		return err
	}
	if s.small() {
		return e.takeSmall(ctx, s, b, w)
	}
	got, err := b.WriteAt(ctx, s.Handle(), w)
	if errs.Is(err, errs.NotFound) {
		return errs.New(errs.NotFound, errs.SessionGone).Because(err) // it ended meanwhile
	}
	if err != nil {
		return err
	}
	return e.record(ctx, s.ID, got)
}

// claim returns the part that is in already at the start of the chunk, or the
// exclusive right to write it, to be given back by leave.
func (e *Engine) claim(ctx context.Context, s Session, at core.Range, yield func()) (have *Part, leave func(), err error) {
	if have, err = e.part(ctx, s.ID, at.From); have != nil || err != nil {
		return have, nil, err
	}
	place := at.From
	if s.ChunkSize > 0 && s.Size > s.ChunkSize && at.Len() == s.Size {
		place = whole // a client that sends everything at once excludes all others
	}
	if leave, err = e.gate.enter(ctx, s.ID, place, yield); err != nil {
		return nil, nil, err
	}
	have, err = e.part(ctx, s.ID, at.From)
	if have == nil && err == nil && place == whole {
		err = e.untouched(ctx, s.ID)
	}
	if have != nil || err != nil {
		leave()
		return have, nil, err
	}
	return nil, leave, nil
}

func (e *Engine) part(ctx context.Context, id core.SessionID, from int64) (*Part, error) {
	p, err := e.Store.Part(ctx, id, from)
	switch {
	case err == nil:
		return &p, nil
	case errs.Is(err, errs.NotFound):
		return nil, nil
	}
	return nil, err
}

// untouched refuses a whole file for a session that has chunks already.
func (e *Engine) untouched(ctx context.Context, id core.SessionID) error {
	parts, err := e.Store.Parts(ctx, id)
	if err == nil && len(parts) > 0 {
		return errs.Newf(errs.Invalid, errs.ChunkLength, "Parts of this file are in already; send the others one by one.")
	}
	return err
}

// compare reads a chunk that is in already and refuses it unless it is the same.
func compare(w blob.Write, have Part) error {
	if w.Range != have.Range {
		return errs.Newf(errs.Conflict, errs.ChunkDiffers, "This part was received in another shape before.")
	}
	got, err := blob.Measure(w, false)
	if err != nil {
		return err
	}
	if got.CRC64 != have.CRC64 {
		return errs.Newf(errs.Conflict, errs.ChunkDiffers, "Other bytes were received for this part before. They were kept; the file you are sending has changed, so start a new upload.")
	}
	return nil
}

// record makes a durable chunk count.
func (e *Engine) record(ctx context.Context, id core.SessionID, got blob.Receipt) error {
	ctx, cancel := e.detached(ctx)
	defer cancel()
	return e.Store.InTx(ctx, func(tx Tx) error { return e.recordIn(ctx, tx, id, got) })
}

// recordIn adds the part. With the last one the session is sealed in the same
// transaction, so that nothing can come in behind it.
func (e *Engine) recordIn(ctx context.Context, tx Tx, id core.SessionID, got blob.Receipt) error {
	part := Part{Range: got.Range, CRC64: got.CRC64, SHA256: got.SHA256, At: e.Clock()}
	received, err := tx.AddPart(ctx, id, part)
	if err != nil {
		return err
	}
	s, err := tx.Session(ctx, id)
	if err != nil {
		return err
	}
	if received < s.Size {
		return nil
	}
	return tx.Advance(ctx, id, Open, Sealing, Ending{})
}

// finish settles the session if all bytes are in, and says where it stands.
func (e *Engine) finish(ctx context.Context, id core.SessionID) (Written, error) {
	s, err := e.Store.Session(ctx, id)
	if err != nil {
		return Written{}, err
	}
	if s.State == Sealing {
		if _, err := e.Settle(ctx, id); err != nil {
			return Written{}, err
		}
		s.State = Done
	}
	return Written{Received: s.Received, Done: s.State == Done}, nil
}
