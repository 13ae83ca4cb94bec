package xmlstore

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the vendor asks for it
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer bounds what is read of an answer that is not an object: a full page
// of a listing is under 1 MiB.
const maxAnswer = 8 << 20

// ErrAnswer is an exchange that was broken off, or an answer that cannot be read.
var ErrAnswer = errors.New("no answer")

// call is one request to the store.
type call struct {
	doing  string // for errors: what for
	method string
	key    string // "" is the bucket
	query  []Pair
	header []Pair
	body   io.Reader // nil for none
	length int64
}

// broken is an ErrAnswer, with what was being done and why it failed.
func (s *Store) broken(doing string, err error) error {
	return fmt.Errorf("%s: %w: %s: %w", s.Name, ErrAnswer, doing, err)
}

// send makes the call and returns the answer when its status is one of a
// success. The caller closes its body.
func (s *Store) send(ctx context.Context, q call) (*http.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	req, err := s.request(ctx, q)
	if err != nil {
		return nil, err
	}
	resp, err := s.way.Transport.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.broken(q.doing, err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusPartialContent {
		return resp, nil
	}
	defer resp.Body.Close()
	// Half an error page still has its status.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return nil, s.newFault(q.doing, resp, body, s.way.Clock())
}

func (s *Store) request(ctx context.Context, q call) (*http.Request, error) {
	u := *s.base
	u.Path, u.RawPath, u.RawQuery = "/"+q.key, "/"+EncodePath(q.key), Query(q.query)
	body := q.body
	if q.length == 0 {
		body = http.NoBody
	}
	req, err := http.NewRequestWithContext(ctx, q.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	req.URL = &u
	req.ContentLength = q.length
	for _, h := range q.header {
		req.Header.Set(h.Name, h.Value)
	}
	s.dialect.Authorize(req, q.key, q.query, q.header, s.way.Clock())
	return req, nil
}

// ask makes a call whose answer is XML, and reads it into out unless that is
// nil. An error that comes with the status of a success is an error.
func (s *Store) ask(ctx context.Context, q call, out any) (http.Header, error) {
	resp, err := s.send(ctx, q)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.broken(q.doing+": the answer broke off", err)
	}
	if out == nil {
		return resp.Header, nil
	}
	if bytes.Contains(body[:min(len(body), 512)], []byte("<Error>")) {
		f := s.newFault(q.doing, resp, body, s.way.Clock())
		f.Status = http.StatusInternalServerError // https://cloud.tencent.com/document/product/436/7742 and S3 say so
		return nil, f
	}
	if err := xml.Unmarshal(body, out); err != nil {
		return nil, s.broken(q.doing, err)
	}
	return resp.Header, nil
}

// post makes a call with an XML body, by POST unless q says otherwise.
func (s *Store) post(ctx context.Context, q call, in, out any) error {
	body, err := xml.Marshal(in)
	if err != nil {
		return err
	}
	sum := md5.Sum(body) //nolint:gosec // the vendor asks for it
	if q.body, q.length = bytes.NewReader(body), int64(len(body)); q.method == "" {
		q.method = http.MethodPost
	}
	q.header = append(q.header, Pair{"content-type", "application/xml"}, Pair{"content-md5", base64.StdEncoding.EncodeToString(sum[:])})
	_, err = s.ask(ctx, q, out)
	return err
}

// The answers, as far as we read them. The name of the root tells them from a
// proxy's page; namespaces differ and are not looked at.
type (
	initiated struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadID string   `xml:"UploadId"`
	}
	completed struct {
		XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		ETag    string
	}
	partList struct {
		XMLName     xml.Name `xml:"ListPartsResult"`
		IsTruncated bool
		Next        string    `xml:"NextPartNumberMarker"`
		Parts       []xmlPart `xml:"Part"`
	}
	xmlPart struct {
		PartNumber int
		ETag       string
		Size       int64 `xml:",omitempty"`
	}
	uploadList struct {
		XMLName     xml.Name `xml:"ListMultipartUploadsResult"`
		Encoding    string   `xml:"EncodingType"`
		IsTruncated bool
		NextKey     string `xml:"NextKeyMarker"`
		NextUpload  string `xml:"NextUploadIdMarker"`
		Uploads     []struct {
			Key       string
			UploadID  string `xml:"UploadId"`
			Initiated time.Time
		} `xml:"Upload"`
	}
	objectList struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		Encoding    string   `xml:"EncodingType"`
		IsTruncated bool
		Contents    []struct {
			Key          string
			Size         int64
			LastModified time.Time
		}
	}
	completion struct {
		XMLName xml.Name  `xml:"CompleteMultipartUpload"`
		Parts   []xmlPart `xml:"Part"`
	}
	removal struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Objects []xmlKey `xml:"Object"`
	}
	xmlKey  struct{ Key string }
	removed struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []xmlKey
		Errors  []struct{ Key, Code, Message string } `xml:"Error"`
	}
)

// plainKey undoes the encoding that a listing was asked to have.
func plainKey(encoding, key string) (string, error) {
	if encoding != "url" {
		return key, nil
	}
	return url.PathUnescape(key)
}
