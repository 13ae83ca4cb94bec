package s3blob

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/wharfinger/wharfinger/internal/blob"
)

func (d *driver) Grant(ctx context.Context, a blob.Ask) (blob.Handle, error) {
	if err := d.fits(a); err != nil {
		return blob.Handle{}, err
	}
	if err := d.free(ctx, a.Key); err != nil {
		return blob.Handle{}, err
	}
	id, err := d.initiate(ctx, a.Key, a.MIME)
	if err != nil {
		return blob.Handle{}, err
	}
	return blob.Handle{Key: a.Key, Size: a.Size, Upload: id}, nil
}

func (d *driver) fits(a blob.Ask) error {
	if a.Size < 0 || a.Parts() > maxParts || a.Part(0) > maxPart || (a.Parts() > 1 && a.PartSize < d.minPart) {
		return fmt.Errorf("%w: %d bytes in parts of %d", errPlan, a.Size, a.PartSize)
	}
	return nil
}

func (d *driver) initiate(ctx context.Context, key, mimeType string) (string, error) {
	if mimeType == "" {
		mimeType = octets
	}
	out, err := d.api.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: d.bucket, Key: &key, ContentType: &mimeType})
	if err != nil {
		return "", d.fault(ctx, "begin "+key, err)
	}
	id := aws.ToString(out.UploadId)
	if id == "" {
		return "", fmt.Errorf("%w: begin %s: no upload id", errAnswer, key)
	}
	return id, nil
}

// Sign pins the host and, where the store is known to allow it, the length of
// every part but an empty one, for which some clients send no length.
func (d *driver) Sign(_ context.Context, h blob.Handle, a blob.Ask, from, to int) (blob.Signed, error) {
	if from < 0 || from > to || to > a.Parts() {
		return blob.Signed{}, fmt.Errorf("%w: parts %d to %d of %d", errPlan, from, to, a.Parts())
	}
	if err := d.fits(a); err != nil {
		return blob.Signed{}, err
	}
	s, err := d.signer.seal(a.Now, a.Until)
	if err != nil {
		return blob.Signed{}, err
	}
	sent := http.Header{"Content-Type": {octets}}
	out := blob.Signed{Header: sent, Ending: sent.Clone(), Parts: make([]string, 0, to-from)}
	for n := from; n < to; n++ {
		length := a.Part(n)
		if !d.pinsLength || length == 0 {
			length = -1
		}
		out.Parts = append(out.Parts, s.address(http.MethodPut, h.Key,
			[]pair{{"partNumber", strconv.Itoa(n + 1)}, {"uploadId", h.Upload}}, length))
	}
	out.Complete = s.address(http.MethodPost, h.Key, []pair{{"uploadId", h.Upload}}, -1)
	return out, nil
}

func (d *driver) Confirm(ctx context.Context, h blob.Handle) (blob.Evidence, error) {
	_, h = unplan(h)
	parts, err := d.listParts(ctx, h)
	if err == nil {
		return blob.Evidence{Parts: parts}, nil
	}
	if !missing(err) {
		return blob.Evidence{}, err
	}
	seen, err := d.head(ctx, h.Key)
	seen.Stored = err == nil
	return seen, err
}

func (d *driver) listParts(ctx context.Context, h blob.Handle) (parts []blob.StoredPart, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	doing := "list parts of " + h.Key
	if h.Upload == "" {
		return nil, &fault{Doing: doing, Status: http.StatusNotFound, Code: "NoSuchUpload"}
	}
	in := &s3.ListPartsInput{Bucket: d.bucket, Key: &h.Key, UploadId: &h.Upload, MaxParts: aws.Int32(maxPage)}
	for {
		out, err := d.api.ListParts(ctx, in)
		if err != nil {
			return nil, d.fault(ctx, doing, err)
		}
		if out.UploadId == nil {
			return nil, fmt.Errorf("%w: %s: not a list of parts", errAnswer, doing)
		}
		for _, p := range out.Parts {
			parts = append(parts, storedPart(p))
		}
		if !aws.ToBool(out.IsTruncated) {
			return parts, nil
		}
		next := aws.ToString(out.NextPartNumberMarker)
		if next == "" || next == aws.ToString(in.PartNumberMarker) || len(parts) > maxParts {
			return nil, fmt.Errorf("%w: the parts of %s do not end", errAnswer, h.Key)
		}
		in.PartNumberMarker = &next
	}
}

func storedPart(p types.Part) blob.StoredPart {
	return blob.StoredPart{
		Number: int(aws.ToInt32(p.PartNumber)) - 1, Size: aws.ToInt64(p.Size), ETag: aws.ToString(p.ETag),
		// Under a key of the vendor's an ETag looks like an MD5 and is none, and a
		// list of parts does not say which it is.
		Sum: sums(p.ChecksumCRC64NVME, nil, false),
	}
}

