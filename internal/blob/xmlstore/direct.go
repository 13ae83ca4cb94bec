package xmlstore

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/wharfinger/wharfinger/internal/blob"
)

// Grant implements blob.Direct.
func (s *Store) Grant(ctx context.Context, a blob.Ask) (blob.Handle, error) {
	if a.Parts() > maxParts || a.Part(0) > maxPart || (a.Parts() > 1 && a.PartSize < s.MinPart) {
		return blob.Handle{}, fmt.Errorf("%w: %d bytes in parts of %d", errPlan, a.Size, a.PartSize)
	}
	if err := s.vacant(ctx, a.Key); err != nil {
		return blob.Handle{}, err
	}
	id, err := s.initiate(ctx, a.Key, a.MIME)
	return blob.Handle{Key: a.Key, Size: a.Size, Upload: id}, err
}

func (s *Store) initiate(ctx context.Context, key, mimeType string) (string, error) {
	if mimeType == "" {
		mimeType = Octets
	}
	var out initiated
	_, err := s.ask(ctx, call{
		doing: "begin " + key, method: http.MethodPost, key: key, query: []Pair{{"uploads", ""}},
		header: s.kept(Pair{"content-type", mimeType}),
	}, &out)
	if err == nil && out.UploadID == "" {
		err = fmt.Errorf(s.Name+": %w: begin %s: no upload id", ErrAnswer, key)
	}
	return out.UploadID, err
}

// Sign implements blob.Direct.
func (s *Store) Sign(_ context.Context, h blob.Handle, a blob.Ask, from, to int) (blob.Signed, error) {
	if from < 0 || from > to || to > a.Parts() {
		return blob.Signed{}, fmt.Errorf("%w: parts %d to %d of %d", errPlan, from, to, a.Parts())
	}
	end, err := s.dialect.Complete(h, a)
	if err != nil {
		return blob.Signed{}, err
	}
	out := blob.Signed{
		Parts: s.dialect.Parts(h, a, from, to), Complete: end.Address, Bare: end.Bare,
		Header: http.Header{"Content-Type": {Octets}}, Ending: http.Header{"Content-Type": {Octets}},
	}
	for _, p := range end.Header {
		out.Ending.Set(p.Name, p.Value)
	}
	return out, nil
}

// Confirm implements blob.Direct.
func (s *Store) Confirm(ctx context.Context, h blob.Handle) (blob.Evidence, error) {
	parts, err := s.listParts(ctx, h)
	if err == nil {
		return blob.Evidence{Parts: parts}, nil
	}
	if !missing(err) {
		return blob.Evidence{}, err
	}
	info, sums, _, err := s.head(ctx, h.Key)
	if err != nil {
		return blob.Evidence{}, err
	}
	return blob.Evidence{Stored: true, Info: info, Sum: sums}, nil
}

func (s *Store) listParts(ctx context.Context, h blob.Handle) (parts []blob.StoredPart, err error) {
	if h.Upload == "" {
		return nil, &fault{Vendor: s.Name, Doing: "list parts of " + h.Key, Status: http.StatusNotFound, Code: "NoSuchUpload"}
	}
	for marker := ""; ; {
		query := []Pair{{"uploadId", h.Upload}, {"max-parts", strconv.Itoa(maxPage)}}
		if marker != "" {
			query = append(query, Pair{"part-number-marker", marker})
		}
		var out partList
		if _, err := s.ask(ctx, call{doing: "list parts of " + h.Key, method: http.MethodGet, key: h.Key, query: query}, &out); err != nil {
			return nil, err
		}
		for _, p := range out.Parts {
			parts = append(parts, storedPart(p))
		}
		if !out.IsTruncated {
			return parts, nil
		}
		if out.Next == "" || out.Next == marker || len(parts) > maxParts {
			return nil, fmt.Errorf(s.Name+": %w: the parts of %s do not end", ErrAnswer, h.Key)
		}
		marker = out.Next
	}
}

func storedPart(p xmlPart) blob.StoredPart {
	out := blob.StoredPart{Number: p.PartNumber - 1, Size: p.Size, ETag: p.ETag}
	if sum := tagMD5(p.ETag); sum != nil {
		out.Sum = []blob.Digest{{Algorithm: sumMD5, Value: sum}}
	}
	return out
}

