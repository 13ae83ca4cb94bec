package rest

import (
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func (d *Door) createUploadSession(q *desk.Call) error {
	var in wire.CreateUploadRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.Size < 0 {
		return desk.Bad("Size too short")
	}
	if !in.EntityType.Valid() {
		return desk.Bad("Invalid parameters.")
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	if in.PolicyID != "" {
		if _, err := d.IDs.Decode(core.TagPolicy, in.PolicyID); err != nil {
			return errs.Newf(errs.Invalid, errs.BadID, "unknown policy id").Because(err)
		}
	}
	if err := q.MustBeKnown(); err != nil {
		return err
	}
	t, err := d.Engine.Create(q.Ctx(), q.Actor, upload.Request{
		Ref: at.Ref, URI: at.URI.Raw(), Size: in.Size, Modified: modified(in.LastModified), MIME: in.MimeType,
		Meta: in.Metadata, Purpose: upload.Purpose(in.EntityType), Ciphers: in.EncryptionSupported,
		Previous: d.previous(in.Previous), Relay: in.Relay, Paged: in.Paged,
	})
	if err != nil {
		return err
	}
	return desk.OK(q, wire.UploadTicket{
		SessionID: string(t.Session.ID), UploadID: t.Session.VendorID, UploadURLs: t.Signed.Parts, CompleteURL: t.Signed.Complete, ChunkSize: t.Session.ChunkSize, Expires: t.Session.Expires.Unix(),
		StoragePolicy: d.Policy(t.Policy), URI: t.Session.URI, CallbackSecret: t.Secret.Reveal(),
		MimeType: t.Session.MIME, PieceAlign: t.Session.PieceAlign(), EncryptMetadata: desk.Keys(t.Cipher),
	})
}

// modified reads Unix milliseconds; what is not after 1970 or too far to be
// kept is unknown.
func modified(ms int64) time.Time {
	const far = 253402300799999 // the last millisecond of the year 9999 (RFC 3339 ends there)
	if ms <= 0 || ms > far {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (d *Door) previous(public string) *core.VersionID {
	if public == "" {
		return nil
	}
	id, err := d.VersionID(public)
	if err != nil {
		id = upload.UnknownVersion
	}
	return &id
}

// chunkIndex reads digits and nothing else. A number that no int64 holds is the
// largest one: no file has that chunk either.
func chunkIndex(text string) (int64, error) {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, desk.Bad(desk.NotJSON)
	}
	if digits != text {
		return 0, desk.Bad("Index too short")
	}
	index, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return math.MaxInt64, nil //nolint:nilerr // too many digits: a chunk that no file has
	}
	return index, nil
}

func (d *Door) sendChunk(q *desk.Call) error {
	index, err := chunkIndex(q.R.PathValue("index"))
	if err != nil {
		return err
	}
	if q.BadToken != nil {
		// The reference says 40011 here too, and clients drop the whole upload
		// for a token that only needs a refresh.
		return errs.New(errs.Unauthenticated, errs.TokenExpired).Because(q.BadToken)
	}
	cut, err := pieceOf(q.R)
	if err != nil {
		return err
	}
	want, err := wanted(q.R)
	if err != nil {
		return err
	}
	leave, err := d.room.enter(q.Actor.User)
	if err != nil {
		return err
	}
	defer leave()
	length := announced(q.R)
	_, err = d.Engine.Write(q.Ctx(), q.Actor, upload.Chunk{
		Session: core.SessionID(q.R.PathValue("sessionId")),
		Place:   func(s upload.Session) (core.Range, error) { return placeOf(s, index, cut, length) },
		Body:    q.R.Body, Want: want, Yield: q.Body.Stop,
	})
	if err != nil {
		return err
	}
	return q.Done()
}

// placeOf turns a chunk number, and which piece of the chunk it is, into the
// bytes of the file, and refuses it unless the announced length is exactly
// theirs.
func placeOf(s upload.Session, index int64, cut *piece, length int64) (core.Range, error) {
	r, err := blob.ChunkRange(s.Size, s.ChunkSize, index)
	if err != nil {
		note := "Chunk offset cannot be greater than file size"
		if s.ChunkSize == 0 {
			note = "Chunk index cannot be greater than 0"
		}
		return core.Range{}, errs.Newf(errs.Invalid, errs.ChunkIndex, "%s", note).Because(err)
	}
	if cut != nil {
		if r, err = cut.of(s, r); err != nil {
			return core.Range{}, err
		}
	} else if index == 0 && length == s.Size {
		return core.Range{To: s.Size}, nil // a client that does not cut (clients.md 5.3)
	}
	if length != r.Len() {
		return core.Range{}, errs.Newf(errs.Invalid, errs.ChunkLength, "Invalid Content-Length (expected: %d)", r.Len())
	}
	return r, nil
}

// piece is a part of a chunk, as its sender names it.
type piece struct {
	core.Range
	size int64 // of the whole file; -1: not said
}

// pieceOf reads Content-Range (RFC 9110 §14.4), which in a request means what
// both sides agree on: which bytes of the file the body is. nil without one.
func pieceOf(r *http.Request) (*piece, error) {
	field := r.Header.Get("Content-Range")
	if field == "" {
		return nil, nil //nolint:nilnil // the whole chunk
	}
	malformed := errs.Newf(errs.Invalid, errs.BadParam, "Content-Range is not like: bytes 0-16383/1048576")
	rest, ok := strings.CutPrefix(field, "bytes ")
	span, total, ok2 := strings.Cut(rest, "/")
	first, last, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return nil, malformed
	}
	p := &piece{size: -1}
	for _, n := range []struct {
		text string
		to   *int64
	}{{first, &p.From}, {last, &p.To}, {total, &p.size}} {
		if n.text == "*" && n.to == &p.size {
			continue
		}
		v, err := strconv.ParseUint(n.text, 10, 63)
		if err != nil || v == math.MaxInt64 {
			return nil, malformed
		}
		*n.to = int64(v)
	}
	if p.To++; p.From >= p.To || p.size >= 0 && p.To > p.size {
		return nil, malformed
	}
	return p, nil
}

// of is the piece as bytes of the file, if it is one of that chunk.
func (p *piece) of(s upload.Session, chunk core.Range) (core.Range, error) {
	if p.size >= 0 && p.size != s.Size || p.From < chunk.From || p.To > chunk.To {
		return core.Range{}, errs.Newf(errs.Invalid, errs.ChunkIndex,
			"Content-Range must name bytes of this chunk: %d-%d/%d", chunk.From, max(chunk.From, chunk.To-1), s.Size)
	}
	align := s.PieceAlign()
	begins := p.From == chunk.From || align > 0 && (p.From-chunk.From)%align == 0
	ends := p.To == chunk.To || align > 0 && (p.To-chunk.From)%align == 0
	if !begins || !ends {
		return core.Range{}, errs.Newf(errs.Invalid, errs.ChunkIndex, "A piece of a chunk must begin and end at multiples of piece_align (%d)", align)
	}
	return p.Range, nil
}

// announced is how long the sender says the body is: Content-Length, where that
// cannot be sent X-Expected-Entity-Length, else 0.
func announced(r *http.Request) int64 {
	if r.ContentLength >= 0 {
		return r.ContentLength
	}
	n, err := strconv.ParseInt(r.Header.Get("X-Expected-Entity-Length"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// wanted reads Content-Digest (RFC 9530 §2). Algorithms we do not know are
// passed over, as the RFC says.
func wanted(r *http.Request) ([]blob.Digest, error) {
	return digestsOf(r.Header.Get("Content-Digest"), "Content-Digest")
}

func (d *Door) deleteUploadSession(q *desk.Call) error {
	var in wire.DeleteUploadRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.ID == "" {
		return desk.Bad("ID cannot be empty")
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	if err := d.Engine.Cancel(q.Ctx(), q.Actor, core.SessionID(in.ID), at.Ref); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) listUploads(q *desk.Call) error {
	all, err := d.Engine.Unfinished(q.Ctx(), q.Actor)
	if err != nil {
		return err
	}
	out := wire.UploadList{Uploads: make([]wire.UploadProgress, len(all))}
	for i, p := range all {
		out.Uploads[i] = d.progress(p)
	}
	return desk.OK(q, out)
}

func (d *Door) showUpload(q *desk.Call) error {
	p, err := d.Engine.Progress(q.Ctx(), q.Actor, core.SessionID(q.R.PathValue("sessionId")))
	if err != nil {
		return err
	}
	return desk.OK(q, d.progress(p))
}

func (d *Door) putContent(q *desk.Call) error {
	query := q.R.URL.Query()
	at, err := d.NeedURI(query.Get("uri"))
	if err != nil {
		return err
	}
	if err := q.MustBeKnown(); err != nil {
		return err
	}
	want, err := wanted(q.R)
	if err != nil {
		return err
	}
	size := q.R.ContentLength
	if size < 0 && q.R.Header.Get("X-Expected-Entity-Length") != "" {
		size = announced(q.R)
	}
	if size > d.MaxPut {
		return errs.Newf(errs.TooLarge, errs.FileTooLarge, "Contents up to %d bytes can be sent this way; use an upload session.", d.MaxPut)
	}
	leave, err := d.room.enter(q.Actor.User)
	if err != nil {
		return err
	}
	defer leave()
	var body io.Reader = q.R.Body
	if size < 0 {
		spooled, err := spool(body, d.Temp, d.MaxPut)
		if err != nil {
			return err
		}
		defer func() { _ = spooled.Close() }() // the file has no name: it is gone
		body, size = spooled, spooled.size
	}
	n, err := d.Engine.Put(q.Ctx(), q.Actor, upload.Request{
		Ref: at.Ref, URI: at.URI.Raw(), Size: size, Purpose: upload.NewVersion, Previous: d.previous(query.Get("previous")),
	}, body, want)
	if err != nil {
		return err
	}
	p, err := d.Catalog.PathOf(q.Ctx(), n)
	if err != nil {
		return err
	}
	return desk.OK(q, d.File(n, p, false))
}