func (d *driver) Finish(ctx context.Context, h blob.Handle, parts []blob.StoredPart) (blob.Info, error) {
	_, h = unplan(h)
	var list []types.CompletedPart
	var size int64
	for i, p := range parts {
		if p.Number != i {
			return blob.Info{}, fmt.Errorf("%w: part %d is missing", errShort, i)
		}
		size += p.Size
		done := types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.ETag)}
		list = append(list, done)
	}
	if size != h.Size || len(parts) == 0 {
		// It may be that the parts are gone because they are the object now.
		info, err := d.settled(ctx, h)
		if err != nil {
			err = errors.Join(fmt.Errorf("%w: %d of %d bytes in %d parts", errShort, size, h.Size, len(parts)), err)
		}
		return info, err
	}
	err := d.complete(ctx, h, list)
	if d.unconditional(err) {
		err = d.complete(ctx, h, list)
	}
	if err == nil {
		return d.Stat(ctx, h.Key)
	}
	switch info, is := d.settled(ctx, h); {
	case is == nil:
		return info, nil
	case ctx.Err() != nil:
		return blob.Info{}, ctx.Err()
	case missing(is):
		return blob.Info{}, errors.Join(is, err)
	}
	return blob.Info{}, err
}

func (d *driver) complete(ctx context.Context, h blob.Handle, list []types.CompletedPart) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out, err := d.api.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: d.bucket, Key: &h.Key, UploadId: &h.Upload, MultipartUpload: &types.CompletedMultipartUpload{Parts: list},
	}, d.unlessThere)
	if err != nil {
		return d.fault(ctx, "complete "+h.Key, err)
	}
	if aws.ToString(out.ETag) == "" {
		return fmt.Errorf("%w: complete %s: no ETag", errAnswer, h.Key)
	}
	return nil
}

// settled returns the object that the upload h became: one of its size, while
// the store knows the upload no more.
func (d *driver) settled(ctx context.Context, h blob.Handle) (blob.Info, error) {
	switch _, err := d.listParts(ctx, h); {
	case err == nil:
		return blob.Info{}, fmt.Errorf("s3: %s is not complete", h.Key)
	case !missing(err):
		return blob.Info{}, err
	}
	info, err := d.Stat(ctx, h.Key)
	if err == nil && info.Size != h.Size {
		err = fmt.Errorf("%w: %s has %d bytes, the upload %d", errExists, h.Key, info.Size, h.Size)
	}
	return info, err
}

func (d *driver) Revoke(ctx context.Context, h blob.Handle) error {
	_, h = unplan(h)
	if err := ctx.Err(); err != nil || h.Upload == "" {
		return err
	}
	d.tags.drop(h.Upload)
	_, err := d.api.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: d.bucket, Key: &h.Key, UploadId: &h.Upload})
	if err = d.fault(ctx, "abort "+h.Key, err); missing(err) {
		return nil
	}
	return err
}

// Link holds for at most seven days.
func (d *driver) Link(_ context.Context, key string, o blob.LinkOptions) (string, error) {
	s, err := d.signer.seal(o.Now, o.Until)
	if err != nil {
		return "", err
	}
	var query []pair
	if o.Name != "" || o.Attachment {
		query = append(query, pair{"response-content-disposition", disposition(o)})
	}
	if o.MIME != "" {
		query = append(query, pair{"response-content-type", o.MIME})
	}
	return s.address(http.MethodGet, key, query, -1), nil
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
	found, next, err = d.unfinished(ctx, "", mark.Get("key"), mark.Get("upload"), limit)
	var f *fault
	if errors.As(err, &f) && f.Code == "InvalidArgument" && mark.Has("upload") {
		// Some stores refuse the mark they gave: versitygw 1.8.0, and others once
		// that upload is gone. Then the next key it is.
		return d.unfinished(ctx, "", mark.Get("key"), "", limit)
	}
	return found, next, err
}

// unfinished lists uploads of keys with prefix, in the order of keys.
func (d *driver) unfinished(ctx context.Context, prefix, key, upload string, limit int) (found []blob.StrayUpload, next string, err error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, "", err
	}
	out, err := d.api.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{
		Bucket: d.bucket, EncodingType: types.EncodingTypeUrl, MaxUploads: aws.Int32(int32(min(limit, maxPage))),
		Prefix: text(prefix), KeyMarker: text(key), UploadIdMarker: text(upload),
	})
	if err != nil {
		return nil, "", d.fault(ctx, "list uploads", err)
	}
	if out.Bucket == nil {
		return nil, "", fmt.Errorf("%w: not a list of uploads", errAnswer)
	}
	for _, u := range out.Uploads {
		plain, err := plainKey(out.EncodingType, u.Key)
		if err != nil {
			return nil, "", fmt.Errorf("%w: list uploads: key %q", errAnswer, aws.ToString(u.Key))
		}
		stray := blob.StrayUpload{Handle: blob.Handle{Key: plain, Upload: aws.ToString(u.UploadId)}}
		if u.Initiated != nil {
			stray.Began = u.Initiated.UTC()
		}
		found = append(found, stray)
	}
	if aws.ToBool(out.IsTruncated) && len(found) > 0 {
		last := found[len(found)-1].Handle
		next = url.Values{"key": {last.Key}, "upload": {last.Upload}}.Encode()
		if after, err := plainKey(out.EncodingType, out.NextKeyMarker); err == nil && after != "" {
			next = url.Values{"key": {after}, "upload": {aws.ToString(out.NextUploadIdMarker)}}.Encode()
		}
	}
	return found, next, nil
}
