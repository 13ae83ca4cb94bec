package ks3

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
}

// Emulator is one bucket. Front is where tests ask for faults and read the log.
type Emulator struct {
	Front *shelf.Front
	Shelf *shelf.Shelf
	o     Options
}

// New returns an empty bucket.
func New(o Options) *Emulator {
	if o.MinPart == 0 {
		o.MinPart = 100 << 10
	}
	e := &Emulator{o: o, Shelf: shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart})}
	e.Front = shelf.NewFront(http.HandlerFunc(e.serve), o.CORS)
	return e
}

// Host is what requests to the bucket are addressed to.
func (e *Emulator) Host() string {
	return e.o.Bucket + ".ks3-cn-" + strings.ToLower(e.o.Region) + ".ksyuncs.com"
}

func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.Front.ServeHTTP(w, r) }

// request is one that was let in.
type request struct {
	*http.Request
	key   string
	query map[string]string
	body  []byte
}

func (q request) has(name string) bool {
	_, ok := q.query[name]
	return ok
}

// limit reads the parameter that bounds a page.
func (q request) limit(name string) int {
	n, err := strconv.Atoi(q.query[name])
	if err != nil || n <= 0 || n > 1000 {
		return 1000
	}
	return n
}

func (e *Emulator) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", e.o.Clock().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Kss-Request-Id", "0000018F6D2B")
	q, no := e.admit(r)
	if no == nil {
		no = e.answer(w, q)
	}
	if no == nil {
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(no.status)
	if r.Method != http.MethodHead {
		_ = xml.NewEncoder(w).Encode(struct {
			XMLName                            xml.Name `xml:"Error"`
			Code, Message, Resource, RequestId string   //nolint:revive // as the vendor spells them
		}{Code: no.code, Message: no.message, Resource: r.RequestURI, RequestId: "0000018F6D2B"})
	}
}

func (e *Emulator) admit(r *http.Request) (request, *refusal) {
	if strings.TrimSuffix(r.Host, ":443") != e.Host() {
		return request{}, refuse(http.StatusNotFound, "NoSuchBucket", "no bucket at %s", r.Host)
	}
	by := judge{Region: e.o.Region, Key: e.o.AccessKey, Secret: e.o.SecretKey}
	fields, no := by.check(r, e.o.Clock())
	if no != nil {
		return request{}, no
	}
	if (r.Method == http.MethodPut || r.Method == http.MethodPost) && r.ContentLength < 0 {
		return request{}, refuse(http.StatusLengthRequired, "MissingContentLength", "a length is wanted")
	}
	rawPath, _, _ := strings.Cut(r.RequestURI, "?")
	path, err := url.PathUnescape(rawPath)
	if err != nil {
		return request{}, refuse(http.StatusBadRequest, "InvalidURI", "%v", err)
	}
	q := request{Request: r, key: strings.TrimPrefix(path, "/"), query: map[string]string{}}
	for _, f := range fields {
		q.query[f.name] = f.value
	}
	if q.body, err = io.ReadAll(r.Body); err != nil {
		// Whoever broke off hears nothing; nothing is stored.
		return request{}, refuse(http.StatusBadRequest, "IncompleteBody", "%v", err)
	}
	if no := promised(r.Header, q.body); no != nil {
		return request{}, no
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		if sum := md5.Sum(q.body); base64.StdEncoding.EncodeToString(sum[:]) != want { //nolint:gosec // the vendor asks for it
			return request{}, refuse(http.StatusBadRequest, "BadDigest", "the body is another")
		}
	}
	return q, nil
}

func (e *Emulator) answer(w http.ResponseWriter, q request) *refusal {
	type route struct {
		method string
		object bool
		query  string // that is there; "" for none of those
	}
	var is route
	for _, name := range []string{"uploads", "uploadId", "delete", "cors"} {
		if q.has(name) {
			is.query = name
		}
	}
	is.method, is.object = q.Method, q.key != ""
	handlers := map[route]func(http.ResponseWriter, request) *refusal{
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
func word(err error) *refusal {
	for is, no := range map[error]refusal{
		shelf.ErrNoObject: {http.StatusNotFound, "NoSuchKey", "The specified key does not exist."},
		shelf.ErrNoUpload: {http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist."},
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

func forbidden(q request) bool { return q.Header.Get("X-Amz-Forbid-Overwrite") == "true" }

func describe(w http.ResponseWriter, o shelf.Object) {
	h := w.Header()
	h.Set("ETag", `"`+o.ETag+`"`)
	h.Set("X-Amz-Checksum-Crc64ecma", strconv.FormatUint(o.CRC, 10))
	h.Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	h.Set("Content-Type", o.Type)
}

func (e *Emulator) head(w http.ResponseWriter, q request) *refusal {
	o, err := e.Shelf.Get(q.key)
	if err != nil {
		return word(err)
	}
	describe(w, o)
	w.Header().Set("Content-Length", strconv.Itoa(len(o.Data)))
	return nil
}

func (e *Emulator) get(w http.ResponseWriter, q request) *refusal {
	o, err := e.Shelf.Get(q.key)
	if err != nil {
		return word(err)
	}
	describe(w, o)
	for name, header := range map[string]string{
		"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type", "response-cache-control": "Cache-Control",
	} {
		if q.has(name) {
			w.Header().Set(header, q.query[name])
		}
	}
	data, status := o.Data, http.StatusOK
	if asked := q.Header.Get("Range"); asked != "" {
		from, end, ok := shelf.Span(asked, len(data))
		if !ok {
			return refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "%s of %d", asked, len(data))
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, end-1, len(data)))
		data, status = data[from:end], http.StatusPartialContent
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
	return nil
}

func (e *Emulator) put(w http.ResponseWriter, q request) *refusal {
	if source := q.Header.Get("X-Amz-Copy-Source"); source != "" {
		return e.copy(w, q, source)
	}
	o, err := e.Shelf.Put(q.key, q.Header.Get("Content-Type"), q.body, forbidden(q))
	if err != nil {
		return word(err)
	}
	w.Header().Set("ETag", `"`+o.ETag+`"`)
	return nil
}

func (e *Emulator) putPart(w http.ResponseWriter, q request) *refusal {
	n, err := strconv.Atoi(q.query["partNumber"])
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidArgument", "part number %q", q.query["partNumber"])
	}
	p, err := e.Shelf.PutPart(q.key, q.query["uploadId"], n, q.body)
	if err != nil {
		return word(err)
	}
	w.Header().Set("ETag", `"`+p.ETag+`"`)
	return nil
}

func (e *Emulator) abort(w http.ResponseWriter, q request) *refusal {
	if err := e.Shelf.Abort(q.key, q.query["uploadId"]); err != nil {
		return word(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
