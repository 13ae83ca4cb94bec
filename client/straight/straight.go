package straight

import (
	"cmp"
	"context"
	"crypto/md5" //nolint:gosec // what stores have for an ETag
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Kinds are the stores that take an upload in parts to be completed with their ETags.
var Kinds = []string{"s3", "ks3", "cos", "obs", "oss"}

// Page is a run of addresses.
type Page struct {
	From     int      // number of the first part
	Parts    []string // where to PUT, in order
	Complete string   // where to POST the end
	End      End      // what to send there
	Header   map[string]string
	Expires  time.Time
	Stored   []Stored
	Whole    bool // the store has the object already
	Secret   string
}

// End is the request that ends an upload.
type End struct {
	Method string // "" is POST
	Header map[string]string
	Bare   bool // without the list of parts
}

// Stored is a part that the store has.
type Stored struct {
	Index int
	Size  int64
	ETag  string // with its quotes
}

// holds reports that a part is what r gives, as far as its ETag tells: it does where it is
// the MD5 of the part.
func (s Stored) holds(r io.Reader) (bool, error) {
	want, err := hex.DecodeString(strings.Trim(s.ETag, `"`))
	if err != nil || len(want) != md5.Size {
		return true, nil //nolint:nilerr // it is something else: the end will tell
	}
	h := md5.New() //nolint:gosec // see above
	if _, err := io.Copy(h, r); err != nil {
		return false, err
	}
	return string(h.Sum(nil)) == string(want), nil
}

// Refused is a store's refusal.
type Refused struct {
	Op      string
	Status  int
	Code    string // of the store, such as NoSuchUpload; "" if it gave none
	Message string
	After   time.Duration // what it asked to wait; 0: nothing
}

func (r *Refused) Error() string {
	what := strings.TrimSpace(r.Code + " " + r.Message)
	if what == "" {
		what = http.StatusText(r.Status)
	}
	return fmt.Sprintf("%s: the store answered HTTP %d: %s", r.Op, r.Status, what)
}

// Unreachable is that nobody answered: a name that is not known, a connection or a
// certificate that was refused, or a line that broke.
type Unreachable struct {
	Err error
	Met bool // there was a connection
}

func (u *Unreachable) Error() string { return "the store cannot be reached: " + u.Err.Error() }

// Unwrap returns why.
func (u *Unreachable) Unwrap() error { return u.Err }

// Final reports that no connection was made, so that trying again is of no use: the name,
// the way, a proxy on it or the certificate is at fault.
func (u *Unreachable) Final() bool { return !u.Met }

// RetryAfter is how long an answer asks to wait, in seconds or until a date (RFC 9110
// §10.2.3); 0: nothing, or nothing that can be read.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	asked := h.Get("Retry-After")
	if s, err := strconv.Atoi(asked); err == nil {
		return time.Duration(min(max(0, s), 1<<30)) * time.Second
	}
	at, err := http.ParseTime(asked)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

// Upload is one upload. It may be used by many goroutines.
type Upload struct {
	Kind  string
	fetch func(ctx context.Context, from int, stored bool) (Page, error)
	http  *http.Client

	mu      sync.Mutex
	at      string // one of its addresses
	address map[int]string
	last    Page           // whatever it says of the whole
	tags    map[int]string // of what the store has
	ours    map[int]string // of what we sent, or found to be as we would
}

// New returns an upload whose addresses fetch asks the server for. c must not add anything of
// the server's to requests: they go to somebody else, and their addresses say all.
func New(kind string, c *http.Client, fetch func(ctx context.Context, from int, stored bool) (Page, error)) *Upload {
	return &Upload{Kind: kind, fetch: fetch, http: c, address: map[int]string{}, tags: map[int]string{}, ours: map[int]string{}}
}

// Secret is what the client says it with, "" before any address was asked for.
func (u *Upload) Secret() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last.Secret
}

// At is an address of the store, "" before any was asked for.
func (u *Upload) At() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.at
}

// Look asks which parts the store has; whole: it has the object. One that has come over
// ours since, as what broke off a while ago may, is left out: it is to be sent again.
func (u *Upload) Look(ctx context.Context) (parts []Stored, whole bool, err error) {
	p, err := u.page(ctx, 0, true)
	if err != nil {
		return nil, false, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.tags)
	for _, s := range p.Stored {
		if tag, ok := u.ours[s.Index]; !ok || strings.Trim(tag, `"`) == strings.Trim(s.ETag, `"`) {
			u.tags[s.Index] = s.ETag
			parts = append(parts, s)
		}
	}
	return parts, p.Whole, nil
}

// Holds reports that a part which the store has is what r gives. It is ours from then on.
func (u *Upload) Holds(part Stored, r io.Reader) (bool, error) {
	ok, err := part.holds(r)
	if ok {
		u.mu.Lock()
		u.ours[part.Index] = part.ETag
		u.mu.Unlock()
	}
	return ok, err
}

