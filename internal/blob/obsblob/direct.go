package obsblob

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
)

const octets = "application/octet-stream"

func (d *driver) Grant(ctx context.Context, a blob.Ask) (blob.Handle, error) {
	if a.Parts() > maxParts || a.Part(0) > maxPart || (a.Parts() > 1 && a.PartSize < minPart) {
		return blob.Handle{}, fmt.Errorf("%w: %d bytes in parts of %d", errPlan, a.Size, a.PartSize)
	}
	if err := d.vacant(ctx, a.Key); err != nil {
		return blob.Handle{}, err
	}
	id, err := d.initiate(ctx, a.Key, a.MIME)
	return blob.Handle{Key: a.Key, Size: a.Size, Upload: id}, err
}

func (d *driver) initiate(ctx context.Context, key, mimeType string) (string, error) {
	if mimeType == "" {
		mimeType = octets
	}
	var out initiated
	_, err := d.ask(ctx, call{
		doing: "begin " + key, method: http.MethodPost, key: key, query: []pair{{"uploads", ""}},
		header: []pair{{"content-type", mimeType}},
	}, &out)
	if err == nil && out.UploadID == "" {
		err = fmt.Errorf("%w: begin %s: no upload id", errAnswer, key)
	}
	return out.UploadID, err
}

// Sign pins key, upload, number and type; the store's signature does not cover
// lengths. The client sends the headers of Signed.Header with each request, the
// one that completes as well.
func (d *driver) Sign(_ context.Context, h blob.Handle, a blob.Ask, from, to int) (blob.Signed, error) {
	if from < 0 || from > to || to > a.Parts() {
		return blob.Signed{}, fmt.Errorf("%w: parts %d to %d of %d", errPlan, from, to, a.Parts())
	}
	var (
		s       = d.keys.seal()
		expires = strconv.FormatInt(a.Until.Unix(), 10)
		path    = "/" + encodePath(h.Key)
		first   = d.scheme + "://" + d.host + path + "?partNumber="
		then    = "&uploadId=" + encode(h.Upload) + "&AccessKeyId=" + encode(d.keys.id) + "&Expires=" + expires + "&Signature="
		object  = "/" + d.keys.bucket + path + "?partNumber="
		upload  = "&uploadId=" + h.Upload
		out     = blob.Signed{Header: http.Header{"Content-Type": {octets}}}
	)
	out.Parts = make([]string, 0, to-from)
	for n := from; n < to; n++ {
		number := strconv.Itoa(n + 1)
		sig := s.signature(http.MethodPut, "", octets, expires, object+number+upload)
		out.Parts = append(out.Parts, first+number+then+encode(sig))
	}
	query := []pair{{"uploadId", h.Upload}}
	if a.Callback != "" {
		text, err := callback(a.Callback)
		if err != nil {
			return blob.Signed{}, err
		}
		query = append(query, pair{"x-obs-callback", text})
	}
	out.Complete = d.address(s, http.MethodPost, h.Key, a.Until, query)
	return out, nil
}

// callback is what the store is to do when an upload is complete:
// https://support.huaweicloud.com/api-obs/obs_04_0095.html. Nothing of the body
// is believed, so it has little that could need escaping.
func callback(to string) (string, error) {
	text, err := json.Marshal(struct {
		URL  string `json:"callbackUrl"`
		Body string `json:"callbackBody"`
		Type string `json:"callbackBodyType"`
	}{to, `{"size":$(size),"etag":"$(etag)"}`, "application/json"})
	return base64.StdEncoding.EncodeToString(text), err
}

// address returns a signed address of key. What is posted to it is of type
// application/octet-stream.
func (d *driver) address(s *seal, method, key string, until time.Time, query []pair) string {
	mimeType := ""
	if method == http.MethodPost {
		mimeType = octets
	}
	expires := strconv.FormatInt(until.Unix(), 10)
	sig := s.signature(method, "", mimeType, expires, d.keys.rest(key, query, nil))
	var b strings.Builder
	b.WriteString(d.scheme + "://" + d.host + "/" + encodePath(key) + "?")
	for _, p := range query {
		b.WriteString(encode(p.name) + "=" + encode(p.value) + "&")
	}
	b.WriteString("AccessKeyId=" + encode(d.keys.id) + "&Expires=" + expires + "&Signature=" + encode(sig))
	return b.String()
}

func (d *driver) Confirm(ctx context.Context, h blob.Handle) (blob.Evidence, error) {
	parts, err := d.listParts(ctx, h)
	if err == nil {
		return blob.Evidence{Parts: parts}, nil
	}
	if !missing(err) {
		return blob.Evidence{}, err
	}
	info, sums, _, err := d.head(ctx, h.Key)
	if err != nil {
		return blob.Evidence{}, err
	}
	return blob.Evidence{Stored: true, Info: info, Sum: sums}, nil
}

