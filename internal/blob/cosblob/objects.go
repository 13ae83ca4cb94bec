package cosblob

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// Digests that the store keeps, beside those that blob computes.
const (
	crcXZ  = "crc64xz"
	sumMD5 = "md5"
)

// forbid makes the store refuse a key that exists. It has no effect in a bucket
// that ever had versioning.
var forbid = pair{"x-cos-forbid-overwrite", "true"}

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, _, err := d.head(ctx, key)
	return info, err
}

func (d *driver) head(ctx context.Context, key string) (blob.Info, []blob.Digest, error) {
	resp, err := d.send(ctx, call{doing: "head " + key, method: http.MethodHead, key: key})
	if err != nil {
		return blob.Info{}, nil, err
	}
	resp.Body.Close()
	info := blob.Info{Key: key, Size: resp.ContentLength}
	if info.ModTime, err = http.ParseTime(resp.Header.Get("Last-Modified")); err != nil || info.Size < 0 {
		return blob.Info{}, nil, fmt.Errorf("%w: head %s: no size or no date", errAnswer, key)
	}
	info.ModTime = info.ModTime.UTC()
	var sums []blob.Digest
	if crc, ok := storeCRC(resp.Header); ok {
		sums = append(sums, blob.Digest{Algorithm: crcXZ, Value: binary.BigEndian.AppendUint64(nil, crc)})
	}
	return info, sums, nil
}

func storeCRC(h http.Header) (uint64, bool) {
	crc, err := strconv.ParseUint(h.Get("X-Cos-Hash-Crc64ecma"), 10, 64)
	return crc, err == nil
}

func (d *driver) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	if !r.Valid() {
		return nil, errRange
	}
	if r.Len() == 0 {
		// No range of bytes is empty; the size is still to be looked at.
		info, err := d.Stat(ctx, key)
		if err == nil && r.To > info.Size {
			err = errRange
		}
		return http.NoBody, err
	}
	resp, err := d.send(ctx, call{
		doing: "get " + key, method: http.MethodGet, key: key,
		header: []pair{{"range", fmt.Sprintf("bytes=%d-%d", r.From, r.To-1)}},
	})
	var f *fault
	switch {
	case errors.As(err, &f) && f.Status == http.StatusRequestedRangeNotSatisfiable:
		return nil, fmt.Errorf("%w: %w", errRange, err)
	case err != nil:
		return nil, err
	}
	from, to, size, err := contentRange(resp)
	switch {
	case err != nil:
	case r.To > size:
		err = errRange
	case from != r.From || to != r.To:
		err = fmt.Errorf("%w: get %s: bytes %d to %d, asked for %d to %d", errAnswer, key, from, to, r.From, r.To)
	}
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return &outlet{resp.Body, r.Len()}, nil
}

// contentRange returns which bytes an answer has, to excluded, and how many the
// object.
func contentRange(resp *http.Response) (from, to, size int64, err error) {
	if resp.StatusCode != http.StatusPartialContent {
		return 0, resp.ContentLength, resp.ContentLength, nil
	}
	s := resp.Header.Get("Content-Range")
	if _, err = fmt.Sscanf(s, "bytes %d-%d/%d", &from, &to, &size); err != nil {
		return 0, 0, 0, fmt.Errorf("%w: content range %q", errAnswer, s)
	}
	return from, to + 1, size, nil
}

func (d *driver) Put(ctx context.Context, key string, src blob.Source, _ blob.PutOptions) (blob.Info, error) {
	size := src.Size()
	if size > maxPart {
		return blob.Info{}, errLarge
	}
	body := newStream(src, size, true)
	err := d.store(ctx, call{
		doing: "put " + key, method: http.MethodPut, key: key, length: size, body: body,
		header: []pair{{"content-type", "application/octet-stream"}, forbid},
	}, body)
	if err != nil && (body.err != nil || !errors.Is(err, errAnswer)) {
		if errors.Is(err, errSum) {
			err = errors.Join(err, d.drop(ctx, key))
		}
		return blob.Info{}, err
	}
	// After an answer that was lost the object itself says what became of it.
	info, sums, seen := d.head(ctx, key)
	switch {
	case seen != nil && err != nil:
		return blob.Info{}, err
	case seen != nil:
		return blob.Info{}, seen
	case err != nil && (body.left != 0 || info.Size != size || !hasCRC(sums, body.crc.Sum64())):
		return blob.Info{}, err
	}
	return info, nil
}

