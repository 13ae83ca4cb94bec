package upload

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// MaxWhole is the size of the largest file that PutMany takes, in bytes.
const MaxWhole = smallFile

// Whole is a small file with all its bytes.
type Whole struct {
	Request
	Body []byte
	// Want is what the sender says the bytes come to. With a CRC among it the file
	// may be there already: see Outcome.Same.
	Want []blob.Digest
}

// Outcome is what became of one file.
type Outcome struct {
	Node catalog.Node
	// Same: the file was there with these very bytes, and nothing was stored. Who
	// sends a file again because the answer was lost gets this.
	Same bool
	Err  error
}

// PutMany stores files of which each is complete, and answers for each. A file
// that is refused keeps none of the others from being stored. All share one flush
// of their bytes and one transaction, so it is as fast as the group is large, and
// the group should be no larger than others can wait for (some 100 files). When
// it returns, every file without an error is as durable as its policy promises.
//
// There are no sessions: bytes get their place first, then rows make them files.
// A crash between the two leaves bytes that nothing names, for the audit.
func (e *Engine) PutMany(ctx context.Context, who core.Actor, files []Whole) []Outcome {
	const op = "upload.PutMany"
	g := &group{e: e, who: who, parcels: make([]parcel, len(files)), out: make([]Outcome, len(files))}
	err := g.admit(ctx, files)
	if err == nil {
		g.store(ctx)
		after, cancel := e.detached(ctx)
		err = g.publish(after)
		g.clear(after)
		cancel()
	}
	for i := range g.parcels {
		p, out := &g.parcels[i], &g.out[i]
		switch {
		case out.Err != nil:
		case err != nil:
			*out = Outcome{Err: err}
		case p.alone:
			out.Node, out.Err = e.Put(ctx, who, p.Request, bytes.NewReader(p.Body), p.Want)
		}
		out.Err = errs.Wrap(op, out.Err)
	}
	return g.out
}

// group is one call of PutMany on its way.
type group struct {
	e     *Engine
	who   core.Actor
	owner core.UserID
	home  catalog.Home

	bucket  *blob.Bucket
	parcels []parcel
	out     []Outcome
	// unsure: a commit failed, and nobody knows whether the rows are there.
	unsure bool
}

// parcel is one file on its way.
type parcel struct {
	Whole
	ids     []core.NodeID
	version core.VersionID
	cipher  *blob.Cipher
	sealed  *catalog.Encryption
	key     string // where its bytes are; "" before that
	got     blob.Receipt
	kept    bool // a row names the bytes
	alone   bool // an upload holds its name: it goes through one of its own
}

// admit refuses what needs no transaction to be refused, and mints ids for the
// others.
func (g *group) admit(ctx context.Context, files []Whole) error {
	var err error
	if g.owner, err = catalog.OwnerOf(g.who, catalog.Ref{}); err != nil {
		return err
	}
	if g.home, err = catalog.HomeIn(ctx, g.e.Store, g.owner); err != nil {
		return err
	}
	if g.bucket, err = g.e.Buckets.Bucket(ctx, g.home.Policy); err != nil {
		return err
	}
	for i := range files {
		p := &g.parcels[i]
		p.Whole = files[i]
		if g.out[i].Err = g.check(p); g.out[i].Err != nil {
			continue
		}
		if p.ids, err = catalog.MintNodes(ctx, g.e.Store, len(p.Ref.Path.Names())); err != nil {
			return err
		}
		id, err := g.e.Store.MintID(ctx)
		if err != nil {
			return err
		}
		p.version = core.VersionID(id)
	}
	return nil
}

func (g *group) check(p *parcel) error {
	switch {
	case p.Size > MaxWhole:
		return errs.Newf(errs.TooLarge, errs.FileTooLarge, "Files up to %d bytes can be sent this way; use an upload session.", MaxWhole)
	case p.Size != int64(len(p.Body)):
		return errs.New(errs.Invalid, errs.ChunkLength)
	case p.Purpose != NewFile && p.Purpose != NewVersion:
		return errs.New(errs.Invalid, errs.BadParam)
	}
	if _, err := g.e.admit(g.who, p.Request); err != nil {
		return err
	}
	if p.Ref.Path.IsRoot() {
		return errs.Newf(errs.Exists, errs.NameTaken, "Object existed")
	}
	if err := g.home.Policy.CheckFileName(p.Ref.Path.Name()); err != nil {
		return err
	}
	return g.home.Policy.CheckSize(p.Size)
}