func (d *driver) listParts(ctx context.Context, h blob.Handle) (parts []blob.StoredPart, err error) {
	if h.Upload == "" {
		return nil, &fault{Doing: "list parts of " + h.Key, Status: http.StatusNotFound, Code: "NoSuchUpload"}
	}
	for marker := ""; ; {
		query := []pair{{"uploadId", h.Upload}, {"max-parts", strconv.Itoa(maxPage)}}
		if marker != "" {
			query = append(query, pair{"part-number-marker", marker})
		}
		var out partList
		if _, err := d.ask(ctx, call{doing: "list parts of " + h.Key, method: http.MethodGet, key: h.Key, query: query}, &out); err != nil {
			return nil, err
		}
		for _, p := range out.Parts {
			parts = append(parts, storedPart(p))
		}
		if !out.IsTruncated {
			return parts, nil
		}
		if out.Next == "" || out.Next == marker || len(parts) > maxParts {
			return nil, fmt.Errorf("%w: the parts of %s do not end", errAnswer, h.Key)
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

func (d *driver) Finish(ctx context.Context, h blob.Handle, parts []blob.StoredPart) (blob.Info, error) {
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
		info, err := d.settled(ctx, h)
		if err != nil && !missing(err) {
			err = errors.Join(fmt.Errorf("%w: %d of %d bytes in %d parts", errShort, size, h.Size, len(parts)), err)
		}
		return info, err
	}
	// The store replaces what is there: look first. It may be ours already.
	switch err := d.vacant(ctx, h.Key); {
	case errors.Is(err, errExists):
		if info, is := d.settled(ctx, h); is == nil {
			return info, nil
		}
		return blob.Info{}, err
	case err != nil:
		return blob.Info{}, err
	}
	var out completed
	err := d.post(ctx, call{doing: "complete " + h.Key, key: h.Key, query: []pair{{"uploadId", h.Upload}}}, in, &out)
	if err == nil && out.ETag != "" {
		return d.Stat(ctx, h.Key)
	}
	if err == nil {
		err = fmt.Errorf("%w: complete %s: no ETag", errAnswer, h.Key)
	}
	if info, is := d.settled(ctx, h); is == nil {
		return info, nil
	}
	if ctx.Err() != nil {
		return blob.Info{}, ctx.Err()
	}
	return blob.Info{}, err
}

// settled returns the object that the upload h became: one of its size, while
// the store knows the upload no more.
func (d *driver) settled(ctx context.Context, h blob.Handle) (blob.Info, error) {
	switch _, err := d.listParts(ctx, h); {
	case err == nil:
		return blob.Info{}, fmt.Errorf("obs: %s is not complete", h.Key)
	case !missing(err):
		return blob.Info{}, err
	}
	info, _, upload, err := d.head(ctx, h.Key)
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

func (d *driver) Revoke(ctx context.Context, h blob.Handle) error {
	if h.Upload == "" {
		return ctx.Err()
	}
	_, err := d.ask(ctx, call{doing: "abort " + h.Key, method: http.MethodDelete, key: h.Key, query: []pair{{"uploadId", h.Upload}}}, nil)
	if missing(err) {
		return nil
	}
	return err
}

func (d *driver) Link(_ context.Context, key string, o blob.LinkOptions) (string, error) {
	var query []pair
	if o.Name != "" || o.Attachment {
		query = append(query, pair{"response-content-disposition", disposition(o)})
	}
	if o.MIME != "" {
		query = append(query, pair{"response-content-type", o.MIME})
	}
	return d.address(d.keys.seal(), http.MethodGet, key, o.Until, query), nil
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

func (d *driver) Unfinished(ctx context.Context, after string, limit int) (found []blob.StrayUpload, next string, err error) {
	mark, err := url.ParseQuery(after)
	if err != nil {
		return nil, "", fmt.Errorf("%w: mark %q", errPlan, after)
	}
	return d.unfinished(ctx, "", mark.Get("key"), mark.Get("upload"), limit)
}

// unfinished lists uploads of keys with prefix, in the order of keys.
func (d *driver) unfinished(ctx context.Context, prefix, key, upload string, limit int) (found []blob.StrayUpload, next string, err error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, "", err
	}
	query := []pair{{"uploads", ""}, {"encoding-type", "url"}, {"max-uploads", strconv.Itoa(min(limit, maxPage))}}
	for _, p := range []pair{{"prefix", prefix}, {"key-marker", key}, {"upload-id-marker", upload}} {
		if p.value != "" {
			query = append(query, p)
		}
	}
	var out uploadList
	if _, err := d.ask(ctx, call{doing: "list uploads", method: http.MethodGet, query: query}, &out); err != nil {
		return nil, "", err
	}
	for _, u := range out.Uploads {
		plain, err := plainKey(out.Encoding, u.Key)
		if err != nil {
			return nil, "", fmt.Errorf("%w: list uploads: key %q", errAnswer, u.Key)
		}
		found = append(found, blob.StrayUpload{Handle: blob.Handle{Key: plain, Upload: u.UploadID}, Began: u.Initiated.UTC()})
	}
	if out.IsTruncated && len(found) > 0 {
		last := found[len(found)-1].Handle
		next = url.Values{"key": {last.Key}, "upload": {last.Upload}}.Encode()
	}
	return found, next, nil
}
