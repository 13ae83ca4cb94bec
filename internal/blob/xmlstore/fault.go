package xmlstore

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// What this package refuses by itself.
var (
	errRange  = errors.New("range is not inside the object")
	errShort  = errors.New("the store holds fewer bytes than the upload has")
	errExists = errors.New("an upload or an object of that key exists")
	errLarge  = errors.New("more than 5 GiB in one request")
	errPlan   = errors.New("not a run of whole parts")
	errStaged = errors.New("parts cannot be read before the upload is complete")
	errSum    = errors.New("the store computed another checksum than we")
)

// fault is an answer that is none, and why.
type fault struct {
	Vendor  string
	Doing   string
	Status  int
	Code    string
	Message string
	ID      string        // of the request, for the vendor's support
	Wait    time.Duration // that the store asks for; 0 if it does not say
	Off     time.Duration // of our clock, where that is why
}

func (f *fault) Error() string {
	s := fmt.Sprintf("%s: %s: %d %s", f.Vendor, f.Doing, f.Status, f.Code)
	if f.Message != "" {
		s += ": " + f.Message
	}
	if f.Off != 0 {
		s += fmt.Sprintf(" (this machine's clock is %v off the store's)", f.Off)
	}
	if f.ID != "" {
		s += " [request " + f.ID + "]"
	}
	return s
}

// RetryAfter returns how long the store asks to wait before the next try.
func (f *fault) RetryAfter() time.Duration { return f.Wait }

// tooSkewed is the difference of clocks that is worth telling; the vendor
// refuses at 15 minutes.
const tooSkewed = 5 * time.Minute

// newFault reads an answer that is not what was hoped for. The body may be
// anything: a proxy's page, or cut off.
func (v Vendor) newFault(doing string, resp *http.Response, body []byte, now time.Time) *fault {
	f := &fault{Vendor: v.Name, Doing: doing, Status: resp.StatusCode, ID: resp.Header.Get(v.header("request-id"))}
	var x struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
	if xml.Unmarshal(body, &x) == nil && x.Code != "" {
		f.Code, f.Message = x.Code, x.Message
	} else {
		f.Code = http.StatusText(f.Status)
		if len(body) > 0 {
			f.Message = fmt.Sprintf("the answer is not the store's (%s)", resp.Header.Get("Content-Type"))
		}
	}
	f.Wait = retryAfter(resp.Header.Get("Retry-After"), now)
	if ms, err := strconv.Atoi(resp.Header.Get(v.header("qos-delay-time"))); err == nil && ms > 0 {
		f.Wait = min(time.Duration(ms)*time.Millisecond, time.Hour)
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if off := now.Sub(date).Round(time.Second); err == nil && f.Status == http.StatusForbidden && off.Abs() > tooSkewed {
		f.Off = off
	}
	return f
}

func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return min(time.Duration(n)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(0, at.Sub(now)), time.Hour)
	}
	return 0
}

// Classify implements blob.Driver.
func (s *Store) Classify(err error) errs.Kind {
	var f *fault
	var n net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.Canceled
	case errors.Is(err, errExists):
		return errs.Exists
	case errors.Is(err, errRange), errors.Is(err, errShort), errors.Is(err, errPlan):
		return errs.Invalid
	case errors.Is(err, errLarge):
		return errs.TooLarge
	case errors.Is(err, errStaged):
		return errs.Unsupported
	case errors.Is(err, errSum):
		return errs.Transient
	case errors.As(err, &f):
		return f.kind()
	case errors.As(err, &n), errors.Is(err, ErrAnswer), errors.Is(err, io.ErrUnexpectedEOF):
		return errs.Transient
	}
	return errs.Internal
}

func (f *fault) kind() errs.Kind {
	switch f.Code {
	case "ObjectAlreadyExists", "FileAlreadyExists", "PathConflict":
		return errs.Exists
	case "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted":
		return errs.Transient
	case "EntityTooLarge":
		return errs.TooLarge
	case "NoSuchBucket":
		return errs.Forbidden // a wrong set-up, which must not read as lost objects
	}
	switch s := f.Status; {
	case s == http.StatusNotFound:
		return errs.NotFound
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusUnavailableForLegalReasons:
		return errs.Forbidden
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s >= 500, s < 400:
		// Below 400 is an answer that makes no sense here: a proxy, or a redirect.
		return errs.Transient
	case s == http.StatusConflict:
		return errs.Conflict
	case s == http.StatusRequestEntityTooLarge:
		return errs.TooLarge
	}
	return errs.Invalid
}

// missing reports whether the store says that it knows no such thing. A bucket
// that is not there is a wrong set-up and not a missing object.
func missing(err error) bool {
	var f *fault
	return errors.As(err, &f) && f.Status == http.StatusNotFound && f.Code != "NoSuchBucket"
}
