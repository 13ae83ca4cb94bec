package xmlstore

import (
	"net/http"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestAStoreIsWaitedForAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second},
		{"Retry-After", "Sun, 22 Nov 2026 12:00:30 GMT", 30 * time.Second},
		{"Retry-After", "999999", time.Hour},
		{"Retry-After", "soon", 0},
		{"X-Oss-Qos-Delay-Time", "1500", 1500 * time.Millisecond}, // milliseconds
		{"X-Oss-Qos-Delay-Time", "-1", 0},
	} {
		resp := &http.Response{StatusCode: http.StatusServiceUnavailable, Header: http.Header{c.name: {c.value}}}
		f := Vendor{Name: "oss"}.newFault("list", resp, nil, now)
		if f.RetryAfter() != c.want || f.kind() != errs.Transient {
			t.Errorf("%s: %s: %v, %v", c.name, c.value, f.RetryAfter(), f.kind())
		}
	}
}

func TestWhatAStoreSaysHasAKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		code   string
		want   errs.Kind
	}{
		{203, "CallbackFailed", errs.Transient},
		{301, "Moved Permanently", errs.Transient},
		{400, "InvalidPart", errs.Invalid},
		{400, "EntityTooLarge", errs.TooLarge},
		{403, "AccessDenied", errs.Forbidden},
		{403, "RequestTimeTooSkewed", errs.Forbidden},
		{404, "NoSuchKey", errs.NotFound},
		{404, "NoSuchUpload", errs.NotFound},
		{404, "NoSuchBucket", errs.Forbidden},
		{409, "FileAlreadyExists", errs.Exists},
		{409, "ObjectAlreadyExists", errs.Exists},
		{409, "FileImmutable", errs.Conflict},
		{409, "OperationAborted", errs.Transient},
		{500, "InternalError", errs.Transient},
		{503, "SlowDown", errs.Transient},
	} {
		if got := (&fault{Status: c.status, Code: c.code}).kind(); got != c.want {
			t.Errorf("%d %s: %v, want %v", c.status, c.code, got, c.want)
		}
	}
}
