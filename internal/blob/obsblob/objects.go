package obsblob

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the one checksum that the store has
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// sumMD5 names the one digest that the store keeps.
const sumMD5 = "md5"

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, _, _, err := d.head(ctx, key)
	return info, err
}

func (d *driver) head(ctx context.Context, key string) (info blob.Info, sums []blob.Digest, upload string, err error) {
	resp, err := d.send(ctx, call{doing: "head " + key, method: http.MethodHead, key: key})
	if err != nil {
		return blob.Info{}, nil, "", err
	}
	resp.Body.Close()
	info = blob.Info{Key: key, Size: resp.ContentLength}
	if info.ModTime, err = http.ParseTime(resp.Header.Get("Last-Modified")); err != nil || info.Size < 0 {
		return blob.Info{}, nil, "", fmt.Errorf("%w: head %s: no size or no date", errAnswer, key)
	}
	info.ModTime = info.ModTime.UTC()
	if sum := tagMD5(resp.Header.Get("ETag")); sum != nil {
		sums = append(sums, blob.Digest{Algorithm: sumMD5, Value: sum})
	}
	return info, sums, resp.Header.Get("X-Obs-Uploadid"), nil
}

// tagMD5 returns the MD5 that an ETag is; nil where it is something else, as of
// an object that was made of parts.
func tagMD5(tag string) []byte {
	sum, err := hex.DecodeString(strings.Trim(tag, `"`))
	if err != nil || len(sum) != md5.Size {
		return nil
	}
	return sum
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
	// The store replaces what is there: look first.
	if err := d.vacant(ctx, key); err != nil {
		return blob.Info{}, err
	}
	body := newStream(src, size, true)
	err := d.store(ctx, call{
		doing: "put " + key, method: http.MethodPut, key: key, length: size, body: body,
		header: []pair{{"content-type", octets}},
	}, body)
	if err != nil && (body.err != nil || !errors.Is(err, errAnswer)) {
		if errors.Is(err, errSum) {
			err = errors.Join(err, d.drop(ctx, key))
		}
		return blob.Info{}, err
	}
	// After an answer that was lost the object itself says what became of it.
	info, sums, _, seen := d.head(ctx, key)
	switch {
	case seen != nil && err != nil:
		return blob.Info{}, err
	case seen != nil:
		return blob.Info{}, seen
	case err != nil && (body.left != 0 || info.Size != size || !hasMD5(sums, body.md5.Sum(nil))):
		return blob.Info{}, err
	}
	return info, nil
}

// drop removes what was stored wrong just now.
func (d *driver) drop(ctx context.Context, key string) error {
	_, err := d.Delete(ctx, []string{key})
	return err
}

// vacant is nil when nothing is stored under key.
func (d *driver) vacant(ctx context.Context, key string) error {
	switch _, err := d.Stat(ctx, key); {
	case err == nil:
		return errExists
	case !missing(err):
		return err
	}
	return nil
}

func hasMD5(sums []blob.Digest, sum []byte) bool {
	return len(sums) == 1 && bytes.Equal(sums[0].Value, sum)
}

// store sends body and compares the MD5 of what the store has with ours.
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
	if tag := head.Get("ETag"); !bytes.Equal(tagMD5(tag), body.md5.Sum(nil)) {
		return fmt.Errorf("%w: %s: %s, ours is %x", errSum, q.doing, tag, body.md5.Sum(nil))
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
