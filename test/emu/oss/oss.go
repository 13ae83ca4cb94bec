package oss

import (
	"crypto/md5" //nolint:gosec // the vendor asks for it
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// Options are the bucket and its owner.
type Options struct {
	Bucket, Region       string
	AccessKey, SecretKey string
	Clock                func() time.Time
	MinPart              int64 // 0 is the vendor's 100 KB
	CORS                 []shelf.Rule
	Calls                http.RoundTripper // for callbacks; nil makes them fail
}

// Emulator is one bucket, and the host that has the keys of its callbacks. Front
// is where tests ask for faults and read the log.
type Emulator struct {
	Front *shelf.Front
	Shelf *shelf.Shelf
	Calls Calls

	o     Options
	judge Judge
	key   key
}

// New returns an empty bucket.
func New(o Options) *Emulator {
	if o.MinPart == 0 {
		o.MinPart = 100 << 10
	}
	e := &Emulator{
		o: o, Shelf: shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart}), key: newKey(),
		judge: Judge{Bucket: o.Bucket, Region: o.Region, Key: o.AccessKey, Secret: o.SecretKey},
	}
	e.Front = shelf.NewFront(http.HandlerFunc(e.serve), o.CORS)
	return e
}

// Host is what requests to the bucket are addressed to.
func (e *Emulator) Host() string { return e.o.Bucket + ".oss-" + e.o.Region + ".aliyuncs.com" }

func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.Front.ServeHTTP(w, r)
}

// request is one that was let in.
type request struct {
	*http.Request
	key   string
	query url.Values
	body  []byte
}

// limit reads the parameter that bounds a page.
func (q request) limit(name string) int {
	n, err := strconv.Atoi(q.query.Get(name))
	if err != nil || n <= 0 || n > 1000 {
		return 1000
	}
	return n
}

func (q request) forbids() bool { return q.Header.Get("X-Oss-Forbid-Overwrite") == "true" }