// Finish implements blob.Direct.
func (s *Store) Finish(ctx context.Context, h blob.Handle, parts []blob.StoredPart) (blob.Info, error) {
	var in completion
	var size int64
	for i, p := range parts {
		if p.Number != i {
			return blob.Info{}, fmt.Errorf("%w: part %d is missing", errShort, i)
		}
		size += p.Size
		in.Parts = append(in.Parts, xmlPart{PartNumber: i + 1, ETag: p.ETag})
	}
	if size != h.Size || len(parts) == 0 {
		// It may be that the parts are gone because they are the object now.
		info, err := s.settled(ctx, h)
		if err != nil && !missing(err) {
			err = errors.Join(fmt.Errorf("%w: %d of %d bytes in %d parts", errShort, size, h.Size, len(parts)), err)
		}
		return info, err
	}
	if !s.Forbids { // the store replaces what is there: look first; it may be ours already
		switch err := s.vacant(ctx, h.Key); {
		case errors.Is(err, errExists):
			if info, is := s.settled(ctx, h); is == nil {
				return info, nil
			}
			return blob.Info{}, err
		case err != nil:
			return blob.Info{}, err
		}
	}
	var out completed
	err := s.post(ctx, call{doing: "complete " + h.Key, key: h.Key, query: []Pair{{"uploadId", h.Upload}}, header: s.kept()}, in, &out)
	if err == nil && out.ETag != "" {
		return s.Stat(ctx, h.Key)
	}
	if err == nil {
		err = fmt.Errorf(s.Name+": %w: complete %s: no ETag", ErrAnswer, h.Key)
	}
	if info, is := s.settled(ctx, h); is == nil {
		return info, nil
	}
	if ctx.Err() != nil {
		return blob.Info{}, ctx.Err()
	}
	return blob.Info{}, err
}

// settled returns the object that the upload h became: one of its size, while
// the store knows the upload no more.
func (s *Store) settled(ctx context.Context, h blob.Handle) (blob.Info, error) {
	switch _, err := s.listParts(ctx, h); {
	case err == nil:
		return blob.Info{}, fmt.Errorf("%s: %s is not complete", s.Name, h.Key)
	case !missing(err):
		return blob.Info{}, err
	}
	info, _, upload, err := s.head(ctx, h.Key)
	switch {
	case err != nil:
		return blob.Info{}, err
	case upload != "" && h.Upload != "" && upload != h.Upload:
		err = fmt.Errorf("%w: %s was made by another upload", errExists, h.Key)
	case info.Size != h.Size:
		err = fmt.Errorf("%w: %s has %d bytes, the upload %d", errExists, h.Key, info.Size, h.Size)
	}
	return info, err
}

// Revoke implements blob.Direct.
func (s *Store) Revoke(ctx context.Context, h blob.Handle) error {
	if h.Upload == "" {
		return ctx.Err()
	}
	_, err := s.ask(ctx, call{doing: "abort " + h.Key, method: http.MethodDelete, key: h.Key, query: []Pair{{"uploadId", h.Upload}}}, nil)
	if missing(err) {
		return nil
	}
	return err
}

// Link implements blob.Linker.
func (s *Store) Link(_ context.Context, key string, o blob.LinkOptions) (string, error) {
	var query []Pair
	if o.Name != "" || o.Attachment {
		query = append(query, Pair{"response-content-disposition", disposition(o)})
	}
	if o.MIME != "" {
		query = append(query, Pair{"response-content-type", o.MIME})
	}
	return s.dialect.Read(key, query, o), nil
}

// disposition is a Content-Disposition by RFC 6266.
func disposition(o blob.LinkOptions) string {
	kind := "inline"
	if o.Attachment {
		kind = "attachment"
	}
	if o.Name == "" {
		return kind
	}
	if s := mime.FormatMediaType(kind, map[string]string{"filename": o.Name}); s != "" {
		return s
	}
	return kind
}

// Unfinished implements blob.Strays.
func (s *Store) Unfinished(ctx context.Context, after string, limit int) (found []blob.StrayUpload, next string, err error) {
	mark, err := url.ParseQuery(after)
	if err != nil {
		return nil, "", fmt.Errorf("%w: mark %q", errPlan, after)
	}
	return s.unfinished(ctx, "", mark.Get("key"), mark.Get("upload"), limit)
}

// unfinished lists uploads of keys with prefix, in the order of keys.
func (s *Store) unfinished(ctx context.Context, prefix, key, upload string, limit int) (found []blob.StrayUpload, next string, err error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, "", err
	}
	query := []Pair{{"uploads", ""}, {"encoding-type", "url"}, {"max-uploads", strconv.Itoa(min(limit, maxPage))}}
	for _, p := range []Pair{{"prefix", prefix}, {"key-marker", key}, {"upload-id-marker", upload}} {
		if p.Value != "" {
			query = append(query, p)
		}
	}
	var out uploadList
	if _, err := s.ask(ctx, call{doing: "list uploads", method: http.MethodGet, query: query}, &out); err != nil {
		return nil, "", err
	}
	for _, u := range out.Uploads {
		plain, err := plainKey(out.Encoding, u.Key)
		if err != nil {
			return nil, "", fmt.Errorf(s.Name+": %w: list uploads: key %q", ErrAnswer, u.Key)
		}
		found = append(found, blob.StrayUpload{Handle: blob.Handle{Key: plain, Upload: u.UploadID}, Began: u.Initiated.UTC()})
	}
	if out.IsTruncated && len(found) > 0 {
		last := found[len(found)-1].Handle
		next = url.Values{"key": {last.Key}, "upload": {last.Upload}}.Encode()
	}
	return found, next, nil
}
