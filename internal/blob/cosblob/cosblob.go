package cosblob

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

// The vendor's bounds: https://cloud.tencent.com/document/product/436/14518
const (
	minPart  int64 = 1 << 20
	maxPart  int64 = 5 << 30
	maxParts       = 10_000
	maxPage        = 1000

	defaultPart int64 = 25 << 20
)

// Config names a bucket and who may use it.
type Config struct {
	Bucket    string // with the account's number: name-1250000000
	Region    string // ap-guangzhou
	Endpoint  string // of the bucket, when it is not https://{bucket}.cos.{region}.myqcloud.com
	AccessKey string
	SecretKey core.Secret

	// PartSize is that of uploads which pass through us; 0 is 25 MiB. It rises
	// where an object would have more than 10,000 parts.
	PartSize int64
}

var (
	validBucket = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,48}-[0-9]{5,}$`)
	validRegion = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error {
	switch {
	case !validBucket.MatchString(c.Bucket):
		return fmt.Errorf("bucket %q: want the name with the account's number behind it, as in files-1250000000", c.Bucket)
	case c.AccessKey == "" || c.AccessKey != strings.TrimSpace(c.AccessKey):
		return fmt.Errorf("access key: empty, or with blanks around it")
	case c.SecretKey == "" || c.SecretKey.Reveal() != strings.TrimSpace(c.SecretKey.Reveal()):
		return fmt.Errorf("secret key: empty, or with blanks around it")
	case c.Endpoint == "" && !validRegion.MatchString(c.Region):
		return fmt.Errorf("region %q: want one as in ap-guangzhou, or an endpoint", c.Region)
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
		raw = "https://" + c.Bucket + ".cos." + c.Region + ".myqcloud.com"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("endpoint %q: want https://host", raw)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("endpoint %q: want scheme and host alone; the bucket is in the host", raw)
	}
	return u, nil
}

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("cos: %w", err)
	}
	base, err := c.base()
	if err != nil {
		return nil, fmt.Errorf("cos: %w", err)
	}
	part := c.PartSize
	if part == 0 {
		part = defaultPart
	}
	return &driver{
		client: client{
			rt: rt, clock: clock, scheme: base.Scheme, host: base.Host,
			keys: keys{id: c.AccessKey, secret: []byte(c.SecretKey.Reveal())},
		},
		part: part,
	}, nil
}

type driver struct {
	client
	part int64
}

func (d *driver) Close() error { return nil }
