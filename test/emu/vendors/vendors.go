package vendors

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/counter"
	"github.com/wharfinger/wharfinger/test/emu/ks3"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
)

// Who may do everything.
const (
	Access = "AKIDexample"
	Secret = "not a secret"
)

// Options are what a store may be told of the world.
type Options struct {
	Clock func() time.Time
	Calls http.RoundTripper // the way of callbacks, of those who make them; nil loses them
}

// Store is a bucket at an emulator, and how a policy names it.
type Store struct {
	*counter.Counter
	Bucket, Region string
	Endpoint       string                                        // of the bucket; of all buckets where that is what a policy has
	Sign           func(address string, body []byte) http.Header // that callbacks have; nil where they are not signed
}

// Kinds are those that Open knows.
var Kinds = []string{"ks3", "cos", "obs", "oss"}

// Open returns an empty bucket of that kind.
func Open(kind string, o Options) (*Store, error) {
	s := &Store{Bucket: "files"}
	switch kind {
	case "cos":
		s.Bucket, s.Region = "files-1250000000", "ap-guangzhou"
		e := cos.New(cos.Options{Bucket: s.Bucket, Region: s.Region, AccessKey: Access, SecretKey: Secret, Clock: o.Clock})
		s.Counter = e.Counter
	case "ks3":
		s.Region = "BEIJING"
		e := ks3.New(ks3.Options{Bucket: s.Bucket, Region: s.Region, AccessKey: Access, SecretKey: Secret, Clock: o.Clock})
		s.Counter = e.Counter
	case "obs":
		s.Region = "cn-north-4"
		e := obs.New(obs.Options{Bucket: s.Bucket, Region: s.Region, AccessKey: Access, SecretKey: Secret, Clock: o.Clock, Calls: o.Calls})
		s.Counter = e.Counter
	case "oss":
		s.Region = "cn-hangzhou"
		e := oss.New(oss.Options{Bucket: s.Bucket, Region: s.Region, AccessKey: Access, SecretKey: Secret, Clock: o.Clock, Calls: o.Calls})
		s.Counter, s.Sign = e.Counter, e.Sign
	default:
		return nil, fmt.Errorf("no emulator of %q", kind)
	}
	s.Endpoint = "http://" + s.Host()
	if kind == "ks3" {
		s.Endpoint = "http://" + strings.TrimPrefix(s.Host(), s.Bucket+".")
	}
	return s, nil
}
