package obs

import (
	"net/http"
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

	Calls  http.RoundTripper // for callbacks; nil makes them fail
	Repeat int               // how often a callback is made; 0 is once
}

// Emulator is one bucket. Front is where tests ask for faults and read the log.
type Emulator struct {
	*counter.Counter
	o Options
}

// New returns an empty bucket.
func New(o Options) *Emulator {
	if o.MinPart == 0 {
		o.MinPart = 100 << 10
	}
	host := o.Bucket + ".obs." + o.Region + ".myhuaweicloud.com"
	e := &Emulator{o: o}
	e.Counter = counter.New(counter.Vendor{
		Bucket: o.Bucket, Host: host, RequestID: "X-Obs-Request-Id", Prefix: "X-Obs-",
		Source: "/" + o.Bucket + "/", Named: true, Clock: o.Clock, Admit: e.verify, Ending: e.ending,
	}, shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart}), o.CORS)
	return e
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
		_, _ = w.Write(answer)
		return true, nil
	}, nil
}
