package xmlstore

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the one checksum that some stores have
	"encoding/binary"
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

// Digests that stores keep, beside those that blob computes.
const (
	crcXZ  = "crc64xz"
	sumMD5 = "md5"
)

// Stat implements blob.Driver.
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	info, _, _, err := s.head(ctx, key)
	return info, err
}

func (s *Store) head(ctx context.Context, key string) (info blob.Info, sums []blob.Digest, upload string, err error) {
	resp, err := s.send(ctx, call{doing: "head " + key, method: http.MethodHead, key: key})
	if err != nil {
		return blob.Info{}, nil, "", err
	}
	resp.Body.Close()
	info = blob.Info{Key: key, Size: resp.ContentLength}
	if info.ModTime, err = http.ParseTime(resp.Header.Get("Last-Modified")); err != nil || info.Size < 0 {
		return blob.Info{}, nil, "", fmt.Errorf(s.Name+": %w: head %s: no size or no date", ErrAnswer, key)
	}
	info.ModTime = info.ModTime.UTC()
	if sum := s.told(resp.Header); sum != nil {
		sums = append(sums, blob.Digest{Algorithm: s.algorithm(), Value: sum})
	}
	return info, sums, resp.Header.Get(s.header("uploadid")), nil
}

func (v Vendor) algorithm() string {
	if v.CRC {
		return crcXZ
	}
	return sumMD5
}

func (v Vendor) sumWord() string {
	if v.CRC {
		return "CRC-64"
	}
	return "MD5"
}

