package ks3

import (
	"net/http"
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
	host := o.Bucket + ".ks3-cn-" + strings.ToLower(o.Region) + ".ksyuncs.com"
	e := &Emulator{o: o}
	e.Counter = counter.New(counter.Vendor{
		Bucket: o.Bucket, Host: host, RequestID: "X-Kss-Request-Id", Prefix: "X-Amz-", CRC: "X-Amz-Checksum-Crc64ecma",
		Source: o.Bucket + "/", Forbids: true, Clock: o.Clock, Promised: promised,
		Admit: func(r *http.Request) ([]counter.Field, *counter.Refusal) {
			return judge{Region: o.Region, Key: o.AccessKey, Secret: o.SecretKey}.check(r, o.Clock())
		},
	}, shelf.New(shelf.Options{Clock: o.Clock, MinPart: o.MinPart}), o.CORS)
	return e
}
