package s3blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// An upload that passes through us has parts of one size, which its handle
// carries before the vendor's id, so that a policy may change while it is open:
// "part=26214400/" and the id. Numbers without a gap are the vendor's law.
const planMark = "part="

func planned(part int64, id string) string { return planMark + strconv.FormatInt(part, 10) + "/" + id }

// unplan returns the part size of a handle, 0 if it has none, and the handle as
// the vendor knows it.
func unplan(h blob.Handle) (int64, blob.Handle) {
	text, ok := strings.CutPrefix(h.Upload, planMark)
	size, id, cut := strings.Cut(text, "/")
	if part, err := strconv.ParseInt(size, 10, 64); ok && cut && err == nil && part > 0 {
		h.Upload = id
		return part, h
	}
	return 0, h
}

func (d *driver) Begin(ctx context.Context, key string, size int64, _ blob.PutOptions) (blob.Handle, error) {
	part := blob.ChunkSize(size, d.part)
	if blob.Chunks(size, part) > maxParts {
		return blob.Handle{}, errLarge
	}
	if err := d.free(ctx, key); err != nil {
		return blob.Handle{}, err
	}
	open, _, err := d.unfinished(ctx, key, "", "", 1)
	if err != nil {
		return blob.Handle{}, err
	}
	if len(open) > 0 && open[0].Handle.Key == key {
		return blob.Handle{}, errExists
	}
	id, err := d.initiate(ctx, key, "")
	if err != nil {
		return blob.Handle{}, err
	}
	return blob.Handle{Key: key, Size: size, Upload: planned(part, id)}, nil
}

// WriteAt takes runs of whole parts: what is smaller the store would refuse, and
// only when the upload is completed.
func (d *driver) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, _ blob.PutOptions) error {
	part, h := unplan(h)
	switch {
	case !r.Valid() || r.To > h.Size:
		return errRange
	case part == 0:
		return fmt.Errorf("%w: the handle of %s has no part size", errPlan, h.Key)
	case r.From%part != 0 || (r.To%part != 0 && r.To != h.Size):
		return fmt.Errorf("%w: bytes %d to %d where a part has %d", errPlan, r.From, r.To, part)
	case r.Len() == 0 && h.Size > 0:
		return newStream(src, 0, true).err
	}
	for from := r.From; ; from += part {
		to := min(from+part, r.To)
		body := newStream(src, to-from, to == r.To)
		if err := d.writePart(ctx, h, int(from/part), body); err != nil || to == r.To {
			return err
		}
	}
}

func (d *driver) writePart(ctx context.Context, h blob.Handle, n int, body *stream) error {
	if err := errors.Join(ctx.Err(), body.err); err != nil {
		return err
	}
	number, size := int32(n+1), body.left
	in := &s3.UploadPartInput{Bucket: d.bucket, Key: &h.Key, UploadId: &h.Upload, PartNumber: &number, ContentLength: &size}
	if size > 0 {
		in.Body = body
	}
	out, err := d.api.UploadPart(ctx, in, streamed)
	switch {
	case body.err != nil:
		return body.err
	case err != nil:
		return d.fault(ctx, "write "+h.Key, err)
	case out.ETag == nil:
		return fmt.Errorf("%w: write %s: no ETag", errAnswer, h.Key)
	}
	if same, _ := body.agrees(sums(out.ChecksumCRC64NVME, out.ETag, kms(out.ServerSideEncryption))); !same {
		return fmt.Errorf("%w: write %s, part %d", errSum, h.Key, number)
	}
	d.tags.keep(h.Upload, n, *out.ETag)
	return nil
}

// tags tell a part that we sent from one that came over it: an earlier try of the same
// part, which broke off and which a store that is not careful took for whole, later than
// the right one.
type tags struct {
	mu sync.Mutex
	of map[string]map[int]string // by upload and part
}

func (t *tags) keep(upload string, part int, tag string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[string]map[int]string{}
	}
	if t.of[upload] == nil {
		t.of[upload] = map[int]string{}
	}
	t.of[upload][part] = tag
}

func (t *tags) drop(upload string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, upload)
}

// ours reports whether none of the parts is another than we sent.
func (t *tags) ours(upload string, parts []blob.StoredPart) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range parts {
		if tag, ok := t.of[upload][p.Number]; ok && strings.Trim(tag, `"`) != strings.Trim(p.ETag, `"`) {
			return false
		}
	}
	return true
}

func (d *driver) Staged(ctx context.Context, _ blob.Handle, _ core.Range) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errStaged
}

func (d *driver) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	part, plain := unplan(h)
	parts, err := d.listParts(ctx, plain)
	if missing(err) {
		d.tags.drop(plain.Upload)
		return d.settled(ctx, plain)
	}
	if err != nil {
		return blob.Info{}, err
	}
	if h.Size == 0 && len(parts) == 0 && part > 0 {
		if err := d.WriteAt(ctx, h, core.Range{}, http.NoBody, o); err != nil {
			return blob.Info{}, err
		}
		if parts, err = d.listParts(ctx, plain); err != nil {
			return blob.Info{}, err
		}
	}
	if !d.tags.ours(plain.Upload, parts) {
		// As if somebody had ended it: all of it is sent again, to another upload.
		err := d.Revoke(ctx, plain)
		return blob.Info{}, errors.Join(&fault{
			Doing: "complete " + h.Key, Status: http.StatusNotFound, Code: "NoSuchUpload",
			Message: "a part that had broken off came over the right one",
		}, err)
	}
	info, err := d.Finish(ctx, plain, parts)
	if err == nil {
		d.tags.drop(plain.Upload)
	}
	return info, err
}

func (d *driver) Abort(ctx context.Context, h blob.Handle) error {
	_, h = unplan(h)
	return d.Revoke(ctx, h)
}

func (d *driver) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	found, _, err := d.unfinished(ctx, "", after, "", limit)
	if err != nil {
		return nil, err
	}
	var out []blob.Handle
	for _, u := range found {
		out = append(out, u.Handle)
	}
	return out, nil
}

var (
	_ blob.Parts  = (*driver)(nil)
	_ blob.Direct = (*driver)(nil)
	_ blob.Linker = (*driver)(nil)
	_ blob.Strays = (*driver)(nil)
)
