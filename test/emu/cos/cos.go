package cos

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
	MinPart              int64 // 0 is the vendor's 1 MB
	CORS                 []shelf.Rule
}

// Emulator is one bucket. Front is where tests ask for faults and read the log.
type Emulator struct {
	*counter.Counter
	o Options
}

// New returns an empty bucket.
func New(o Options) *Emulator {
	if o.MinPart == 0 {
		o.MinPart = 1 << 20
	}
	host := o.Bucket + ".cos." + o.Region + ".myqcloud.com"
	e := &Emulator{o: o}
	e.Counter = counter.New(counter.Vendor{
		Bucket: o.Bucket, Host: host, RequestID: "X-Cos-Request-Id", Prefix: "X-Cos-", CRC: "X-Cos-Hash-Crc64ecma",
		Source: host + "/", Forbids: true, Clock: o.Clock, Admit: e.admit,
	}, shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart, Gapless: true}), o.CORS)
	return e
}

func (e *Emulator) admit(r *http.Request) ([]counter.Field, *counter.Refusal) {
	if no := e.verify(r); no != nil {
		return nil, no
	}
	_, fields, no := findTicket(r)
	return fields, no
}
