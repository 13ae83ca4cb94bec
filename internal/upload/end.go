package upload

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Abort ends the caller's upload and gives back what it held. Ended uploads
// stay as they are; NotFound/session_gone if it is not the caller's.
func (e *Engine) Abort(ctx context.Context, who core.Actor, id core.SessionID) error {
	const op = "upload.Abort"
	s, err := e.mine(ctx, who, id)
	if err != nil {
		return errs.Wrap(op, err)
	}
	if s.State.Ended() {
		return nil
	}
	return errs.Wrap(op, e.end(ctx, s, Aborted))
}

// Cancel is Abort as the contract has it (upload.md 2.3): by session id and the
// place of the file.
func (e *Engine) Cancel(ctx context.Context, who core.Actor, id core.SessionID, ref catalog.Ref) error {
	const op = "upload.Cancel"
	n, err := e.Catalog.Find(ctx, who, ref)
	if err != nil {
		return errs.Wrap(op, err)
	}
	s, err := e.session(ctx, id)
	switch {
	case errs.Is(err, errs.NotFound):
		return errs.Wrap(op, e.clear(ctx, n))
	case err != nil:
		return errs.Wrap(op, err)
	case s.Owner != who.User || s.Node != n.ID:
		return errs.Newf(errs.NotFound, errs.SessionMismatch, "Upload session not found").At(op)
	case s.State.Ended():
		return nil
	}
	return errs.Wrap(op, e.end(ctx, s, Aborted))
}

func (e *Engine) session(ctx context.Context, id core.SessionID) (Session, error) {
	if len(id) != 36 {
		return Session{}, errs.New(errs.NotFound, errs.SessionGone)
	}
	return e.Store.Session(ctx, id)
}

// clear takes a leftover "uploading" mark from a node whose session is unknown
// under the id given. A live upload keeps it: Conflict/locked.
func (e *Engine) clear(ctx context.Context, n catalog.Node) error {
	if n.Session == "" {
		return nil
	}
	var ended *Session
	err := e.Store.InTx(ctx, func(tx Tx) error {
		ended = nil
		locks, err := tx.LocksUnder(ctx, n.Owner, n.ID)
		if err != nil {
			return err
		}
		if len(locks) > 0 {
			held, err := catalog.HeldBy(ctx, tx, locks)
			if err != nil {
				return err
			}
			return errs.Newf(errs.Conflict, errs.Locked, "Lock conflict").With(held)
		}
		s, err := tx.Session(ctx, n.Session)
		if errs.Is(err, errs.NotFound) {
			n, err = tx.Node(ctx, n.ID)
			if err != nil {
				return err
			}
			was := n.Rev
			n.Session = ""
			return tx.UpdateNode(ctx, n, was)
		}
		if err != nil || s.State != Open {
			return err
		}
		ended = &s
		return e.endIn(ctx, tx, s, Aborted, EventKind(Aborted))
	})
	if err == nil && ended != nil {
		e.discard(ctx, *ended)
	}
	return err
}

// end closes an open session for good: rows first, then its bytes. Losing to a
// completion is no error: what is complete stays.
func (e *Engine) end(ctx context.Context, s Session, to State) error {
	ctx, cancel := e.detached(ctx)
	defer cancel()
	if s.State == Sealing && to == Aborted {
		return e.endSealing(ctx, s)
	}
	err := e.Store.InTx(ctx, func(tx Tx) error { return e.endIn(ctx, tx, s, to, EventKind(to)) })
	if errs.Has(err, errs.Changed) && to == Aborted {
		return e.endSealing(ctx, s)
	}
	if errs.Has(err, errs.Changed) {
		return nil
	}
	if err == nil {
		e.discard(ctx, s)
	}
	return err
}

// endSealing aborts an upload that has all its bytes and could not be completed.
// One that is complete by now stays.
func (e *Engine) endSealing(ctx context.Context, s Session) error {
	leave, err := e.gate.enter(ctx, s.ID, whole, nil)
	if err != nil {
		return err
	}
	defer leave()
	now, err := e.Store.Session(ctx, s.ID)
	if err != nil || now.State != Sealing {
		return except(err, errs.NotFound)
	}
	err = e.Store.InTx(ctx, func(tx Tx) error { return e.endIn(ctx, tx, now, Aborted, EventKind(Aborted)) })
	if err != nil {
		return err
	}
	b, err := e.bucket(ctx, s.Policy)
	if err == nil {
		_ = remove(ctx, s, b) // under either name; what stays, the audit finds
	}
	return nil
}

// endIn closes a session that is open, or sealing as s says, inside a transaction, and its trail with why. A
// file that was made for it goes; one that was there before stays as it was.
func (e *Engine) endIn(ctx context.Context, tx Tx, s Session, to State, why EventKind) error {
	from := Open
	if s.State == Sealing {
		from = Sealing
	}
	if err := tx.Advance(ctx, s.ID, from, to, Ending{}); err != nil {
		return err
	}
	if err := tx.AddEvent(ctx, s.ID, Event{At: e.Clock(), Kind: why}, maxEvents); err != nil {
		return err
	}
	if err := tx.Release(ctx, s.Owner, s.Size); err != nil {
		return err
	}
	n, err := tx.Node(ctx, s.Node)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	if err != nil || n.Session != s.ID {
		return err
	}
	if s.Fresh && n.Version == 0 {
		_, err := tx.RemoveTree(ctx, n.ID, e.Clock())
		return err
	}
	was := n.Rev
	n.Session = ""
	return tx.UpdateNode(ctx, n, was)
}

// discard stops who is still sending and removes the bytes of an ended session.
// What fails here is found by the next audit of the bucket.
func (e *Engine) discard(ctx context.Context, s Session) {
	e.young.take(s.ID)
	e.gate.hurry(s.ID)
	b, err := e.bucket(ctx, s.Policy)
	switch {
	case err != nil:
	case s.small(), s.Direct():
		_ = remove(ctx, s, b) // of a try that was not recorded
	default:
		_ = b.Abort(ctx, s.Handle())
	}
}
