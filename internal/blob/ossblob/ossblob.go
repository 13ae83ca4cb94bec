package ossblob

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

// The vendor's bounds: https://www.alibabacloud.com/help/en/oss/product-overview/limits
var vendor = xmlstore.Vendor{
	Name:       "oss",
	Host:       "%s.oss-%s.aliyuncs.com",
	Bucket:     regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`),
	BucketWant: "3 to 63 of a-z, 0-9 and hyphen",
	RegionLike: "cn-hangzhou",
	Regional:   true,
	MinPart:    100 << 10,
	Forbids:    true,
	CRC:        true,
}

// Config names a bucket in a region such as cn-hangzhou, and who may use it.
// Endpoint is the bucket's own, when it is not
// https://{bucket}.oss-{region}.aliyuncs.com.
type Config xmlstore.Config

// plain takes the region as the vendor writes it in hosts, too.
func (c Config) plain() xmlstore.Config {
	c.Region = strings.TrimPrefix(c.Region, "oss-")
	return xmlstore.Config(c)
}

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error {
	if err := vendor.Check(c.plain()); err != nil {
		return err
	}
	base, err := vendor.Base(c.plain())
	if err != nil {
		return err
	}
	if host := base.Hostname(); strings.HasSuffix(host, ".aliyuncs.com") && !strings.HasPrefix(host, c.Bucket+".") {
		return fmt.Errorf("endpoint %q: want the bucket's own, %s://%s.%s", c.Endpoint, base.Scheme, c.Bucket, host)
	}
	return nil
}

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("oss: %w", err)
	}
	x := c.plain()
	base, err := vendor.Base(x)
	if err != nil {
		return nil, fmt.Errorf("oss: %w", err)
	}
	signs := dialect{base: base, keys: keys{id: x.AccessKey, secret: []byte(x.SecretKey.Reveal()), bucket: x.Bucket, region: x.Region}}
	way := xmlstore.Way{Transport: rt, Clock: clock}
	return &driver{Store: vendor.Open(x, base, signs, way), callers: callers{way: way}}, nil
}

// driver is a store that signs its callbacks.
type driver struct {
	*xmlstore.Store
	callers callers
}

var _ blob.Caller = (*driver)(nil)