func (u *Upload) page(ctx context.Context, from int, stored bool) (Page, error) {
	p, err := u.fetch(ctx, from, stored)
	if err != nil {
		return p, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.last = p
	for i, a := range p.Parts {
		u.address[p.From+i], u.at = a, a
	}
	return p, nil
}

// slack is how long before their end addresses are taken for ended.
const slack = 2 * time.Minute

func (u *Upload) known(part int) (address string, h map[string]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if e := u.last.Expires; !e.IsZero() && time.Until(e) < slack {
		clear(u.address)
	}
	return u.address[part], u.last.Header
}

// forget drops the addresses, which are as old as that of part, which is refused; if
// there is another by now, they have been renewed.
func (u *Upload) forget(part int, refused string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.address[part] != refused {
		return
	}
	clear(u.address)
	u.last.Complete = ""
}

func (u *Upload) where(ctx context.Context, part int) (string, map[string]string, error) {
	if a, h := u.known(part); a != "" {
		return a, h, nil
	}
	p, err := u.page(ctx, part, false)
	if err != nil {
		return "", nil, err
	}
	if len(p.Parts) == 0 || p.From != part {
		return "", nil, fmt.Errorf("the server gave no address for part %d", part+1)
	}
	return p.Parts[0], p.Header, nil
}

// Put sends part number part, n bytes that open gives, and keeps its ETag. An address
// that is refused for its age is renewed once.
func (u *Upload) Put(ctx context.Context, part int, open func() io.ReadCloser, n int64) error {
	const op = "send part"
	for again := false; ; again = true {
		address, h, err := u.where(ctx, part)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPut, address, http.NoBody)
		if err != nil {
			return err
		}
		if n > 0 {
			r.Body, r.ContentLength = open(), n
			r.GetBody = func() (io.ReadCloser, error) { return open(), nil }
		}
		tag, err := u.do(op, r, h)
		refused, ok := errors.AsType[*Refused](err)
		if ok && refused.Status == http.StatusForbidden && !again {
			u.forget(part, address)
			continue
		}
		if err == nil && tag == "" {
			err = fmt.Errorf("%s: the store gave no ETag", op)
		}
		if err != nil {
			return err
		}
		u.mu.Lock()
		u.tags[part], u.ours[part] = tag, tag
		u.mu.Unlock()
		return nil
	}
}

// most is how much of an answer is read.
const most = 64 << 10

// do sends a request and returns the ETag of the answer.
func (u *Upload) do(op string, r *http.Request, h map[string]string) (tag string, err error) {
	r.Header.Set("Content-Type", "application/octet-stream")
	for name, value := range h {
		r.Header.Set(name, value)
	}
	var met atomic.Bool
	trace := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { met.Store(true) }})
	resp, err := u.http.Do(r.WithContext(trace))
	if err != nil {
		if r.Context().Err() != nil {
			return "", context.Cause(r.Context())
		}
		return "", &Unreachable{Err: err, Met: met.Load()}
	}
	defer func() { _ = resp.Body.Close() }() // only read
	got, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return "", &Unreachable{Err: err, Met: true}
	}
	var fault struct {
		XMLName xml.Name
		Code    string
		Message string
	}
	broken := xml.Unmarshal(got, &fault) == nil && fault.XMLName.Local == "Error"
	if resp.StatusCode/100 == 2 && !broken {
		return resp.Header.Get("ETag"), nil
	}
	status := resp.StatusCode
	if broken && status/100 == 2 { // an error after the status of a success was sent
		status = http.StatusInternalServerError
	}
	return "", &Refused{Op: op, Status: status, Code: fault.Code, Message: fault.Message, After: RetryAfter(resp.Header, time.Now())}
}

// Complete ends an upload of that many parts at the store. One that the store does not
// know any more may be complete already: the server finds out.
func (u *Upload) Complete(ctx context.Context, parts int) error {
	u.mu.Lock()
	p := u.last
	list, err := u.list(parts)
	u.mu.Unlock()
	if err != nil {
		return err
	}
	for again := false; ; again = true {
		if p.Complete == "" {
			if p, err = u.page(ctx, 0, false); err != nil {
				return err
			}
		}
		body := list
		if p.End.Bare {
			body = ""
		}
		r, err := http.NewRequestWithContext(ctx, cmp.Or(p.End.Method, http.MethodPost), p.Complete, strings.NewReader(body))
		if err != nil {
			return err
		}
		_, err = u.do("complete", r, p.End.Header)
		refused, ok := errors.AsType[*Refused](err)
		switch {
		case ok && refused.Status == http.StatusForbidden && !again:
			p.Complete = ""
			continue
		case ok && refused.Status == http.StatusNotFound:
			return nil
		}
		return err
	}
}

// plainly keeps the quotes of ETags as they are, which clients of the protocol do.
var plainly = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// list is the body of a completion.
func (u *Upload) list(parts int) (string, error) {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i := range parts {
		tag, ok := u.tags[i]
		if !ok {
			return "", fmt.Errorf("part %d was not sent", i+1)
		}
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, plainly.Replace(tag))
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.String(), nil
}
