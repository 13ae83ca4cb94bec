package xmlstore

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
// "part=26214400/" and the id. Numbers without a gap are COS's law.
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

// Begin implements blob.Parts.
func (s *Store) Begin(ctx context.Context, key string, size int64, _ blob.PutOptions) (blob.Handle, error) {
	part := blob.ChunkSize(size, s.part)
	if blob.Chunks(size, part) > maxParts {
		return blob.Handle{}, errLarge
	}
	if err := s.vacant(ctx, key); err != nil {
		return blob.Handle{}, err
	}
	open, _, err := s.unfinished(ctx, key, "", "", 1)
	if err != nil {
		return blob.Handle{}, err
	}
	if len(open) > 0 && open[0].Handle.Key == key {
		return blob.Handle{}, errExists
	}
	id, err := s.initiate(ctx, key, "")
	return blob.Handle{Key: key, Size: size, Upload: planned(part, id)}, err
}

// WriteAt implements blob.Parts. It takes runs of whole parts: what is smaller the store would refuse, and
// only when the upload is completed.
func (s *Store) WriteAt(ctx context.Context, h blob.Handle, r core.Range, src io.Reader, _ blob.PutOptions) error {
	part, h := unplan(h)
	switch {
	case !r.Valid() || r.To > h.Size:
		return errRange
	case part == 0:
		return fmt.Errorf("%w: the handle of %s has no part size", errPlan, h.Key)
	case r.From%part != 0 || (r.To%part != 0 && r.To != h.Size):
		return fmt.Errorf("%w: bytes %d to %d where a part has %d", errPlan, r.From, r.To, part)
	case r.Len() == 0 && h.Size > 0:
		return s.newStream(src, 0, true).err
	}
	for from := r.From; ; from += part {
		to := min(from+part, r.To)
		body := s.newStream(src, to-from, to == r.To)
		err := s.store(ctx, call{
			doing: "write " + h.Key, method: http.MethodPut, key: h.Key, body: body, length: to - from,
			query:  []Pair{{"partNumber", strconv.FormatInt(from/part+1, 10)}, {"uploadId", h.Upload}},
			header: []Pair{{"content-type", Octets}},
		}, body)
		if err != nil || to == r.To {
			return err
		}
	}
}

// Staged implements blob.Parts.
func (s *Store) Staged(ctx context.Context, _ blob.Handle, _ core.Range) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, errStaged
}

// Commit implements blob.Parts.
func (s *Store) Commit(ctx context.Context, h blob.Handle, o blob.PutOptions) (blob.Info, error) {
	part, plain := unplan(h)
	parts, err := s.listParts(ctx, plain)
	if missing(err) {
		return s.settled(ctx, plain)
	}
	if err != nil {
		return blob.Info{}, err
	}
	if h.Size == 0 && len(parts) == 0 && part > 0 {
		if err := s.WriteAt(ctx, h, core.Range{}, http.NoBody, o); err != nil {
			return blob.Info{}, err
		}
		if parts, err = s.listParts(ctx, plain); err != nil {
			return blob.Info{}, err
		}
	}
	return s.Finish(ctx, plain, parts)
}

// Abort implements blob.Parts.
func (s *Store) Abort(ctx context.Context, h blob.Handle) error {
	_, h = unplan(h)
	return s.Revoke(ctx, h)
}

// Pending implements blob.Parts.
func (s *Store) Pending(ctx context.Context, after string, limit int) ([]blob.Handle, error) {
	found, _, err := s.unfinished(ctx, "", after, "", limit)
	var out []blob.Handle
	for _, u := range found {
		out = append(out, u.Handle)
	}
	return out, err
}
