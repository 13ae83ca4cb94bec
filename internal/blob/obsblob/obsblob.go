package obsblob

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The vendor's bounds: https://support.huaweicloud.com/api-obs/obs_04_0099.html
const (
	minPart  int64 = 100 << 10
	maxPart  int64 = 5 << 30
	maxParts       = 10_000
	maxPage        = 1000

	defaultPart int64 = 25 << 20
)

// Config names a bucket and who may use it.
type Config struct {
	Bucket    string // not its host
	Region    string // cn-north-4
	Endpoint  string // of the bucket, when it is not https://{bucket}.obs.{region}.myhuaweicloud.com
	AccessKey string
	SecretKey core.Secret

	// PartSize is that of uploads which pass through us; 0 is 25 MiB. It rises
	// where an object would have more than 10,000 parts.
	PartSize int64
}

var (
	validBucket = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	validRegion = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error {
	switch {
	case !validBucket.MatchString(c.Bucket):
		return fmt.Errorf("bucket %q: want 3 to 63 of a-z, 0-9, dot and hyphen", c.Bucket)
	case c.AccessKey == "" || c.AccessKey != strings.TrimSpace(c.AccessKey):
		return fmt.Errorf("access key: empty, or with blanks around it")
	case c.SecretKey == "" || c.SecretKey.Reveal() != strings.TrimSpace(c.SecretKey.Reveal()):
		return fmt.Errorf("secret key: empty, or with blanks around it")
	case c.Endpoint == "" && !validRegion.MatchString(c.Region):
		return fmt.Errorf("region %q: want one as in cn-north-4, or an endpoint", c.Region)
	case c.PartSize != 0 && (c.PartSize < minPart || c.PartSize > maxPart):
		return fmt.Errorf("part size %d: want %d to %d", c.PartSize, minPart, maxPart)
	}
	_, err := c.base()
	return err
}

// base returns the address of the bucket.
func (c Config) base() (*url.URL, error) {
	raw := c.Endpoint
	if raw == "" {
		raw = "https://" + c.Bucket + ".obs." + c.Region + ".myhuaweicloud.com"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("endpoint %q: want https://host", raw)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("endpoint %q: want scheme and host alone; the bucket is in the host", raw)
	}
	if strings.HasPrefix(u.Host, c.Bucket+"."+c.Bucket+".") {
		return nil, fmt.Errorf("endpoint %q: the bucket is in it twice", raw)
	}
	return u, nil
}

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("obs: %w", err)
	}
	base, err := c.base()
	if err != nil {
		return nil, fmt.Errorf("obs: %w", err)
	}
	signed := c.Bucket
	if !strings.HasPrefix(base.Host, c.Bucket+".") {
		signed = base.Hostname() // a domain that the bucket is bound to
	}
	part := c.PartSize
	if part == 0 {
		part = defaultPart
	}
	return &driver{
		client: client{
			rt: rt, clock: clock, scheme: base.Scheme, host: base.Host,
			keys: keys{id: c.AccessKey, secret: []byte(c.SecretKey.Reveal()), bucket: signed},
		},
		part: part,
	}, nil
}

type driver struct {
	client
	part int64
}

func (d *driver) Close() error { return nil }
