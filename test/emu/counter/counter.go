package counter

import (
	"cmp"
	"crypto/md5" //nolint:gosec // the vendors ask for it
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

// Vendor is what sets one store apart from the others that speak like S3.
type Vendor struct {
	Bucket, Host string // the bucket, and what requests to it are addressed to
	RequestID    string // header
	Prefix       string // of the other headers of its own, such as X-Obs-
	CRC          string // header with the CRC-64 of a body; "" for none
	Source       string // what the copy sources of this bucket begin with
	Named        bool   // objects of parts tell the upload that they were
	Forbids      bool   // Forbid-Overwrite is known
	Capital      bool   // ETags are written in capital letters
	CompleteAll  bool   // Complete-All takes the parts that are there
	Nameless     bool   // CORS rules have no names

	BadSum, NoSum string // refusals of a body for its Content-MD5; "" for those of Amazon

	Clock func() time.Time
	// Admit holds a request to the vendor's signature and returns its parameters.
	Admit func(r *http.Request) ([]Field, *Refusal)
	// Promised compares a body with what was signed of it; nil for nothing.
	Promised func(h http.Header, body []byte) *Refusal
	// Span reads a range, end excluded; where it is not ok all is answered. Nil refuses it
	// then, as the standard has it.
	Span func(asked string, size int) (from, end int, ok bool)
	// Beside answers for other hosts, and reports whether it did; nil for none.
	Beside func(w http.ResponseWriter, r *http.Request) bool
	// Ending reads what else a completion asks for, and returns what then answers it, if
	// anything; nil for nothing.
	Ending func(q Request) (func(w http.ResponseWriter, o shelf.Object) (done bool, no *Refusal), *Refusal)
}

// Field is a parameter as it came in, decoded once.
type Field struct{ Name, Value string }

// Refusal is an answer in the vendor's words.
type Refusal struct {
	Status        int
	Code, Message string
}

// Refuse returns a refusal.
func Refuse(status int, code, format string, args ...any) *Refusal {
	return &Refusal{status, code, fmt.Sprintf(format, args...)}
}

// Percent is how keys are written on pages and in addresses.
func Percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// RequestID is that of every answer.
const RequestID = "0000018F6D2B"

// Counter is one bucket. Front is where tests ask for faults and read the log.
type Counter struct {
	Front *shelf.Front
	Shelf *shelf.Shelf
	v     Vendor
}

// New opens the counter of a vendor over a shelf.
func New(v Vendor, s *shelf.Shelf, rules []shelf.Rule) *Counter {
	v.BadSum, v.NoSum = cmp.Or(v.BadSum, "BadDigest"), cmp.Or(v.NoSum, "InvalidDigest")
	e := &Counter{Shelf: s, v: v}
	e.Front = shelf.NewFront(http.HandlerFunc(e.serve), rules)
	return e
}

// Host is what requests to the bucket are addressed to.
func (e *Counter) Host() string { return e.v.Host }

func (e *Counter) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.Front.ServeHTTP(w, r) }

// Request is one that was let in.
type Request struct {
	*http.Request
	Key   string
	Query map[string]string
	Body  []byte
}

func (q Request) has(name string) bool {
	_, ok := q.Query[name]
	return ok
}

// limit reads the parameter that bounds a page.
func (q Request) limit(name string) int {
	n, err := strconv.Atoi(q.Query[name])
	if err != nil || n <= 0 || n > 1000 {
		return 1000
	}
	return n
}

func (e *Counter) serve(w http.ResponseWriter, r *http.Request) {
	if e.v.Beside != nil && e.v.Beside(w, r) {
		return
	}
	w.Header().Set("Date", e.v.Clock().UTC().Format(http.TimeFormat))
	w.Header().Set(e.v.RequestID, RequestID)
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
			XMLName                            xml.Name `xml:"Error"`
			Code, Message, Resource, RequestId string   //nolint:revive // as the vendor spells them
		}{Code: no.Code, Message: no.Message, Resource: r.RequestURI, RequestId: RequestID})
	}
}

