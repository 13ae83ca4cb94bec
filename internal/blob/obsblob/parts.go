package obsblob

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// An upload that passes through us has parts of one size, which its handle
// carries before the vendor's id, so that a policy may change while it is open:
// "part=26214400/" and the id.
const planMark = "part="

func planned(part int64, id string) string { return planMark + strconv.FormatInt(part, 10) + "/" + id }

// unplan returns the part size of a handle, 0 if it has none, and the handle as
// the vendor knows it.
func unplan(h blob.Handle) (int64, blob.Handle) {
	text, ok := strings.CutPrefix(h.Upload, planMark)
	size, id, cut := strings.Cut(text, "/")
	if part, err := strconv.ParseInt(size, 10, 64); ok && cut && err == nil {
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
	if err := d.vacant(ctx, key); err != nil {
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
	return blob.Handle{Key: key, Size: size, Upload: planned(part, id)}, err
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
		err := d.store(ctx, call{
			doing: "write " + h.Key, method: http.MethodPut, key: h.Key, body: body, length: to - from,
			query:  []pair{{"partNumber", strconv.FormatInt(from/part+1, 10)}, {"uploadId", h.Upload}},
			header: []pair{{"content-type", octets}},
		}, body)
		if err != nil || to == r.To {
			return err
		}
	}
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
	return d.Finish(ctx, plain, parts)
}

func (d *driver) Abort(ctx context.Context, h blob.Handle) error {
	_, h = unplan(h)
	return d.Revoke(ctx, h)
}

func (d *driver) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	found, _, err := d.unfinished(ctx, "", after, "", limit)
	var out []blob.Handle
	for _, u := range found {
		out = append(out, u.Handle)
	}
	return out, err
}

var (
	_ blob.Parts  = (*driver)(nil)
	_ blob.Direct = (*driver)(nil)
	_ blob.Linker = (*driver)(nil)
	_ blob.Strays = (*driver)(nil)
)
