package catalog

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Choose returns the version of the file at ref that is to be read: want, or
// the current one when want is nil. NotFound/version_missing for a folder or
// for a version of another file; through a share strangers read the current one
// only. A file without content has version 0.
func (c *Catalog) Choose(ctx context.Context, who core.Actor, ref Ref, want *core.VersionID) (Node, core.VersionID, error) {
	const op = "catalog.Choose"
	n, err := c.Find(ctx, who, ref)
	if err != nil {
		return Node{}, 0, errs.Wrap(op, err)
	}
	missing := errs.Newf(errs.NotFound, errs.VersionMissing, "Entity not exist").At(op)
	switch {
	case n.Kind != File:
		return Node{}, 0, missing
	case want == nil || *want == n.Version:
		return n, n.Version, nil
	}
	v, err := c.store.Version(ctx, *want)
	if err != nil {
		return Node{}, 0, errs.Wrap(op, err)
	}
	if v.Node != n.ID || ref.Share != nil && n.Owner != who.User {
		return Node{}, 0, missing
	}
	return n, v.ID, nil
}

// Body is a version opened for reading. It is a plain io.ReadSeeker over the
// plaintext; where the bytes lie on disk as they are, Seeker is the *os.File
// itself, so that the kernel can send it.
type Body struct {
	Version Version
	io.ReadSeekCloser
}

// OpenVersion opens the bytes of a version; whether the caller may read them
// was decided before (a signed address, or Choose). Version 0 has no bytes.
func (c *Catalog) OpenVersion(ctx context.Context, id core.VersionID) (Body, error) {
	const op = "catalog.OpenVersion"
	if id == 0 {
		return Body{ReadSeekCloser: &stream{}}, nil
	}
	v, err := c.store.Version(ctx, id)
	if err != nil {
		return Body{}, errs.Wrap(op, err)
	}
	if v.Damage != "" {
		return Body{}, errs.Newf(errs.Internal, errs.RecoverNeeded, "version %d is damaged: %s", v.ID, v.Damage).At(op)
	}
	p, err := c.store.Policy(ctx, v.Policy)
	if err != nil {
		return Body{}, errs.Wrap(op, err)
	}
	b, err := c.buckets.Bucket(ctx, p)
	if err != nil {
		return Body{}, errs.Wrap(op, err)
	}
	_, packed := blob.ParsePacked(v.Blob)
	if v.Cipher == nil && !packed && b.Can().Files {
		f, err := b.OpenFile(ctx, v.Blob)
		if err != nil {
			return Body{}, errs.Wrap(op, err)
		}
		if err := sameSize(f, v.Size); err != nil {
			_ = f.Close() // read only: nothing can be lost
			return Body{}, errs.Wrap(op, err)
		}
		return Body{Version: v, ReadSeekCloser: f}, nil
	}
	cipher, err := c.cipherOf(v)
	if err != nil {
		return Body{}, errs.Wrap(op, err)
	}
	open := func(r core.Range) (io.ReadCloser, error) { return b.Open(ctx, v.Blob, r, cipher) }
	return Body{Version: v, ReadSeekCloser: &stream{size: v.Size, open: open}}, nil
}

func (c *Catalog) cipherOf(v Version) (*blob.Cipher, error) {
	if v.Cipher == nil {
		return nil, nil
	}
	return v.Cipher.Open(c.keyring)
}

func sameSize(f io.Seeker, want int64) error {
	got, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return errs.As("catalog.sameSize", errs.Transient, errs.IOFailed, err)
	}
	if got != want {
		return errs.Newf(errs.Internal, errs.RecoverNeeded, "The stored bytes are %d, the catalog says %d.", got, want)
	}
	return nil
}

// stream reads a bucket from wherever it was last sought to.
type stream struct {
	size, at int64
	open     func(core.Range) (io.ReadCloser, error)
	cur      io.ReadCloser
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	if s.at >= s.size {
		return 0, io.EOF
	}
	if s.cur == nil {
		cur, err := s.open(core.Range{From: s.at, To: s.size})
		if err != nil {
			return 0, err
		}
		s.cur = cur
	}
	n, err := s.cur.Read(p)
	s.at += int64(n)
	if errors.Is(err, io.EOF) && s.at < s.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek implements io.Seeker.
func (s *stream) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.size
	}
	if offset < 0 {
		return 0, errors.New("catalog: seek before the start")
	}
	if offset != s.at {
		if err := s.Close(); err != nil {
			return 0, err
		}
		s.at = offset
	}
	return offset, nil
}

// Close lets go of what is open; the stream can be sought and read again.
func (s *stream) Close() error {
	if s.cur == nil {
		return nil
	}
	err := s.cur.Close()
	s.cur = nil
	return err
}

// Reap unlinks blobs of a policy that were doomed before that time, up to limit, and
// returns how many are gone. What cannot be unlinked stays for the next time.
func (c *Catalog) Reap(ctx context.Context, id core.PolicyID, before time.Time, limit int) (int, error) {
	const op = "catalog.Reap"
	doomed, err := c.store.DoomedOf(ctx, id, before, limit)
	if err != nil || len(doomed) == 0 {
		return 0, errs.Wrap(op, err)
	}
	gone, err := c.unlink(ctx, id, doomed)
	if err == nil {
		err = c.store.Forget(ctx, gone)
	}
	return len(gone), errs.Wrap(op, err)
}

func (c *Catalog) unlink(ctx context.Context, id core.PolicyID, blobs []DoomedBlob) ([]DoomedBlob, error) {
	p, err := c.store.Policy(ctx, id)
	if err != nil {
		return nil, err
	}
	b, err := c.buckets.Bucket(ctx, p)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(blobs))
	for i, d := range blobs {
		keys[i] = d.Blob
	}
	failed, err := b.Delete(ctx, keys)
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, f := range failed {
		kept[f.Key] = true
	}
	var gone []DoomedBlob
	for _, d := range blobs {
		if !kept[d.Blob] {
			gone = append(gone, d)
		}
	}
	return gone, nil
}
