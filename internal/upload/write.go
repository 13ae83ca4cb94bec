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
	sealed   bool  // all bytes are in, and the file waits to be completed
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
	if f, ok := e.young.take(c.Session); ok && f.Owner == who.User && !e.past(f.Session) {
		if w, ok, err := e.takeYoung(ctx, f, c); ok {
			return w, errs.Wrap(op, err)
		}
	}
	s, err := e.mine(ctx, who, c.Session)
	if err != nil {
		return Written{}, errs.Wrap(op, err)
	}
	w, at, err := e.receive(ctx, s, c)
	if err != nil {
		e.note(ctx, s.ID, Event{Kind: Refused, Range: at}, err)
		return Written{}, errs.Wrap(op, err)
	}
	if w.sealed {
		_, err = e.Settle(ctx, s.ID)
		w.Done = true
	}
	if err != nil {
		return Written{}, errs.Wrap(op, err)
	}
	return w, nil
}

// receive takes the chunk into the session, and says where it belongs as far as
// that is known.
func (e *Engine) receive(ctx context.Context, s Session, c Chunk) (w Written, at core.Range, err error) {
	if s.Direct() {
		return w, at, errs.Newf(errs.Invalid, errs.PolicyUse, "The chunks of this upload are sent to its storage, not to this server.")
	}
	if err = e.writable(ctx, s); err != nil {
		return w, at, err
	}
	if at, err = c.Place(s); err != nil {
		return w, core.Range{}, err
	}
	if !at.Valid() || at.To > s.Size {
		return w, core.Range{}, errs.New(errs.Invalid, errs.ChunkIndex)
	}
	w, err = e.take(ctx, s, at, c)
	return w, at, err
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
		// Another chunk may have completed it since s was read.
		now, err := e.Store.Session(ctx, s.ID)
		if err != nil || now.State == Done {
			return err
		}
		return errs.Newf(errs.NotFound, errs.PathMissing, "Path not exist")
	}
	if !s.Locked {
		return errs.Newf(errs.Conflict, errs.LockExpired, "Lock expired")
	}
	return nil
}

// take writes and records the chunk, or finds that it is in already.
func (e *Engine) take(ctx context.Context, s Session, at core.Range, c Chunk) (Written, error) {
	cipher, err := e.cipherOf(s)
	if err != nil {
		return Written{}, err
	}
	w := blob.Write{Range: at, Body: c.Body, Cipher: cipher, Sealed: s.Sealed, Want: c.Want}
	have, leave, err := e.claim(ctx, s, at, c.Yield)
	if err != nil {
		return Written{}, err
	}
	if have != nil {
		if err := compare(w, have); err != nil { //nolint:contextcheck // the body itself ends with the request
			return Written{}, err
		}
		return e.standing(ctx, s.ID)
	}
	defer leave()
	b, err := e.bucket(ctx, s.Policy)
	if err != nil {
		return Written{}, err
	}
	if s.small() {
		return e.takeSmall(ctx, s, b, w)
	}
	got, err := b.WriteAt(ctx, s.Handle(), w)
	if errs.Is(err, errs.NotFound) {
		return Written{}, errs.New(errs.NotFound, errs.SessionGone).Because(err) // it ended meanwhile
	}
	if err != nil {
		return Written{}, err
	}
	return e.record(ctx, s, got)
}

// claim returns the parts that are in already where the chunk belongs, or the
// exclusive right to write there, to be given back by leave.
func (e *Engine) claim(ctx context.Context, s Session, at core.Range, yield func()) (have []Part, leave func(), err error) {
	if s.Received > 0 || s.State != Open {
		if have, err = e.partsIn(ctx, s, at); len(have) > 0 || err != nil {
			return have, nil, err
		}
	}
	if leave, err = e.gate.enter(ctx, s.ID, at, yield); err != nil {
		return nil, nil, err
	}
	if have, err = e.partsIn(ctx, s, at); len(have) > 0 || err != nil {
		leave()
		return have, nil, err
	}
	return nil, leave, nil
}

// compare reads a chunk that is in already, in one part or in several, and
// refuses it unless it is the same.
func compare(w blob.Write, have []Part) error {
	crc, next := have[0].CRC64, have[0].Range.To
	for _, p := range have[1:] {
		if p.Range.From != next {
			return mixed()
		}
		crc, next = blob.CombineCRC(crc, p.CRC64, p.Range.Len()), p.Range.To
	}
	if have[0].Range.From != w.Range.From || next != w.Range.To {
		return mixed()
	}
	got, err := blob.Measure(w, false)
	if err != nil {
		return err
	}
	if got.CRC64 != crc {
		return otherBytes()
	}
	return nil
}

func otherBytes() error {
	return errs.Newf(errs.Conflict, errs.ChunkDiffers, "Other bytes were received for this part before. They were kept; the file you are sending has changed, so start a new upload.")
}

// mixed refuses a chunk of which some bytes are in, cut in another way.
func mixed() error {
	return errs.Newf(errs.Invalid, errs.ChunkLength, "Some of these bytes are in already. See which, and send the others.")
}

// record makes a durable chunk count.
func (e *Engine) record(ctx context.Context, s Session, got blob.Receipt) (w Written, err error) {
	ctx, cancel := e.detached(ctx)
	defer cancel()
	err = e.Store.InTx(ctx, func(tx Tx) error {
		w, err = e.recordIn(ctx, tx, s, got)
		return err
	})
	return w, err
}

// recordIn adds the part. With the last one the session is sealed in the same
// transaction, so that nothing can come in behind it.
func (e *Engine) recordIn(ctx context.Context, tx Tx, s Session, got blob.Receipt) (Written, error) {
	part := Part{Range: got.Range, CRC64: got.CRC64, SHA256: got.SHA256, At: e.Clock()}
	received, err := tx.AddPart(ctx, s.ID, part)
	if err != nil || received < s.Size {
		return Written{Received: received}, err
	}
	return Written{Received: received, sealed: true}, tx.Advance(ctx, s.ID, Open, Sealing, Ending{})
}

// standing says where a session is now.
func (e *Engine) standing(ctx context.Context, id core.SessionID) (Written, error) {
	s, err := e.Store.Session(ctx, id)
	return Written{Received: s.Received, Done: s.State == Done, sealed: s.State == Sealing}, err
}
