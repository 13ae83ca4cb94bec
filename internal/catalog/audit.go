package catalog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Trouble is what an audit finds wrong, as a short stable word.
type Trouble string

// The troubles.
const (
	BlobMissing    Trouble = "blob_missing"    // a version without its bytes
	BlobSize       Trouble = "blob_size"       // stored bytes are more or fewer than the version has
	BlobDamaged    Trouble = "blob_damaged"    // stored bytes are others than those that were received
	BlobUnreadable Trouble = "blob_unreadable" // the storage does not give the bytes, or the key does not open
	BlobHealed     Trouble = "blob_healed"     // marked damaged, and sound
	BlobStray      Trouble = "blob_stray"      // stored bytes that belong to nothing
	LedgerDrift    Trouble = "ledger_drift"    // an account of bytes is not what its files add up to
	DoomedBacklog  Trouble = "doomed_backlog"  // deleted bytes still take room
	SessionStuck   Trouble = "session_stuck"   // an upload has all its bytes and is not completed
	StagedMissing  Trouble = "staged_missing"  // an open upload without the bytes it received
	StagedStray    Trouble = "staged_stray"    // bytes of an upload that does not exist any more
	StorageSilent  Trouble = "storage_silent"  // the storage of a policy does not answer, or refuses us
	Database       Trouble = "database"        // the database contradicts itself
)

// Finding is one thing that an audit found.
type Finding struct {
	Trouble Trouble        `json:"finding"`
	Message string         `json:"message"`
	Policy  string         `json:"policy,omitempty"`
	Blob    string         `json:"blob,omitempty"`
	User    core.UserID    `json:"user,omitempty"`
	Path    string         `json:"path,omitempty"`
	Version core.VersionID `json:"version,omitempty"`
	Session core.SessionID `json:"session,omitempty"`
	Fixed   string         `json:"fixed,omitempty"` // what was done about it; "" if nothing
}

// Silence is the error of the storage of a policy that an audit could not ask. The
// storages of others can be.
type Silence struct {
	Policy Policy
	Err    error
}

func (s *Silence) Error() string { return s.Err.Error() }

// Unwrap returns why.
func (s *Silence) Unwrap() error { return s.Err }

// Silent makes err of the storage of p a Silence, unless it is the audit that ends.
func Silent(p Policy, err error) error {
	if err == nil || errs.Is(err, errs.Canceled) {
		return err
	}
	return &Silence{p, err}
}

// Told reports a Silence once for each policy, and returns every other error.
func (in Inspection) Told(err error) error {
	s, ok := errors.AsType[*Silence](err)
	if !ok {
		return err
	}
	if in.Silent == nil || !in.Silent[s.Policy.ID] {
		in.Found(s.finding())
	}
	if in.Silent != nil {
		in.Silent[s.Policy.ID] = true
	}
	return nil
}

func (s *Silence) finding() Finding {
	return Finding{
		Trouble: StorageSilent, Policy: s.Policy.Name, Message: fmt.Sprintf(
			"the storage of policy %q cannot be looked at, nor what is in it: %v. See wharf policy test %q", s.Policy.Name, s.Err, s.Policy.Name),
	}
}

// Settling is how long things may be on their way: no audit reports what is
// younger.
const Settling = 15 * time.Minute

// doomedLong is how long deleted bytes may wait for a server that runs.
const doomedLong = time.Hour

// auditBatch bounds what an audit holds in memory at once.
const auditBatch = 1000

// Inspection says how far an audit goes. Without Fix it changes nothing.
type Inspection struct {
	Read    func(core.VersionID) bool                            // whose bytes are read and compared; nil: nobody's
	Claimed func(ctx context.Context, blob string) (bool, error) // whether an unfinished upload owns the blob
	Fix     bool                                                 // set strays aside, book ledgers anew, mark damage
	Found   func(Finding)
	Silent  map[core.PolicyID]bool // whose storage does not answer: it is not asked again
}

// Inspected counts what an audit looked at.
type Inspected struct {
	Versions int64 `json:"versions"`
	Blobs    int64 `json:"blobs"`
	Packs    int64 `json:"packs"`
	Read     int64 `json:"bytes_read"`
}

// Inspect compares rows with bytes and bytes with rows, and ledgers with what
// they should be. It may run beside a server: what is on its way is no finding.
func (c *Catalog) Inspect(ctx context.Context, in Inspection) (Inspected, error) {
	const op = "catalog.Inspect"
	var did Inspected
	if err := c.inspectVersions(ctx, in, &did); err != nil {
		return did, errs.Wrap(op, err)
	}
	if err := c.inspectBlobs(ctx, in, &did); err != nil {
		return did, errs.Wrap(op, err)
	}
	if err := c.inspectLedgers(ctx, in); err != nil {
		return did, errs.Wrap(op, err)
	}
	return did, errs.Wrap(op, c.inspectDoomed(ctx, in))
}