// told returns the checksum that an answer tells, nil if none.
func (v Vendor) told(h http.Header) []byte {
	if !v.CRC {
		return tagMD5(h.Get("ETag"))
	}
	crc, err := strconv.ParseUint(h.Get(v.header("hash-crc64ecma")), 10, 64)
	if err != nil {
		return nil
	}
	return binary.BigEndian.AppendUint64(nil, crc)
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

// Open implements blob.Driver.
func (s *Store) Open(ctx context.Context, key string, r core.Range) (io.ReadCloser, error) {
	if !r.Valid() {
		return nil, errRange
	}
	if r.Len() == 0 {
		// No range of bytes is empty; the size is still to be looked at.
		info, err := s.Stat(ctx, key)
		if err == nil && r.To > info.Size {
			err = errRange
		}
		return http.NoBody, err
	}
	resp, err := s.send(ctx, call{
		doing: "get " + key, method: http.MethodGet, key: key,
		header: []Pair{{"range", fmt.Sprintf("bytes=%d-%d", r.From, r.To-1)}},
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
		err = fmt.Errorf(s.Name+": %w: get %s: bytes %d to %d, asked for %d to %d", ErrAnswer, key, from, to, r.From, r.To)
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
		return 0, 0, 0, fmt.Errorf("%w: content range %q", ErrAnswer, s)
	}
	return from, to + 1, size, nil
}

// Put implements blob.Driver.
func (s *Store) Put(ctx context.Context, key string, src blob.Source, _ blob.PutOptions) (blob.Info, error) {
	size := src.Size()
	if size > maxPart {
		return blob.Info{}, errLarge
	}
	if !s.Forbids { // the store replaces what is there: look first
		if err := s.vacant(ctx, key); err != nil {
			return blob.Info{}, err
		}
	}
	body := s.newStream(src, size, true)
	err := s.store(ctx, call{
		doing: "put " + key, method: http.MethodPut, key: key, length: size, body: body,
		header: s.kept(Pair{"content-type", Octets}),
	}, body)
	if err != nil && (body.err != nil || !errors.Is(err, ErrAnswer)) {
		if errors.Is(err, errSum) {
			err = errors.Join(err, s.drop(ctx, key))
		}
		return blob.Info{}, err
	}
	// After an answer that was lost the object itself says what became of it.
	info, sums, _, seen := s.head(ctx, key)
	switch {
	case seen != nil && err != nil:
		return blob.Info{}, err
	case seen != nil:
		return blob.Info{}, seen
	case err != nil && (body.left != 0 || info.Size != size || !has(sums, body.sum.Sum(nil))):
		return blob.Info{}, err
	}
	return info, nil
}

// drop removes what was stored wrong just now.
func (s *Store) drop(ctx context.Context, key string) error {
	_, err := s.Delete(ctx, []string{key})
	return err
}

// vacant is nil when nothing is stored under key.
func (s *Store) vacant(ctx context.Context, key string) error {
	switch _, err := s.Stat(ctx, key); {
	case err == nil:
		return errExists
	case !missing(err):
		return err
	}
	return nil
}

func has(sums []blob.Digest, sum []byte) bool {
	return len(sums) == 1 && bytes.Equal(sums[0].Value, sum)
}

// store sends body and compares the checksum of what the store has with ours.
func (s *Store) store(ctx context.Context, q call, body *stream) error {
	if body.err != nil {
		return body.err
	}
	head, err := s.ask(ctx, q, nil)
	switch {
	case body.err != nil:
		return body.err
	case err != nil:
		return err
	}
	if theirs, ours := s.told(head), body.sum.Sum(nil); !bytes.Equal(theirs, ours) {
		return fmt.Errorf("%s: %w: %s: %s %x, ours is %x", s.Name, errSum, q.doing, s.sumWord(), theirs, ours)
	}
	return nil
}

// Delete implements blob.Driver.
func (s *Store) Delete(ctx context.Context, keys []string) (failed []blob.KeyError, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(keys, maxPage) {
		some, err := s.deleteBatch(ctx, batch)
		failed = append(failed, some...)
		if err != nil {
			return failed, err
		}
	}
	return failed, nil
}

func (s *Store) deleteBatch(ctx context.Context, keys []string) (failed []blob.KeyError, err error) {
	var in removal // not quiet: silence about a key is no proof
	for _, k := range keys {
		in.Objects = append(in.Objects, xmlKey{k})
	}
	var out removed
	if err := s.post(ctx, call{doing: "delete", query: []Pair{{"delete", ""}}}, in, &out); err != nil {
		return nil, err
	}
	why := map[string]error{}
	for _, k := range keys {
		why[k] = fmt.Errorf(s.Name+": %w: delete %s: not named in the answer", ErrAnswer, k)
	}
	for _, gone := range out.Deleted {
		delete(why, gone.Key)
	}
	for _, e := range out.Errors {
		if e.Code == "NoSuchKey" {
			delete(why, e.Key)
			continue
		}
		why[e.Key] = &fault{Vendor: s.Name, Doing: "delete " + e.Key, Status: http.StatusForbidden, Code: e.Code, Message: e.Message}
	}
	for _, k := range slices.Sorted(maps.Keys(why)) {
		failed = append(failed, blob.KeyError{Key: k, Err: why[k]})
	}
	return failed, nil
}

// List implements blob.Driver.
func (s *Store) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return blob.Page{}, err
	}
	query := []Pair{{"encoding-type", "url"}, {"max-keys", strconv.Itoa(min(limit, maxPage))}}
	if prefix != "" {
		query = append(query, Pair{"prefix", prefix})
	}
	if after != "" {
		query = append(query, Pair{"marker", after})
	}
	var out objectList
	if _, err := s.ask(ctx, call{doing: "list", method: http.MethodGet, query: query}, &out); err != nil {
		return blob.Page{}, err
	}
	var page blob.Page
	for _, o := range out.Contents {
		key, err := plainKey(out.Encoding, o.Key)
		if err != nil {
			return blob.Page{}, fmt.Errorf(s.Name+": %w: list: key %q", ErrAnswer, o.Key)
		}
		page.Objects = append(page.Objects, blob.Info{Key: key, Size: o.Size, ModTime: o.LastModified.UTC()})
	}
	if out.IsTruncated && len(page.Objects) > 0 {
		page.Next = page.Objects[len(page.Objects)-1].Key
	}
	return page, nil
}
