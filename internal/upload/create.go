package upload

import (
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Purpose is what the bytes will be, in the words of the wire.
type Purpose string

// The purposes.
const (
	NewFile    Purpose = ""           // the name must be free
	NewVersion Purpose = "version"    // of the file there, or a new file
	Companion  Purpose = "live_photo" // a clip that belongs to the file there
)

// UnknownVersion in Request.Previous is an id that did not decode.
const UnknownVersion core.VersionID = -1

// Request asks for an upload.
type Request struct {
	Ref      catalog.Ref
	URI      string // to be answered, as the client knows the file
	Size     int64
	Modified time.Time // zero: time of completion
	MIME     string
	Meta     map[string]string
	Purpose  Purpose
	Ciphers  []string        // what the client can encrypt with, best first
	Previous *core.VersionID // the version the client believes current; nil: it does not say
	InOne    bool            // one chunk, whatever the policy says
	Relay    bool            // the client wants its bytes to pass through us
	Paged    bool            // it asks for addresses as it needs them
}

// Ticket is a session that was created.
type Ticket struct {
	Session Session
	Policy  catalog.Policy
	Secret  core.Secret  // for callbacks; kept only as a digest
	Cipher  *blob.Cipher // the client must encrypt with it; nil otherwise
	Signed  blob.Signed  // where the client sends its bytes by itself; empty otherwise
}

// Create opens an upload: the name, the room in the quota and the room on the
// disk are the caller's from here until it is completed, aborted or expired.
// The checks come in the order of the contract (upload.md 2.1).
func (e *Engine) Create(ctx context.Context, who core.Actor, q Request) (Ticket, error) {
	const op = "upload.Create"
	owner, err := e.admit(who, q)
	if err != nil {
		return Ticket{}, errs.Wrap(op, err)
	}
	d := draft{e: e, q: q, owner: owner, now: e.Clock()}
	if d.ids, err = catalog.MintNodes(ctx, e.Store, len(q.Ref.Path.Names())); err != nil {
		return Ticket{}, errs.Wrap(op, err)
	}
	version, err := e.Store.MintID(ctx)
	if err != nil {
		return Ticket{}, errs.Wrap(op, err)
	}
	d.version = core.VersionID(version)
	if err := e.Store.InTx(ctx, func(tx Tx) error { return d.run(ctx, tx) }); err != nil {
		return Ticket{}, errs.Wrap(op, err)
	}
	if d.evicted != nil {
		e.discard(ctx, *d.evicted)
	}
	if err := d.place(ctx); err != nil {
		e.undo(ctx, d.s)
		return Ticket{}, errs.Wrap(op, err)
	}
	e.remember(ctx, d)
	t := Ticket{Session: d.s, Policy: d.told(), Secret: d.secret, Signed: d.signed}
	if d.s.Sealed {
		t.Cipher = d.cipher
	}
	return t, nil
}

// admit makes the checks that need no database.
func (e *Engine) admit(who core.Actor, q Request) (core.UserID, error) {
	if q.Size < 0 || q.Size > blob.MaxSize {
		return 0, errs.Newf(errs.Invalid, errs.BadParam, "Size too short")
	}
	if err := catalog.CheckMeta(q.Meta); err != nil {
		return 0, err
	}
	return catalog.OwnerOf(who, q.Ref)
}

func (e *Engine) begin(ctx context.Context, s Session) error {
	if s.small() {
		return nil
	}
	b, err := e.bucket(ctx, s.Policy)
	if err != nil {
		return err
	}
	_, err = b.Begin(ctx, s.Blob, s.Size)
	return err
}

// remember keeps a small session for its chunk. What cannot be kept is read then.
func (e *Engine) remember(ctx context.Context, d draft) {
	if !d.s.small() || d.s.Size == 0 || d.q.InOne {
		return
	}
	b, err := e.Buckets.Bucket(ctx, d.policy)
	if err == nil && b.Can().Packs {
		s := d.s
		s.Locked = true
		e.young.put(fledgling{Session: s, bucket: b}, d.now)
	}
}

// undo takes back a session whose bytes found no place. What it cannot take
// back now, the next sweep does.
func (e *Engine) undo(ctx context.Context, s Session) {
	ctx, cancel := e.detached(ctx)
	defer cancel()
	if e.end(ctx, s, Aborted) != nil {
		e.undone.Store(s.ID, s)
	}
}

// draft is one creation on its way through its transaction. run may be called
// more than once.
type draft struct {
	e       *Engine
	q       Request
	owner   core.UserID
	now     time.Time
	ids     []core.NodeID
	version core.VersionID

	policy  catalog.Policy
	direct  bool // the bytes go past us
	signed  blob.Signed
	cipher  *blob.Cipher
	secret  core.Secret
	s       Session
	evicted *Session
}

func (d *draft) run(ctx context.Context, tx Tx) error {
	d.evicted = nil
	at, err := catalog.Locate(ctx, tx, d.owner, d.q.Ref.Path)
	if err != nil {
		return err
	}
	if at, err = d.giveWay(ctx, tx, at); err != nil {
		return err
	}
	if err := d.checkTarget(ctx, tx, at); err != nil {
		return err
	}
	home, err := catalog.HomeIn(ctx, tx, d.owner)
	if err != nil {
		return errs.As("upload.Create", errs.Internal, errs.StoreFailed, err)
	}
	if err := d.checkFile(home.Policy, at); err != nil {
		return err
	}
	if err := d.checkRoom(ctx, tx, home); err != nil {
		return err
	}
	if err := d.checkPrevious(at); err != nil {
		return err
	}
	d.policy = home.Policy
	d.fill()
	return d.insert(ctx, tx, at)
}

// giveWay ends an unfinished upload of this very name that nobody is sending
// any more or that its owner has unlocked, so that it is not in the way.
func (d *draft) giveWay(ctx context.Context, tx Tx, at catalog.Place) (catalog.Place, error) {
	if !at.Found() || at.Last().Session == "" {
		return at, nil
	}
	old, err := tx.Session(ctx, at.Last().Session)
	if err != nil && !errs.Is(err, errs.NotFound) {
		return at, err
	}
	// Of a direct upload we do not see that it goes on.
	idle := !old.Direct() && d.now.Sub(old.Touched) >= d.e.Idle && !d.e.gate.busy(old.ID)
	if err == nil && (old.State != Open || old.Locked && !idle) {
		return at, nil
	}
	if err == nil {
		if err := d.e.endIn(ctx, tx, old, Aborted, Evicted); err != nil {
			return at, err
		}
		d.evicted = &old
	}
	return catalog.Locate(ctx, tx, d.owner, d.q.Ref.Path)
}

// checkTarget makes the checks 9 to 12 of the contract.
func (d *draft) checkTarget(ctx context.Context, tx Tx, at catalog.Place) error {
	if !at.Found() {
		if d.q.Purpose == Companion {
			return errs.Newf(errs.NotFound, errs.PathMissing, "Path not exist")
		}
		return nil
	}
	n := at.Last()
	if n.Kind == catalog.Folder || d.q.Purpose == NewFile {
		return errs.Newf(errs.Exists, errs.NameTaken, "Object existed")
	}
	locks, err := tx.LocksUnder(ctx, d.owner, n.ID)
	if err != nil || len(locks) == 0 {
		return err
	}
	held, err := catalog.HeldBy(ctx, tx, locks)
	if err != nil {
		return err
	}
	return errs.Newf(errs.Conflict, errs.Locked, "Lock conflict").With(held)
}

func (d *draft) checkFile(p catalog.Policy, at catalog.Place) error {
	name := d.q.Ref.Path.Name()
	if !at.Found() {
		for _, n := range at.Missing {
			if err := catalog.CheckName(n); err != nil {
				return err
			}
		}
	}
	if err := p.CheckFileName(name); err != nil {
		return err
	}
	return p.CheckSize(d.q.Size)
}

func (d *draft) checkRoom(ctx context.Context, tx Tx, home catalog.Home) error {
	if ok, err := tx.Admit(ctx, d.owner, d.q.Size, home.Group.MaxSessions); ok || err != nil {
		return err
	}
	open, err := tx.CountOpen(ctx, d.owner)
	if err != nil {
		return err
	}
	if open >= home.Group.MaxSessions {
		return errs.Newf(errs.Forbidden, errs.TooManySessions, "You have %d unfinished uploads. Finish or discard some of them first.", open)
	}
	return tx.Reserve(ctx, d.owner, d.q.Size)
}

func (d *draft) checkPrevious(at catalog.Place) error {
	switch {
	case !at.Found() || d.q.Previous == nil:
		return nil
	case *d.q.Previous == UnknownVersion:
		return errs.Newf(errs.Invalid, errs.BadParam, "Unknown version ID")
	case *d.q.Previous != at.Last().Version:
		return errs.Newf(errs.Conflict, errs.VersionStale, "File is updated during your edit")
	}
	return nil
}

// fill makes the session's own fields; where they need randomness, only once.
func (d *draft) fill() {
	if d.s.ID != "" {
		return
	}
	d.direct = d.straight()
	chunk := d.chunkSize()
	if d.q.InOne {
		chunk = 0
	}
	id := core.SessionID(core.NewTimedUUID(d.now))
	d.secret = d.e.Secret(id)
	sum := sha256.Sum256([]byte(d.secret.Reveal()))
	s := Session{
		ID: id, Owner: d.owner, Version: d.version,
		Policy: d.policy.ID, PolicyRev: d.policy.Rev, URI: d.q.URI, Size: d.q.Size, ChunkSize: chunk,
		State: Open, Modified: d.q.Modified, MIME: d.q.MIME, Meta: d.q.Meta,
		Lock: core.NewTimedUUID(d.now), Secret: sum[:], Created: d.now, Touched: d.now, Expires: d.now.Add(d.e.LifeFunc()),
	}
	s.Blob = blobKey(s.ID)
	if d.q.Purpose == Companion {
		s.Kind = catalog.LivePhoto
	}
	if d.policy.Encrypt {
		d.cipher = blob.NewCipher()
		s.Cipher = &catalog.Encryption{
			Algorithm: blob.CipherName, SealedKey: d.e.Keyring.Seal(d.cipher.Key), IV: d.cipher.IV[:],
		}
		s.ChunkSize = blob.Align(s.ChunkSize)
		// A relayed body comes in plain and is encrypted here.
		s.Sealed = d.q.sealable() && !d.told().Relay && !d.q.InOne
	}
	d.s = s
}

// blobKey is where the bytes of a session go: nothing of it comes from a user.
// It is the id with its random half first, as keys should begin with what
// spreads them.
func blobKey(id core.SessionID) string {
	hex := slices.DeleteFunc([]byte(id), func(c byte) bool { return c == '-' })
	return string(hex[16:]) + string(hex[:16])
}

// sessionOf undoes blobKey; "" for a key that is none.
func sessionOf(key string) core.SessionID {
	if len(key) != 32 {
		return ""
	}
	return core.SessionID(key[16:24] + "-" + key[24:28] + "-" + key[28:] + "-" + key[:4] + "-" + key[4:16])
}

func (d *draft) insert(ctx context.Context, tx Tx, at catalog.Place) error {
	n := at.Last()
	if d.s.Fresh = !at.Found(); d.s.Fresh {
		var err error
		n, err = d.e.Catalog.Grow(ctx, tx, at, catalog.Leaf{Kind: catalog.File, Session: d.s.ID, IDs: d.ids})
		if err != nil {
			return err
		}
	} else {
		was := n.Rev
		n.Session = d.s.ID
		if err := tx.UpdateNode(ctx, n, was); err != nil {
			return err
		}
	}
	d.s.Node = n.ID
	return tx.AddSession(ctx, d.s)
}
