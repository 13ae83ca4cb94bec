package cosblob

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The vendor's bounds: https://cloud.tencent.com/document/product/436/14518
var vendor = xmlstore.Vendor{
	Name:       "cos",
	Host:       "%s.cos.%s.myqcloud.com",
	Bucket:     regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,48}-[0-9]{5,}$`),
	BucketWant: "the name with the account's number behind it, as in files-1250000000",
	RegionLike: "ap-guangzhou",
	RuleIDs:    true,
	ByHost:     true,
	MinPart:    1 << 20,
	Forbids:    true,
	CRC:        true,
}

// Config names a bucket, with the account's number (name-1250000000), in a region
// such as ap-guangzhou, and who may use it. Endpoint is the bucket's own, when it
// is not https://{bucket}.cos.{region}.myqcloud.com.
type Config xmlstore.Config

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error { return vendor.Check(xmlstore.Config(c)) }

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("cos: %w", err)
	}
	base, err := vendor.Base(xmlstore.Config(c))
	if err != nil {
		return nil, fmt.Errorf("cos: %w", err)
	}
	signs := dialect{base: base, keys: keys{id: c.AccessKey, secret: []byte(c.SecretKey.Reveal())}}
	return vendor.Open(xmlstore.Config(c), base, signs, xmlstore.Way{Transport: rt, Clock: clock}), nil
}
