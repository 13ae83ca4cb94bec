package upload

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Settle completes an upload whose bytes are all in: the blob gets its final
// name, then one transaction makes it the version of its file, settles the
// quota, gives the lock back and closes the session. It can be called by the
// last chunk, by a retry, by the sweep after a crash, by all of them at once:
// the file is completed exactly once and all get the same node.
func (e *Engine) Settle(ctx context.Context, id core.SessionID) (catalog.Node, error) {
	const op = "upload.Settle"
	ctx, cancel := e.detached(ctx)
	defer cancel()
	leave, err := e.gate.enter(ctx, id, whole, nil)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	defer leave()
	s, err := e.Store.Session(ctx, id)
	if err != nil {
		return catalog.Node{}, errs.Wrap(op, err)
	}
	switch s.State {
	case Done:
		n, err := e.Store.Node(ctx, s.Node)
		return n, errs.Wrap(op, err)
	case Sealing:
	default:
		return catalog.Node{}, errs.New(errs.NotFound, errs.SessionGone).At(op)
	}
	n, err := e.complete(ctx, s)
	if err != nil {
		e.note(ctx, s.ID, Event{Kind: SettleFailed}, err)
	}
	return n, errs.Wrap(op, err)
}

func (e *Engine) complete(ctx context.Context, s Session) (catalog.Node, error) {
	sum, err := e.commit(ctx, s)
	if err != nil {
		return catalog.Node{}, err
	}
	return e.publish(ctx, s, sum)
}

// commit makes the received parts the blob.
func (e *Engine) commit(ctx context.Context, s Session) (blob.Sum, error) {
	parts, err := e.Store.Parts(ctx, s.ID)
	if err != nil {
		return blob.Sum{}, err
	}
	got := make([]blob.Receipt, len(parts))
	for i, p := range parts {
		got[i] = blob.Receipt{Range: p.Range, CRC64: p.CRC64, SHA256: p.SHA256}
	}
	b, err := e.bucket(ctx, s.Policy)
	if err != nil {
		return blob.Sum{}, err
	}
	cipher, err := e.cipherOf(s)
	if err != nil {
		return blob.Sum{}, err
	}
	return b.Commit(ctx, s.Handle(), got, cipher)
}

// publish is the one transaction of completion.
func (e *Engine) publish(ctx context.Context, s Session, sum blob.Sum) (n catalog.Node, err error) {
	err = e.Store.InTx(ctx, func(tx Tx) error {
		n, err = e.publishIn(ctx, tx, s, sum)
		return err
	})
	return n, err
}

// publishIn turns a sealed session into the version of its file.
func (e *Engine) publishIn(ctx context.Context, tx Tx, s Session, sum blob.Sum) (catalog.Node, error) {
	now := e.Clock()
	if err := tx.Advance(ctx, s.ID, Sealing, Done, Ending{At: now, CRC64: sum.CRC64, SHA256: sum.SHA256}); err != nil {
		return catalog.Node{}, err
	}
	n, err := tx.Node(ctx, s.Node)
	if err != nil {
		return n, err
	}
	if err := tx.Settle(ctx, s.Owner, s.Size); err != nil {
		return n, err
	}
	if err := tx.AddVersion(ctx, version(s, sum, now)); err != nil {
		return n, err
	}
	was := n.Rev
	if n.Session == s.ID {
		n.Session = ""
	}
	if s.Kind == catalog.Content {
		n.Version, n.Size, n.Updated = s.Version, s.Size, updated(s, now)
	}
	n.Meta = merged(n.Meta, s.Meta)
	if err := tx.UpdateNode(ctx, n, was); err != nil {
		return n, err
	}
	n.Rev = was + 1
	return n, e.retire(ctx, tx, s, n.Name)
}

// version is what s becomes.
func version(s Session, sum blob.Sum, now time.Time) catalog.Version {
	return catalog.Version{
		ID: s.Version, Node: s.Node, Owner: s.Owner, Kind: s.Kind, Size: s.Size, Policy: s.Policy, Blob: s.Blob,
		CRC64: sum.CRC64, SHA256: sum.SHA256, Cipher: s.Cipher, Created: now, Creator: s.Owner,
	}
}

// updated is the time of its file once s is its content.
func updated(s Session, now time.Time) time.Time {
	if s.Modified.IsZero() {
		return now
	}
	return s.Modified
}

// retire drops the contents beyond what the owner and the group keep of a file of
// that name, and all but the newest live photo.
func (e *Engine) retire(ctx context.Context, tx Tx, s Session, name string) error {
	if s.Fresh {
		return nil // a new file has this one content
	}
	owner, err := tx.User(ctx, s.Owner)
	if err != nil {
		return err
	}
	group, err := tx.Group(ctx, owner.Group)
	if err != nil {
		return err
	}
	keep := group.KeepsOf(owner, name)
	if s.Kind == catalog.LivePhoto {
		keep = 1
	}
	versions, err := tx.VersionsOf(ctx, s.Node)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v.Kind != s.Kind {
			continue
		}
		if keep--; keep >= 0 {
			continue
		}
		if err := tx.DropVersion(ctx, v.ID, e.Clock()); err != nil {
			return err
		}
	}
	return nil
}

func merged(into, from map[string]string) map[string]string {
	if len(from) == 0 {
		return into
	}
	out := make(map[string]string, len(into)+len(from))
	for k, v := range into {
		out[k] = v
	}
	for k, v := range from {
		out[k] = v
	}
	return out
}