func refuse(status int, code, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

const requestID = "6553A4E1C1D2E3F4A5B6C7D8"

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request) {
	if r.Host == KeyHost {
		e.serveKey(w, r)
		return
	}
	w.Header().Set("Date", e.o.Clock().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Oss-Request-Id", requestID)
	q, no := e.admit(r)
	if no == nil {
		no = e.answer(w, q)
	}
	if no == nil {
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(no.Status)
	if r.Method != http.MethodHead {
		_ = xml.NewEncoder(w).Encode(struct {
			XMLName                          xml.Name `xml:"Error"`
			Code, Message, RequestId, HostId string   //nolint:revive // as the vendor spells them
		}{Code: no.Code, Message: no.Message, RequestId: requestID, HostId: e.Host()})
	}
}

func (e *Emulator) admit(r *http.Request) (request, *Refusal) {
	if strings.TrimSuffix(r.Host, ":443") != e.Host() {
		return request{}, refuse(http.StatusNotFound, "NoSuchBucket", "no bucket at %s", r.Host)
	}
	if no := e.judge.Check(r, e.o.Clock()); no != nil {
		return request{}, no
	}
	if (r.Method == http.MethodPut || r.Method == http.MethodPost) && r.ContentLength < 0 {
		return request{}, refuse(http.StatusLengthRequired, "MissingContentLength", "a length is wanted")
	}
	q := request{Request: r, key: strings.TrimPrefix(r.URL.Path, "/"), query: r.URL.Query()}
	var err error
	if q.body, err = io.ReadAll(r.Body); err != nil {
		// Whoever broke off hears nothing; nothing is stored.
		return request{}, refuse(http.StatusBadRequest, "IncompleteBody", "%v", err)
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		if sum := md5.Sum(q.body); base64.StdEncoding.EncodeToString(sum[:]) != want { //nolint:gosec // the vendor asks for it
			return request{}, refuse(http.StatusBadRequest, "InvalidDigest", "the body is another")
		}
	}
	return q, nil
}

func (e *Emulator) answer(w http.ResponseWriter, q request) *Refusal {
	type route struct {
		method string
		object bool
		query  string // that is there; "" for none of those
	}
	var is route
	for _, name := range []string{"uploads", "uploadId", "delete", "cors"} {
		if q.query.Has(name) {
			is.query = name
		}
	}
	is.method, is.object = q.Method, q.key != ""
	handlers := map[route]func(http.ResponseWriter, request) *Refusal{
		{http.MethodHead, true, ""}:           e.head,
		{http.MethodGet, true, ""}:            e.get,
		{http.MethodPut, true, ""}:            e.put,
		{http.MethodPost, true, "uploads"}:    e.begin,
		{http.MethodPut, true, "uploadId"}:    e.putPart,
		{http.MethodGet, true, "uploadId"}:    e.listParts,
		{http.MethodPost, true, "uploadId"}:   e.complete,
		{http.MethodDelete, true, "uploadId"}: e.abort,
		{http.MethodPost, false, "delete"}:    e.deleteMany,
		{http.MethodGet, false, ""}:           e.list,
		{http.MethodGet, false, "uploads"}:    e.listUploads,
		{http.MethodGet, false, "cors"}:       e.getCORS,
		{http.MethodPut, false, "cors"}:       e.putCORS,
	}
	h := handlers[is]
	if h == nil {
		return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s", q.Method)
	}
	return h(w, q)
}

// word is how the vendor says what the shelf refused.
func word(err error) *Refusal {
	for is, no := range map[error]Refusal{
		shelf.ErrNoObject: {http.StatusNotFound, "NoSuchKey", "The specified key does not exist."},
		shelf.ErrNoUpload: {http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist."},
		shelf.ErrExists:   {http.StatusConflict, "FileAlreadyExists", "The object you specified already exists and can not be overwritten."},
		shelf.ErrPart:     {http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found."},
		shelf.ErrOrder:    {http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order."},
		shelf.ErrSmall:    {http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum."},
		shelf.ErrNumber:   {http.StatusBadRequest, "InvalidArgument", "part number"},
	} {
		if errors.Is(err, is) {
			return &no
		}
	}
	return nil
}

// tag is an ETag as the vendor writes it: in capital letters.
func tag(etag string) string { return `"` + strings.ToUpper(etag) + `"` }

func sums(w http.ResponseWriter, etag string, crc uint64) {
	w.Header().Set("ETag", tag(etag))
	w.Header().Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(crc, 10))
}

func describe(w http.ResponseWriter, o shelf.Object) {
	sums(w, o.ETag, o.CRC)
	w.Header().Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	w.Header().Set("Content-Type", o.Type)
}

func (e *Emulator) head(w http.ResponseWriter, q request) *Refusal {
	o, err := e.Shelf.Get(q.key)
	if err != nil {
		return word(err)
	}
	describe(w, o)
	w.Header().Set("Content-Length", strconv.Itoa(len(o.Data)))
	return nil
}

// get answers a range that does not lie inside the object with all of the object,
// as the service does unless it is told to keep to the standard.
func (e *Emulator) get(w http.ResponseWriter, q request) *Refusal {
	o, err := e.Shelf.Get(q.key)
	if err != nil {
		return word(err)
	}
	describe(w, o)
	for name, header := range map[string]string{
		"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type", "response-cache-control": "Cache-Control",
	} {
		if q.query.Has(name) {
			w.Header().Set(header, q.query.Get(name))
		}
	}
	data, status := o.Data, http.StatusOK
	if from, end, ok := span(q.Header.Get("Range"), len(data)); ok {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, end-1, len(data)))
		data, status = data[from:end], http.StatusPartialContent
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
	return nil
}

// span reads a range, end excluded; ok is false for one that does not lie inside.
func span(asked string, size int) (from, end int, ok bool) {
	if n, suffix := strings.CutPrefix(asked, "bytes=-"); suffix {
		last, err := strconv.Atoi(n)
		return size - last, size, err == nil && 0 < last && last <= size
	}
	first, last, _ := strings.Cut(strings.TrimPrefix(asked, "bytes="), "-")
	from, err := strconv.Atoi(first)
	if end = size; err == nil && last != "" {
		end, err = strconv.Atoi(last)
		end++
	}
	return from, end, err == nil && from < end && end <= size
}

func (e *Emulator) put(w http.ResponseWriter, q request) *Refusal {
	if source := q.Header.Get("X-Oss-Copy-Source"); source != "" {
		return e.copy(w, q, source)
	}
	o, err := e.Shelf.Put(q.key, q.Header.Get("Content-Type"), q.body, q.forbids())
	if err != nil {
		return word(err)
	}
	sums(w, o.ETag, o.CRC)
	return nil
}

func (e *Emulator) putPart(w http.ResponseWriter, q request) *Refusal {
	n, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidArgument", "part number %q", q.query.Get("partNumber"))
	}
	p, err := e.Shelf.PutPart(q.key, q.query.Get("uploadId"), n, q.body)
	if err != nil {
		return word(err)
	}
	sums(w, p.ETag, p.CRC)
	return nil
}

func (e *Emulator) abort(w http.ResponseWriter, q request) *Refusal {
	if err := e.Shelf.Abort(q.key, q.query.Get("uploadId")); err != nil {
		return word(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
