package s3blob

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // as the vendor sums
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const octets = "application/octet-stream"

// streamed sends a body that is read once.
func streamed(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

// summed sends Content-MD5, which every store of the family knows, and not the
// CRC of the SDK: https://github.com/googleapis/google-cloud-go/issues/11435
func summed(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		if _, err := stack.Initialize.Remove("AWSChecksum:SetupInputContext"); err != nil {
			return err
		}
		if _, err := stack.Finalize.Remove("AWSChecksum:ComputeInputPayloadChecksum"); err != nil {
			return err
		}
		return smithyhttp.AddContentChecksumMiddleware(stack)
	})
}

// unlessThere makes the store refuse a key that exists.
func (d *driver) unlessThere(o *s3.Options) {
	if !d.plain.Load() {
		o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue(d.condition, d.value))
	}
}

// unconditional reports whether err says that the store knows no conditions, and
// remembers it: we have looked for the key before, and keys are random.
func (d *driver) unconditional(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.Status == http.StatusNotImplemented && d.plain.CompareAndSwap(false, true)
}

func (d *driver) Stat(ctx context.Context, key string) (blob.Info, error) {
	seen, err := d.head(ctx, key)
	return seen.Info, err
}

func (d *driver) head(ctx context.Context, key string) (seen blob.Evidence, err error) {
	if err := ctx.Err(); err != nil {
		return seen, err
	}
	out, err := d.api.HeadObject(ctx, &s3.HeadObjectInput{Bucket: d.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return seen, d.fault(ctx, "head "+key, err)
	}
	if out.ContentLength == nil || out.LastModified == nil {
		return seen, fmt.Errorf("%w: head %s: no size or no date", errAnswer, key)
	}
	crc := out.ChecksumCRC64NVME
	if out.ChecksumType == types.ChecksumTypeComposite {
		crc = nil
	}
	seen.Info = blob.Info{Key: key, Size: *out.ContentLength, ModTime: out.LastModified.UTC()}
	seen.Sum = sums(crc, out.ETag, kms(out.ServerSideEncryption))
	if !d.careful && !kms(out.ServerSideEncryption) && out.SSECustomerAlgorithm == nil {
		seen.Parted = parted(aws.ToString(out.ETag))
	}
	return seen, nil
}

// parted returns the sum in the ETag of an object of parts, as in "…-3", which is
// the MD5 of the MD5s of its parts; nil where it is none.
func parted(etag string) []byte {
	digits, count, ok := strings.Cut(strings.Trim(etag, `"`), "-")
	sum, err := hex.DecodeString(digits)
	if n, nerr := strconv.Atoi(count); !ok || err != nil || nerr != nil || n < 1 || len(sum) != md5.Size {
		return nil
	}
	return sum
}

// kms reports whether the store ciphers with a key that makes ETags no digests.
func kms(e types.ServerSideEncryption) bool {
	return e == types.ServerSideEncryptionAwsKms || e == types.ServerSideEncryptionAwsKmsDsse
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
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	out, err := d.api.GetObject(ctx, &s3.GetObjectInput{
		Bucket: d.bucket, Key: &key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", r.From, r.To-1)),
	})
	if err != nil {
		err = d.fault(ctx, "get "+key, err)
		var f *fault
		if errors.As(err, &f) && f.Status == http.StatusRequestedRangeNotSatisfiable {
			err = fmt.Errorf("%w: %w", errRange, err)
		}
		return nil, err
	}
	from, to, size, err := contentRange(out)
	switch {
	case err != nil:
	case r.To > size:
		err = errRange
	case from != r.From || to != r.To:
		err = fmt.Errorf("%w: get %s: bytes %d to %d, asked for %d to %d", errAnswer, key, from, to, r.From, r.To)
	}
	if err != nil {
		out.Body.Close()
		return nil, err
	}
	return &outlet{out.Body, r.Len()}, nil
}

// contentRange returns which bytes an answer has, to excluded, and how many the
// object.
func contentRange(out *s3.GetObjectOutput) (from, to, size int64, err error) {
	s := aws.ToString(out.ContentRange)
	if s == "" {
		size = aws.ToInt64(out.ContentLength)
		return 0, size, size, nil
	}
	if _, err = fmt.Sscanf(s, "bytes %d-%d/%d", &from, &to, &size); err != nil {
		return 0, 0, 0, fmt.Errorf("%w: content range %q", errAnswer, s)
	}
	return from, to + 1, size, nil
}

// held is the size up to which an object is kept in memory on its way.
const held = 1 << 20

// Put reads src once. What is small goes in one request, under the sum of the
// whole; what is not goes in parts, of which nothing is seen before the last: a
// store may take half a body for a whole one when the connection breaks.
func (d *driver) Put(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	size := src.Size()
	if size > held {
		return d.putParts(ctx, key, src, o)
	}
	if d.condition != "If-None-Match" || d.plain.Load() {
		// The store may not look by itself.
		if err := d.free(ctx, key); err != nil {
			return blob.Info{}, err
		}
	}
	body := newStream(src, size, true)
	data := make([]byte, size)
	if _, err := io.ReadFull(body, data); body.err != nil || err != nil {
		return blob.Info{}, cmp.Or(body.err, err)
	}
	err := d.put(ctx, key, data, body)
	if d.unconditional(err) {
		if err = d.free(ctx, key); err == nil {
			err = d.put(ctx, key, data, body)
		}
	}
	switch {
	case errors.Is(err, errSum):
		return blob.Info{}, errors.Join(err, d.drop(ctx, key))
	case err != nil && d.Classify(err) != errs.Transient:
		return blob.Info{}, err
	}
	// After an answer that was lost the object itself says what became of it.
	kept, unseen := d.head(ctx, key)
	switch same, known := body.agrees(kept.Sum); {
	case unseen != nil && err != nil:
		return blob.Info{}, err
	case unseen != nil:
		return blob.Info{}, unseen
	case err != nil && (kept.Info.Size != size || !same || !known):
		return blob.Info{}, err
	}
	return kept.Info, nil
}

func (d *driver) putParts(ctx context.Context, key string, src blob.Source, o blob.PutOptions) (blob.Info, error) {
	size := src.Size()
	part := blob.ChunkSize(size, d.part)
	if blob.Chunks(size, part) > maxParts {
		return blob.Info{}, errLarge
	}
	if err := d.free(ctx, key); err != nil {
		return blob.Info{}, err
	}
	id, err := d.initiate(ctx, key, "")
	if err != nil {
		return blob.Info{}, err
	}
	h := blob.Handle{Key: key, Size: size, Upload: planned(part, id)}
	var info blob.Info
	if err = d.WriteAt(ctx, h, core.Range{To: size}, src, o); err == nil {
		info, err = d.Commit(ctx, h, o)
	}
	if err != nil {
		// A cancelled call still cleans up behind it, but not for ever.
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return blob.Info{}, errors.Join(err, d.Revoke(clean, h))
	}
	return info, nil
}

// put sends data and compares what the store says of it with the sums of body.
func (d *driver) put(ctx context.Context, key string, data []byte, body *stream) error {
	out, err := d.api.PutObject(ctx, &s3.PutObjectInput{
		Bucket: d.bucket, Key: &key, ContentType: aws.String(octets),
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
	}, d.unlessThere)
	switch {
	case err != nil:
		return d.fault(ctx, "put "+key, err)
	case out.ETag == nil:
		return fmt.Errorf("%w: put %s: no ETag", errAnswer, key)
	}
	if same, _ := body.agrees(sums(out.ChecksumCRC64NVME, out.ETag, kms(out.ServerSideEncryption))); !same {
		return fmt.Errorf("%w: put %s", errSum, key)
	}
	return nil
}

// free asks that there is no object of key.
func (d *driver) free(ctx context.Context, key string) error {
	switch _, err := d.Stat(ctx, key); {
	case err == nil:
		return errExists
	case missing(err):
		return nil
	default:
		return err
	}
}

// Copy implements blob.Copier.
func (d *driver) Copy(ctx context.Context, from, to string) (blob.Info, error) {
	if err := d.free(ctx, to); err != nil {
		return blob.Info{}, err
	}
	source := *d.bucket + "/" + encodePath(from)
	_, err := d.api.CopyObject(ctx, &s3.CopyObjectInput{Bucket: d.bucket, Key: &to, CopySource: &source})
	err = d.fault(ctx, "copy "+from, err)
	if err != nil && d.Classify(err) != errs.Transient {
		return blob.Info{}, err
	}
	// After an answer that was lost the objects themselves say what became of it.
	was, serr := d.Stat(ctx, from)
	info, terr := d.Stat(ctx, to)
	switch {
	case serr != nil || terr != nil:
		return blob.Info{}, errors.Join(err, serr, terr)
	case info.Size != was.Size:
		return blob.Info{}, errors.Join(err, fmt.Errorf("%w: copy %s: the copy has %d bytes of %d", errSum, from, info.Size, was.Size))
	}
	return info, nil
}

// drop removes what was stored wrong just now.
func (d *driver) drop(ctx context.Context, key string) error {
	_, err := d.Delete(ctx, []string{key})
	return err
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
	why := map[string]error{}
	var list []types.ObjectIdentifier
	for _, k := range keys {
		if why[k] == nil {
			list = append(list, types.ObjectIdentifier{Key: aws.String(k)})
		}
		why[k] = fmt.Errorf("%w: delete %s: not named in the answer", errAnswer, k)
	}
	// Not quiet: silence about a key is no proof.
	out, err := d.api.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: d.bucket, Delete: &types.Delete{Objects: list}}, summed)
	if err != nil {
		return nil, d.fault(ctx, "delete", err)
	}
	for _, gone := range out.Deleted {
		delete(why, aws.ToString(gone.Key))
	}
	for _, e := range out.Errors {
		key, code := aws.ToString(e.Key), aws.ToString(e.Code)
		if code == "NoSuchKey" {
			delete(why, key)
			continue
		}
		why[key] = &fault{Doing: "delete " + key, Status: http.StatusForbidden, Code: code, Message: aws.ToString(e.Message)}
	}
	for _, k := range slices.Sorted(maps.Keys(why)) {
		failed = append(failed, blob.KeyError{Key: k, Err: why[k]})
	}
	return failed, nil
}