func (e *Counter) admit(r *http.Request) (Request, *Refusal) {
	if strings.TrimSuffix(r.Host, ":443") != e.v.Host {
		return Request{}, Refuse(http.StatusNotFound, "NoSuchBucket", "no bucket at %s", r.Host)
	}
	fields, no := e.v.Admit(r)
	if no != nil {
		return Request{}, no
	}
	if (r.Method == http.MethodPut || r.Method == http.MethodPost) && r.ContentLength < 0 {
		return Request{}, Refuse(http.StatusLengthRequired, "MissingContentLength", "a length is wanted")
	}
	rawPath, _, _ := strings.Cut(r.RequestURI, "?")
	path, err := url.PathUnescape(rawPath)
	if err != nil {
		return Request{}, Refuse(http.StatusBadRequest, "InvalidURI", "%v", err)
	}
	q := Request{Request: r, Key: strings.TrimPrefix(path, "/"), Query: map[string]string{}}
	for _, f := range fields {
		q.Query[f.Name] = f.Value
	}
	if q.Body, err = io.ReadAll(r.Body); err != nil {
		// Whoever broke off hears nothing; nothing is stored.
		return Request{}, Refuse(http.StatusBadRequest, "IncompleteBody", "%v", err)
	}
	if e.v.Promised != nil {
		if no := e.v.Promised(r.Header, q.Body); no != nil {
			return Request{}, no
		}
	}
	if want := r.Header.Get("Content-MD5"); want != "" {
		if sum := md5.Sum(q.Body); base64.StdEncoding.EncodeToString(sum[:]) != want { //nolint:gosec // the vendor asks for it
			return Request{}, Refuse(http.StatusBadRequest, e.v.BadSum, "the body is another")
		}
	}
	return q, nil
}

func (e *Counter) answer(w http.ResponseWriter, q Request) *Refusal {
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
	is.method, is.object = q.Method, q.Key != ""
	handlers := map[route]func(http.ResponseWriter, Request) *Refusal{
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
		return Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "%s", q.Method)
	}
	return h(w, q)
}

// word is how the vendor says what the shelf refused.
func word(err error) *Refusal {
	for is, no := range map[error]Refusal{
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

// forbidden reports whether what is there must stay.
func (e *Counter) forbidden(q Request) bool {
	return e.v.Forbids && q.Header.Get(e.v.Prefix+"Forbid-Overwrite") == "true"
}

func (e *Counter) describe(w http.ResponseWriter, o shelf.Object) {
	h := w.Header()
	e.sum(w, o.ETag, o.CRC)
	if e.v.Named && o.Upload != "" {
		h.Set(e.v.Prefix+"Uploadid", o.Upload)
	}
	h.Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	h.Set("Content-Type", o.Type)
}

func (e *Counter) tag(etag string) string {
	if e.v.Capital {
		etag = strings.ToUpper(etag)
	}
	return `"` + etag + `"`
}

// sum tells what the store made of a body.
func (e *Counter) sum(w http.ResponseWriter, etag string, crc uint64) {
	w.Header().Set("ETag", e.tag(etag))
	if e.v.CRC != "" {
		w.Header().Set(e.v.CRC, strconv.FormatUint(crc, 10))
	}
}

func (e *Counter) head(w http.ResponseWriter, q Request) *Refusal {
	o, err := e.Shelf.Get(q.Key)
	if err != nil {
		return word(err)
	}
	e.describe(w, o)
	w.Header().Set("Content-Length", strconv.Itoa(len(o.Data)))
	return nil
}

func (e *Counter) get(w http.ResponseWriter, q Request) *Refusal {
	o, err := e.Shelf.Get(q.Key)
	if err != nil {
		return word(err)
	}
	e.describe(w, o)
	for name, header := range map[string]string{
		"response-content-disposition": "Content-Disposition", "response-content-type": "Content-Type", "response-cache-control": "Cache-Control",
	} {
		if q.has(name) {
			w.Header().Set(header, q.Query[name])
		}
	}
	data, status := o.Data, http.StatusOK
	if asked := q.Header.Get("Range"); asked != "" {
		span := shelf.Span
		if e.v.Span != nil {
			span = e.v.Span
		}
		from, end, ok := span(asked, len(data))
		if !ok && e.v.Span == nil {
			return Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "%s of %d", asked, len(data))
		}
		if ok {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, end-1, len(data)))
			data, status = data[from:end], http.StatusPartialContent
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
	return nil
}

func (e *Counter) put(w http.ResponseWriter, q Request) *Refusal {
	if source := q.Header.Get(e.v.Prefix + "Copy-Source"); source != "" {
		return e.copy(w, q, source)
	}
	o, err := e.Shelf.Put(q.Key, q.Header.Get("Content-Type"), q.Body, e.forbidden(q))
	if err != nil {
		return word(err)
	}
	e.sum(w, o.ETag, o.CRC)
	return nil
}

func (e *Counter) putPart(w http.ResponseWriter, q Request) *Refusal {
	n, err := strconv.Atoi(q.Query["partNumber"])
	if err != nil {
		return Refuse(http.StatusBadRequest, "InvalidArgument", "part number %q", q.Query["partNumber"])
	}
	p, err := e.Shelf.PutPart(q.Key, q.Query["uploadId"], n, q.Body)
	if err != nil {
		return word(err)
	}
	e.sum(w, p.ETag, p.CRC)
	return nil
}

func (e *Counter) abort(w http.ResponseWriter, q Request) *Refusal {
	if err := e.Shelf.Abort(q.Key, q.Query["uploadId"]); err != nil {
		return word(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
