package s3blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// What this package refuses by itself.
var (
	errRange  = errors.New("s3: range is not inside the object")
	errShort  = errors.New("s3: the store holds fewer bytes than the upload has")
	errExists = errors.New("s3: an upload or an object of that key exists")
	errLarge  = errors.New("s3: more than the store takes")
	errPlan   = errors.New("s3: not a run of whole parts")
	errStaged = errors.New("s3: parts cannot be read before the upload is complete")
	errSum    = errors.New("s3: the store got other bytes than were sent")
	errLife   = errors.New("s3: the address would have expired before it is used")
	errAnswer = errors.New("s3: no answer") // an exchange that was broken off, or an answer that cannot be read
)

// fault is an answer that is none, and why.
type fault struct {
	Doing   string
	Status  int
	Code    string
	Message string
	ID      string        // of the request, for the vendor's support
	Wait    time.Duration // that the store asks for; 0 if it does not say
	Off     time.Duration // of our clock, where that is why
}

func (f *fault) Error() string {
	s := fmt.Sprintf("s3: %s: %d %s", f.Doing, f.Status, f.Code)
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

// fault makes an error of the SDK one of ours.
func (d *driver) fault(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var resp *awshttp.ResponseError
	if !errors.As(err, &resp) || resp.Response == nil || resp.HTTPStatusCode() == 0 {
		return fmt.Errorf("%w: %s: %w", errAnswer, doing, err)
	}
	h, now := resp.Response.Header, d.clock()
	f := &fault{
		Doing: doing, Status: resp.HTTPStatusCode(), ID: resp.ServiceRequestID(),
		Wait: retryAfter(h.Get("Retry-After"), now),
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		f.Code, f.Message = api.ErrorCode(), api.ErrorMessage()
		if f.Status < 300 {
			// An error may come after the status of a success was sent.
			f.Status = http.StatusInternalServerError
		}
	} else {
		f.Code = http.StatusText(f.Status)
		f.Message = fmt.Sprintf("the answer is not the store's (%s)", h.Get("Content-Type"))
	}
	date, bad := http.ParseTime(h.Get("Date"))
	if off := now.Sub(date).Round(time.Second); bad == nil && f.Status == http.StatusForbidden && off.Abs() > tooSkewed {
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

func (d *driver) Classify(err error) errs.Kind {
	var f *fault
	var n net.Error
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return errs.Canceled
	case errors.Is(err, errExists):
		return errs.Exists
	case errors.Is(err, errRange), errors.Is(err, errShort), errors.Is(err, errPlan), errors.Is(err, errLife):
		return errs.Invalid
	case errors.Is(err, errLarge):
		return errs.TooLarge
	case errors.Is(err, errStaged):
		return errs.Unsupported
	case errors.Is(err, errSum):
		return errs.Transient
	case errors.As(err, &f):
		return f.kind()
	case errors.As(err, &n), errors.Is(err, errAnswer), errors.Is(err, io.ErrUnexpectedEOF):
		return errs.Transient
	}
	return errs.Internal
}

func (f *fault) kind() errs.Kind {
	switch f.Code {
	case "PreconditionFailed", "FileAlreadyExists":
		return errs.Exists
	case "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted", "BadDigest", "XAmzContentChecksumMismatch":
		return errs.Transient
	case "EntityTooLarge":
		return errs.TooLarge
	}
	switch s := f.Status; {
	case missing(f):
		return errs.NotFound
	case s == http.StatusNotFound && f.Code == codeNotFound:
		return errs.Transient // a proxy's page
	case s == http.StatusNotFound:
		return errs.Forbidden // an account or a bucket that is not there
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusUnavailableForLegalReasons:
		return errs.Forbidden
	case s == http.StatusNotImplemented:
		return errs.Unsupported
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s >= 500, s < 400:
		// Below 400 is an answer that makes no sense here: a proxy, or a redirect.
		return errs.Transient
	case s == http.StatusConflict:
		return errs.Conflict
	case s == http.StatusPreconditionFailed:
		return errs.Exists
	case s == http.StatusRequestEntityTooLarge:
		return errs.TooLarge
	}
	return errs.Invalid
}

// codeNotFound is what the SDK makes of a 404 that has no code: the answer to a
// HEAD, which has no body, or a page that is not the store's.
const codeNotFound = "NotFound"

// missing reports whether the store says that it knows no such object or upload.
// Anything else that is not found is a wrong set-up, which must not read as lost
// objects.
func missing(err error) bool {
	var f *fault
	if !errors.As(err, &f) || f.Status != http.StatusNotFound {
		return false
	}
	return f.Code == "NoSuchKey" || f.Code == "NoSuchUpload" || (f.Code == codeNotFound && strings.HasPrefix(f.Doing, "head "))
}
