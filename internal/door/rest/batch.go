package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	frames "github.com/wharfinger/wharfinger/internal/door/batch"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// A batch holds up to a manifest and three groups of bodies: some 16 MiB where
// somebody means harm, 5 MiB where not.
const (
	maxBatches     = 16
	maxBatchesEach = 8 // of one user
)

// batchBody is what the body of a batch is.
const batchBody = "application/vnd.wharfinger.batch"

func (d *Door) putBatch(q *desk.Call) error {
	if err := q.MustBeKnown(); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(q.R.Header.Get("Content-Type")); err != nil || kind != batchBody {
		return &desk.Malformed{Msg: "The body must be " + batchBody, Status: http.StatusUnsupportedMediaType}
	}
	leave, err := d.batches.enter(q.Actor.User)
	if err != nil {
		return err
	}
	defer leave()
	r := bufio.NewReaderSize(q.R.Body, 64<<10)
	m, err := frames.ReadManifest(r)
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", "application/x-ndjson; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // each line is news
	b := &batchRun{d: d, q: q, files: make([]upload.Whole, len(m.Files))}
	b.out = frames.NewAnswers(b.send)
	duplex := q.R.ProtoMajor > 1 || http.NewResponseController(q.W).EnableFullDuplex() == nil
	if duplex {
		b.out.Start()
	}
	err = frames.Run(q.Ctx(), r, frames.Work{Sizes: b.read(m.Files), Keep: b.keep, Refuse: b.refuse})
	if !duplex {
		b.out.Start()
	}
	b.end(err)
	return nil
}

// batchRun is one batch on its way.
type batchRun struct {
	d     *Door
	q     *desk.Call
	files []upload.Whole
	out   *frames.Answers
	done  atomic.Int64
}

// read turns the manifest into requests and refuses what is refused already.
func (b *batchRun) read(files []wire.BatchFile) []int64 {
	sizes := make([]int64, len(files))
	seen := make(map[string]bool, len(files))
	for i, f := range files {
		whole, key, err := b.d.whole(f)
		if err == nil && seen[key] {
			err = errs.Newf(errs.Invalid, errs.BadParam, "An earlier file of this batch has the same name.")
		}
		if err != nil {
			sizes[i] = frames.Refused
			b.refuse(i, err)
			continue
		}
		seen[key] = true
		sizes[i], b.files[i] = f.Size, whole
	}
	return sizes
}

// whole reads one file of a manifest. key is the same for names that are.
func (d *Door) whole(f wire.BatchFile) (w upload.Whole, key string, err error) {
	switch {
	case f.Size < 0:
		return w, "", desk.Bad("Size too short")
	case f.Size > upload.MaxWhole:
		return w, "", errs.Newf(errs.TooLarge, errs.FileTooLarge, "Files up to %d bytes can be sent this way; use an upload session.", upload.MaxWhole)
	case f.EntityType != "" && f.EntityType != string(upload.NewVersion):
		return w, "", desk.Bad("Invalid parameters.")
	}
	at, err := d.NeedURI(f.URI)
	if err != nil {
		return w, "", err
	}
	if w.Want, err = digestsOf(f.ReprDigest, "repr_digest"); err != nil {
		return w, "", err
	}
	w.Request = upload.Request{
		Ref: at.Ref, URI: at.URI.Raw(), Size: f.Size, Modified: modified(f.LastModified), MIME: f.MimeType,
		Purpose: upload.Purpose(f.EntityType),
	}
	var k strings.Builder
	for _, n := range at.Ref.Path.Names() {
		k.WriteString(catalog.NameKey(n) + "/")
	}
	return w, k.String(), nil
}

// digestsOf reads digests as RFC 9530 §2 writes them.
func digestsOf(field, name string) ([]blob.Digest, error) {
	if field == "" {
		return nil, nil
	}
	ds, err := wire.ParseDigests(field)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "%s is not a dictionary of digests (RFC 9530)", name).Because(err)
	}
	want := make([]blob.Digest, len(ds))
	for i, one := range ds {
		want[i] = blob.Digest{Algorithm: one.Algorithm, Value: one.Sum}
	}
	return want, nil
}

func (b *batchRun) keep(ctx context.Context, bodies []frames.Body) {
	files := make([]upload.Whole, len(bodies))
	for i, body := range bodies {
		files[i] = b.files[body.Index]
		files[i].Body = body.Bytes
	}
	for i, o := range b.d.Engine.PutMany(ctx, b.q.Actor, files) {
		if o.Err != nil {
			b.refuse(bodies[i].Index, o.Err) //nolint:contextcheck // it answers, whatever became of the caller
			continue
		}
		b.line(wire.BatchAnswer{Index: bodies[i].Index, Same: o.Same, Data: marshal(wire.BatchedFile{
			ID: b.d.IDs.Encode(core.TagFile, int64(o.Node.ID)), PrimaryEntity: b.d.EntityID(o.Node.Version),
			Size: o.Node.Size, UpdatedAt: o.Node.Updated,
		})})
	}
}

func (b *batchRun) refuse(index int, err error) {
	b.q.Note(err)
	f := b.q.Failure(err)
	a := wire.BatchAnswer{Index: index, Code: f.Code, Msg: f.Msg, CorrelationID: f.CorrelationID}
	if f.Data != nil {
		a.Data = marshal(*f.Data)
	}
	b.line(a)
}

func (b *batchRun) line(a wire.BatchAnswer) {
	b.done.Add(1)
	b.out.Add(append(marshal(a), '\n'))
}

// end answers the last line and sees that the sender can read it.
func (b *batchRun) end(err error) {
	last := wire.BatchEnd{Done: int(b.done.Load())}
	if err != nil {
		b.q.Note(err)
		f := b.q.Failure(err)
		last.Code, last.Msg, last.CorrelationID = f.Code, f.Msg, f.CorrelationID
	}
	b.out.Add(append(marshal(last), '\n'))
	if b.out.End() == nil && err != nil {
		b.q.Body.Drain(b.q.W.Header())
	}
	_ = http.NewResponseController(b.q.W).SetWriteDeadline(time.Time{})
}

// send sends lines to a client who may be slow to read, but not stand still.
func (b *batchRun) send(lines []byte) error {
	rc := http.NewResponseController(b.q.W)
	for len(lines) > 0 {
		n := min(len(lines), 16<<10)
		_ = rc.SetWriteDeadline(b.d.Clock().Add(b.d.Stall)) // not every transport has one
		_, err := b.q.W.Write(lines[:n])
		if err == nil {
			err = rc.Flush()
		}
		if err != nil {
			b.q.Body.Stop() // nobody hears what becomes of it
			return err
		}
		lines = lines[n:]
	}
	return nil
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // wire types always marshal; the wiring recovers and logs
	}
	return text
}