// store gives the bytes of all files that were admitted their place.
func (g *group) store(ctx context.Context) {
	var packed []int
	var ws []blob.Write
	for i := range g.parcels {
		p := &g.parcels[i]
		if g.out[i].Err != nil {
			continue
		}
		if g.home.Policy.Encrypt {
			p.cipher = blob.NewCipher()
			p.sealed = &catalog.Encryption{
				Algorithm: blob.CipherName, SealedKey: g.e.Keyring.Seal(p.cipher.Key), IV: p.cipher.IV[:],
			}
		}
		w := blob.Write{Range: core.Range{To: p.Size}, Body: bytes.NewReader(p.Body), Cipher: p.cipher, Want: p.Want}
		if g.bucket.Can().Packs && p.Size > 0 {
			packed, ws = append(packed, i), append(ws, w)
			continue
		}
		key := blobKey(core.SessionID(core.NewUUID()))
		if p.got, g.out[i].Err = g.bucket.PutWhole(ctx, key, w); g.out[i].Err == nil {
			p.key = key
		}
	}
	if len(ws) == 0 {
		return
	}
	got, err := g.bucket.Pack(ctx, ws)
	if err != nil {
		for _, i := range packed {
			g.out[i].Err = err
		}
		return
	}
	for j, i := range packed {
		g.parcels[i].key, g.parcels[i].got, g.out[i].Err = got[j].Key, got[j].Receipt, got[j].Err
	}
}

// errAgain gives up a transaction that lost a race, to be run again.
var errAgain = errors.New("something came between two steps")

// publish makes files of the bytes that were stored.
func (g *group) publish(ctx context.Context) error {
	const tries = 8
	before := append([]Outcome(nil), g.out...)
	for try := 1; ; try++ {
		var inside error
		err := g.e.Store.InTx(ctx, func(tx Tx) error {
			copy(g.out, before)
			inside = g.publishIn(ctx, tx)
			return inside
		})
		if err == nil {
			return nil
		}
		copy(g.out, before)
		for i := range g.parcels {
			g.parcels[i].kept, g.parcels[i].alone = false, false
		}
		g.unsure = inside == nil
		if !errors.Is(err, errAgain) {
			return err
		}
		if try == tries {
			return errs.New(errs.Transient, errs.StoreFailed).Because(err)
		}
	}
}

// publishIn takes the room for all files at once; where it does not suffice for
// all of them, for one after the other, so that those that fit are stored.
func (g *group) publishIn(ctx context.Context, tx Tx) error {
	home, err := catalog.HomeIn(ctx, tx, g.owner)
	if err != nil {
		return errs.As("upload.PutMany", errs.Internal, errs.StoreFailed, err)
	}
	var reserved, used int64
	for i := range g.parcels {
		if g.out[i].Err == nil {
			reserved += g.parcels[i].Size
		}
	}
	err = tx.Reserve(ctx, g.owner, reserved)
	each := errs.Has(err, errs.QuotaFull)
	if err != nil && !each {
		return err
	}
	if each {
		reserved = 0
	}
	for i := range g.parcels {
		p, out := &g.parcels[i], &g.out[i]
		p.kept, p.alone = false, false
		if out.Err != nil {
			continue
		}
		at, err := g.place(ctx, tx, home.Policy, p, out)
		if err == nil && !out.Same && !p.alone && each {
			if err = tx.Reserve(ctx, g.owner, p.Size); err == nil {
				reserved += p.Size
			}
		}
		if refused(err) {
			out.Err = err
			continue
		}
		if err == nil && !out.Same && !p.alone {
			out.Node, err = g.add(ctx, tx, at, p)
			used += p.Size
			p.kept = true
		}
		if err != nil {
			return err
		}
	}
	if err := tx.Settle(ctx, g.owner, used); err != nil {
		return err
	}
	return tx.Release(ctx, g.owner, reserved-used)
}

// refused reports whether err is about one file and not about the database.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Forbidden, errs.NotFound, errs.Exists, errs.Conflict, errs.TooLarge, errs.NoSpace:
		return err != nil
	}
	return false
}