func (c *Catalog) inspectVersions(ctx context.Context, in Inspection, did *Inspected) error {
	for after := core.VersionID(0); ; {
		page, err := c.store.VersionsAfter(ctx, after, auditBatch)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			after = v.ID
			did.Versions++
			if in.Silent[v.Policy] {
				continue
			}
			read := in.Read != nil && in.Read(v.ID)
			if read {
				did.Read += v.Size
			}
			found, err := c.Examine(ctx, v, Examination{Read: read, Mark: in.Fix})
			if err = in.Told(err); err != nil {
				return err
			}
			if found != nil {
				in.Found(*found)
			}
		}
	}
}

// Pace is told of every piece that is read, and waits as it likes.
type Pace func(ctx context.Context, n int) error

// Examination says how a version is looked at.
type Examination struct {
	Read bool // its bytes too
	Pace Pace // of reading; nil: as fast as it goes
	Mark bool // write the outcome to the version
}

// Examine looks whether the bytes of a version are there and, if they are to be
// read, whether they are what was received. nil when all is well, and for a
// version that is gone meanwhile.
func (c *Catalog) Examine(ctx context.Context, v Version, x Examination) (*Finding, error) {
	const op = "catalog.Examine"
	trouble, what, err := c.look(ctx, v, x)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	switch {
	case trouble == "" && v.Damage == "":
		return nil, nil
	case trouble == "" && x.Read:
		trouble, what = BlobHealed, "was marked damaged and is sound"
	case trouble == "":
		trouble, what = BlobDamaged, v.Damage
	}
	now, err := c.store.Version(ctx, v.ID)
	if errs.Is(err, errs.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	f := Finding{Trouble: trouble, Blob: v.Blob, User: v.Owner, Version: v.ID}
	f.Path, f.Policy = c.whereabouts(ctx, v)
	f.Message = fmt.Sprintf("%s of user %d: %s", f.Path, v.Owner, what)
	if !x.Mark || trouble == BlobUnreadable { // which may be the machine and not the bytes
		return &f, nil
	}
	if trouble == BlobHealed {
		what, f.Fixed = "", "is served again"
	}
	if what != now.Damage {
		err = c.store.SetDamage(ctx, v.ID, what)
	}
	return &f, errs.Wrap(op, err)
}

func (c *Catalog) look(ctx context.Context, v Version, x Examination) (Trouble, string, error) {
	if v.Blob == "" && v.Size == 0 {
		return "", "", nil
	}
	p, err := c.store.Policy(ctx, v.Policy)
	if err != nil {
		return "", "", err
	}
	b, err := c.buckets.Bucket(ctx, p)
	if err != nil {
		return "", "", Silent(p, err)
	}
	info, err := b.Stat(ctx, v.Blob)
	switch {
	case errs.Is(err, errs.NotFound):
		return BlobMissing, "its bytes are not in the storage", nil
	case err != nil:
		return "", "", Silent(p, err)
	case info.Size != v.Size:
		return BlobSize, fmt.Sprintf("%d bytes are stored, %d were received", info.Size, v.Size), nil
	case !x.Read:
		return "", "", nil
	}
	return c.compare(ctx, v, b, x.Pace)
}

// compare reads the bytes and proves them by the digests of their receipt.
func (c *Catalog) compare(ctx context.Context, v Version, b *blob.Bucket, pace Pace) (Trouble, string, error) {
	cipher, err := c.cipherOf(v)
	if err != nil {
		return BlobUnreadable, "the key of the file cannot be opened with this master key", nil //nolint:nilerr // it is the finding
	}
	all := core.Range{To: v.Size}
	body, err := b.Open(ctx, v.Blob, all, cipher)
	if err == nil {
		var got blob.Receipt
		got, err = blob.Measure(blob.Write{Range: all, Body: &paced{ctx: ctx, body: body, pace: pace}}, v.SHA256 != nil) //nolint:contextcheck // the body ends with ctx
		err = errors.Join(err, body.Close())
		if err == nil {
			return differs(v, got)
		}
	}
	switch errs.KindOf(err) {
	case errs.Canceled, errs.Transient:
		return "", "", err
	}
	return BlobUnreadable, "the storage does not give its bytes: " + err.Error(), nil
}

func differs(v Version, got blob.Receipt) (Trouble, string, error) {
	switch {
	case got.CRC64 != v.CRC64:
		return BlobDamaged, fmt.Sprintf("stored bytes have CRC-64 %016x, those received had %016x", got.CRC64, v.CRC64), nil
	case v.SHA256 != nil && string(got.SHA256) != string(v.SHA256):
		return BlobDamaged, fmt.Sprintf("stored bytes have SHA-256 %x, those received had %x", got.SHA256, v.SHA256), nil
	}
	return "", "", nil
}

// whereabouts names the file of a version and its policy, as well as it can.
func (c *Catalog) whereabouts(ctx context.Context, v Version) (path, policy string) {
	path = fmt.Sprintf("file %d", v.Node)
	if n, err := c.store.Node(ctx, v.Node); err == nil {
		if p, hidden, err := pathOf(ctx, c.store, n); err == nil {
			path = p.String()
			if hidden {
				path += " in the trash"
			}
		}
	}
	if p, err := c.store.Policy(ctx, v.Policy); err == nil {
		policy = p.Name
	}
	return path, policy
}