// drop removes what was stored wrong just now.
func (d *driver) drop(ctx context.Context, key string) error {
	_, err := d.Delete(ctx, []string{key})
	return err
}

func hasCRC(sums []blob.Digest, crc uint64) bool {
	for _, s := range sums {
		if s.Algorithm == crcXZ {
			return binary.BigEndian.Uint64(s.Value) == crc
		}
	}
	return false
}

// store sends body and compares the CRC that the store computed with ours.
func (d *driver) store(ctx context.Context, q call, body *stream) error {
	if body.err != nil {
		return body.err
	}
	head, err := d.ask(ctx, q, nil)
	switch {
	case body.err != nil:
		return body.err
	case err != nil:
		return err
	}
	if crc, ok := storeCRC(head); !ok || crc != body.crc.Sum64() {
		return fmt.Errorf("%w: %s: %q, ours is %d", errSum, q.doing, head.Get("X-Cos-Hash-Crc64ecma"), body.crc.Sum64())
	}
	return nil
}

func (d *driver) Delete(ctx context.Context, keys []string) (failed []blob.KeyError, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(keys, maxPage) {
		some, err := d.deleteBatch(ctx, batch)
		failed = append(failed, some...)
		if err != nil {
			return failed, err
		}
	}
	return failed, nil
}

func (d *driver) deleteBatch(ctx context.Context, keys []string) (failed []blob.KeyError, err error) {
	var in removal // not quiet: silence about a key is no proof
	for _, k := range keys {
		in.Objects = append(in.Objects, xmlKey{k})
	}
	var out removed
	if err := d.post(ctx, call{doing: "delete", query: []pair{{"delete", ""}}}, in, &out); err != nil {
		return nil, err
	}
	why := map[string]error{}
	for _, k := range keys {
		why[k] = fmt.Errorf("%w: delete %s: not named in the answer", errAnswer, k)
	}
	for _, gone := range out.Deleted {
		delete(why, gone.Key)
	}
	for _, e := range out.Errors {
		if e.Code == "NoSuchKey" {
			delete(why, e.Key)
			continue
		}
		why[e.Key] = &fault{Doing: "delete " + e.Key, Status: http.StatusForbidden, Code: e.Code, Message: e.Message}
	}
	for _, k := range slices.Sorted(maps.Keys(why)) {
		failed = append(failed, blob.KeyError{Key: k, Err: why[k]})
	}
	return failed, nil
}

func (d *driver) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return blob.Page{}, err
	}
	query := []pair{{"encoding-type", "url"}, {"max-keys", strconv.Itoa(min(limit, maxPage))}}
	if prefix != "" {
		query = append(query, pair{"prefix", prefix})
	}
	if after != "" {
		query = append(query, pair{"marker", after})
	}
	var out objectList
	if _, err := d.ask(ctx, call{doing: "list", method: http.MethodGet, query: query}, &out); err != nil {
		return blob.Page{}, err
	}
	var page blob.Page
	for _, o := range out.Contents {
		key, err := plainKey(out.Encoding, o.Key)
		if err != nil {
			return blob.Page{}, fmt.Errorf("%w: list: key %q", errAnswer, o.Key)
		}
		page.Objects = append(page.Objects, blob.Info{Key: key, Size: o.Size, ModTime: o.LastModified.UTC()})
	}
	if out.IsTruncated && len(page.Objects) > 0 {
		page.Next = page.Objects[len(page.Objects)-1].Key
	}
	return page, nil
}