// List uses the first form of the call, which the whole family knows.
func (d *driver) List(ctx context.Context, prefix, after string, limit int) (blob.Page, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return blob.Page{}, err
	}
	in := &s3.ListObjectsInput{
		Bucket: d.bucket, EncodingType: types.EncodingTypeUrl, MaxKeys: aws.Int32(int32(min(limit, maxPage))),
		Prefix: text(prefix), Marker: text(after),
	}
	out, err := d.api.ListObjects(ctx, in)
	if err != nil {
		return blob.Page{}, d.fault(ctx, "list", err)
	}
	if out.Name == nil {
		return blob.Page{}, fmt.Errorf("%w: not a list of objects", errAnswer)
	}
	var page blob.Page
	for _, o := range out.Contents {
		key, err := plainKey(out.EncodingType, o.Key)
		if err != nil || o.LastModified == nil {
			return blob.Page{}, fmt.Errorf("%w: list: key %q", errAnswer, aws.ToString(o.Key))
		}
		page.Objects = append(page.Objects, blob.Info{Key: key, Size: aws.ToInt64(o.Size), ModTime: o.LastModified.UTC()})
	}
	if aws.ToBool(out.IsTruncated) && len(page.Objects) > 0 {
		page.Next = page.Objects[len(page.Objects)-1].Key
	}
	return page, nil
}

// text is s as an optional parameter.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// plainKey undoes the encoding that a listing was asked to have.
func plainKey(e types.EncodingType, key *string) (string, error) {
	if e != types.EncodingTypeUrl {
		return aws.ToString(key), nil
	}
	return url.QueryUnescape(aws.ToString(key))
}