// place makes the checks of a creation, in their order, and changes nothing.
func (g *group) place(ctx context.Context, tx Tx, policy catalog.Policy, p *parcel, out *Outcome) (catalog.Place, error) {
	at, err := catalog.Locate(ctx, tx, g.owner, p.Ref.Path)
	if err != nil {
		return at, err
	}
	if at.Found() && at.Last().Kind == catalog.File {
		if out.Same, err = g.same(ctx, tx, at.Last(), p); out.Same || err != nil {
			out.Node = at.Last()
			return at, err
		}
		if p.alone = at.Last().Session != ""; p.alone {
			return at, nil
		}
	}
	d := draft{e: g.e, q: p.Request, owner: g.owner}
	if err := d.checkTarget(ctx, tx, at); err != nil {
		return at, err
	}
	if err := d.checkFile(policy, at); err != nil {
		return at, err
	}
	if up := at.Last(); !at.Found() && up.Kind != catalog.Folder {
		return at, errs.Newf(errs.Forbidden, errs.ParentIsFile, "%q is a file, not a folder.", up.Name)
	}
	return at, d.checkPrevious(at)
}

// same reports whether the file has these very bytes already, and they are
// well.
func (g *group) same(ctx context.Context, tx Tx, n catalog.Node, p *parcel) (bool, error) {
	if n.Version == 0 || n.Size != p.Size || !p.claimsCRC() {
		return false, nil
	}
	v, err := tx.Version(ctx, n.Version)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil && v.Owner == g.owner && v.Size == p.Size && v.CRC64 == p.got.CRC64 && v.Damage == "", err
}

func (p *parcel) claimsCRC() bool {
	for _, d := range p.Want {
		if d.Algorithm == blob.CRC64NVME {
			return true
		}
	}
	return false
}

// add makes the file, or the version of it. Nothing of it can be refused any
// more: what fails has lost a race.
func (g *group) add(ctx context.Context, tx Tx, at catalog.Place, p *parcel) (n catalog.Node, err error) {
	now := g.e.Clock()
	s := Session{
		Owner: g.owner, Version: p.version, Policy: g.home.Policy.ID, Size: p.Size, Blob: p.key, Cipher: p.sealed,
		Kind: catalog.Content, Modified: p.Modified, Fresh: !at.Found(),
	}
	if s.Fresh {
		n, err = g.insert(ctx, tx, at, p, updated(s, now))
	} else {
		n = at.Last()
		was := n.Rev
		n.Version, n.Size, n.Updated = p.version, p.Size, updated(s, now)
		err = tx.UpdateNode(ctx, n, was)
		n.Rev = was + 1
	}
	if errs.Has(err, errs.NameTaken) || errs.Has(err, errs.Changed) || errs.Has(err, errs.PathMissing) {
		return n, errors.Join(errAgain, err)
	}
	if err != nil {
		return n, err
	}
	s.Node = n.ID
	if err := tx.AddVersion(ctx, version(s, blob.Sum{CRC64: p.got.CRC64, SHA256: p.got.SHA256}, now)); err != nil {
		return n, err
	}
	return n, g.e.retire(ctx, tx, s, n.Name)
}

func (g *group) insert(ctx context.Context, tx Tx, at catalog.Place, p *parcel, changed time.Time) (catalog.Node, error) {
	last := len(at.Missing) - 1
	name := at.Missing[last]
	at.Missing = at.Missing[:last]
	up, err := g.e.Catalog.Grow(ctx, tx, at, catalog.Leaf{Kind: catalog.Folder, IDs: p.ids})
	if err != nil {
		return up, err
	}
	n := catalog.Node{
		ID: p.ids[last], Owner: g.owner, Parent: up.ID, Name: name, Key: catalog.NameKey(name), Kind: catalog.File,
		Version: p.version, Size: p.Size, Created: g.e.Clock(), Updated: changed, Rev: 1,
	}
	return n, tx.InsertNode(ctx, n)
}

// clear removes bytes that no row names. What stays, the audit finds.
func (g *group) clear(ctx context.Context) {
	if g.unsure {
		return
	}
	var keys []string
	for i := range g.parcels {
		if p := &g.parcels[i]; p.key != "" && !p.kept {
			keys = append(keys, p.key)
		}
	}
	if len(keys) > 0 {
		_, _ = g.bucket.Delete(ctx, keys)
	}
}
