package oss

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/counter"
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
	*counter.Counter
	Calls Calls

	o   Options
	key key
}

// New returns an empty bucket.
func New(o Options) *Emulator {
	if o.MinPart == 0 {
		o.MinPart = 100 << 10
	}
	e := &Emulator{o: o, key: newKey()}
	judge := Judge{Bucket: o.Bucket, Region: o.Region, Key: o.AccessKey, Secret: o.SecretKey}
	e.Counter = counter.New(counter.Vendor{
		Bucket: o.Bucket, Host: o.Bucket + ".oss-" + o.Region + ".aliyuncs.com", RequestID: "X-Oss-Request-Id",
		Prefix: "X-Oss-", CRC: "X-Oss-Hash-Crc64ecma", Source: "/" + o.Bucket + "/", Clock: o.Clock,
		Forbids: true, Capital: true, CompleteAll: true, Nameless: true, BadSum: "InvalidDigest", NoSum: "MissingArgument",
		Admit: func(r *http.Request) (fields []counter.Field, no *counter.Refusal) {
			if no := judge.Check(r, o.Clock()); no != nil {
				return nil, no
			}
			for name, values := range r.URL.Query() {
				fields = append(fields, counter.Field{Name: name, Value: values[0]})
			}
			return fields, nil
		},
		Span: span, Beside: e.beside, Ending: e.ending,
	}, shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart}), o.CORS)
	return e
}

// beside answers for the host that has the keys.
func (e *Emulator) beside(w http.ResponseWriter, r *http.Request) bool {
	if r.Host != KeyHost {
		return false
	}
	e.serveKey(w, r)
	return true
}

// ending makes the callback that a completion asks for.
func (e *Emulator) ending(q counter.Request) (func(http.ResponseWriter, shelf.Object) (bool, *counter.Refusal), *counter.Refusal) {
	ask, no := readWish(q)
	if ask == nil || no != nil {
		return nil, no
	}
	return func(w http.ResponseWriter, o shelf.Object) (bool, *counter.Refusal) {
		answer, err := e.call(q.Context(), *ask, o)
		if err != nil {
			// Stored all the same, as the service has it.
			return true, counter.Refuse(http.StatusNonAuthoritativeInfo, "CallbackFailed", "%v", err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
		return true, nil
	}, nil
}

// span reads a range, end excluded; ok is false for one that does not lie inside, which the
// service answers with all of the object unless it is told to keep to the standard.
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
