package obsblob

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The vendor's bounds: https://support.huaweicloud.com/api-obs/obs_04_0099.html
var vendor = xmlstore.Vendor{
	Name:       "obs",
	Host:       "%s.obs.%s.myhuaweicloud.com",
	Bucket:     regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`),
	BucketWant: "3 to 63 of a-z, 0-9, dot and hyphen",
	RegionLike: "cn-north-4",
	RuleIDs:    true,
	MinPart:    100 << 10,
}

// Config names a bucket in a region such as cn-north-4, and who may use it.
// Endpoint is the bucket's own, when it is not
// https://{bucket}.obs.{region}.myhuaweicloud.com.
type Config xmlstore.Config

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error { return vendor.Check(xmlstore.Config(c)) }

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("obs: %w", err)
	}
	base, err := vendor.Base(xmlstore.Config(c))
	if err != nil {
		return nil, fmt.Errorf("obs: %w", err)
	}
	signed := c.Bucket
	if !strings.HasPrefix(base.Host, c.Bucket+".") {
		signed = base.Hostname() // a domain that the bucket is bound to
	}
	signs := dialect{base: base, keys: keys{id: c.AccessKey, secret: []byte(c.SecretKey.Reveal()), bucket: signed}}
	return vendor.Open(xmlstore.Config(c), base, signs, xmlstore.Way{Transport: rt, Clock: clock}), nil
}
