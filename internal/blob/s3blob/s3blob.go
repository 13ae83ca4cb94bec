package s3blob

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// The vendor's bounds:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
const (
	maxPart  int64 = 5 << 30
	maxParts       = 10_000
	maxPage        = 1000
	maxLife        = 7 * 24 * time.Hour // of an address

	defaultPart int64 = 25 << 20
)

// Config names a bucket and who may use it.
type Config struct {
	// Flavour is "s3" (also if empty) or "ks3".
	Flavour string

	// Endpoint is the address of the service without the bucket, as in
	// https://minio.example:9000. Empty is the vendor's own for the region.
	Endpoint string

	// Public is the endpoint that clients reach, where it is another than ours:
	// the host is signed. Empty is Endpoint.
	Public string

	Region    string // us-east-1, auto for R2; BEIJING for KS3
	Bucket    string
	AccessKey string
	SecretKey core.Secret

	// PathStyle puts the bucket into the path and not into the host.
	PathStyle bool

	// PartSize is that of uploads which pass through us; 0 is 25 MiB. It rises
	// where an object would have more than 10,000 parts.
	PartSize int64
}

// flavour is what sets one store of the family apart.
type flavour struct {
	minPart    int64
	pinsLength bool   // addresses of parts sign their length
	condition  string // header that makes the store refuse a key that exists
	value      string
	endpoint   func(region string) string
}

var flavours = map[string]flavour{
	"s3": {
		minPart: 5 << 20, pinsLength: true, condition: "If-None-Match", value: "*",
		endpoint: func(region string) string {
			if strings.HasPrefix(region, "cn-") {
				return "https://s3." + region + ".amazonaws.com.cn"
			}
			return "https://s3." + region + ".amazonaws.com"
		},
	},
	// Only the host is signed: https://github.com/rclone/rclone/issues/4048
	"ks3": {
		minPart: 100 << 10, condition: "X-Amz-Forbid-Overwrite", value: "true",
		endpoint: func(region string) string {
			return "https://ks3-cn-" + strings.ToLower(region) + ".ksyuncs.com"
		},
	},
}

var (
	validBucket = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}$`)
	validRegion = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

	// vendors are those who say that they add no partial objects. versitygw 1.8.0, for
	// one, lists a part that broke off with the length that was announced.
	// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
	vendors = regexp.MustCompile(`(^|\.)(amazonaws\.com(\.cn)?|ksyuncs\.com|r2\.cloudflarestorage\.com)$`)
)

func (c Config) flavour() (flavour, bool) {
	if c.Flavour == "" {
		c.Flavour = "s3"
	}
	f, ok := flavours[c.Flavour]
	return f, ok
}

// Validate says what is wrong with c in words for whoever wrote it.
func (c Config) Validate() error {
	f, ok := c.flavour()
	switch {
	case !ok:
		return fmt.Errorf("flavour %q: want s3 or ks3", c.Flavour)
	case !validBucket.MatchString(c.Bucket):
		return fmt.Errorf("bucket %q: want its name alone, 3 to 63 letters, digits, dots and dashes", c.Bucket)
	case !validRegion.MatchString(c.Region):
		return fmt.Errorf("region %q: want one as in us-east-1; auto for R2", c.Region)
	case c.AccessKey == "" || c.AccessKey != strings.TrimSpace(c.AccessKey):
		return errors.New("access key: empty, or with blanks around it")
	case c.SecretKey == "" || c.SecretKey.Reveal() != strings.TrimSpace(c.SecretKey.Reveal()):
		return errors.New("secret key: empty, or with blanks around it")
	case c.PartSize != 0 && (c.PartSize < f.minPart || c.PartSize > maxPart):
		return fmt.Errorf("part size %d: want %d to %d", c.PartSize, f.minPart, maxPart)
	}
	for _, raw := range []string{c.Endpoint, c.Public} {
		if _, err := c.site(raw); err != nil {
			return err
		}
	}
	return nil
}

// site is where a bucket is found.
type site struct{ scheme, host, prefix string }

// site returns the bucket's place at the endpoint raw, or at the vendor's own.
func (c Config) site(raw string) (site, error) {
	if raw == "" {
		f, _ := c.flavour()
		raw = f.endpoint(c.Region)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return site{}, fmt.Errorf("endpoint %q: want https://host", raw)
	}
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return site{}, fmt.Errorf("endpoint %q: want scheme and host alone, without the bucket", raw)
	}
	host := strings.TrimSuffix(u.Host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	if c.PathStyle {
		return site{u.Scheme, host, "/" + c.Bucket}, nil
	}
	switch {
	case net.ParseIP(u.Hostname()) != nil:
		return site{}, fmt.Errorf("endpoint %q is an IP address: it needs path style", raw)
	case u.Scheme == "https" && strings.Contains(c.Bucket, "."):
		return site{}, fmt.Errorf("bucket %q has a dot, so no certificate names its host: it needs path style", c.Bucket)
	}
	return site{u.Scheme, c.Bucket + "." + host, ""}, nil
}

// Open returns the driver of a bucket. It asks nobody: a wrong key or a missing
// bucket is told by the first call.
func Open(_ context.Context, c Config, rt http.RoundTripper, clock core.Clock) (blob.Driver, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	f, _ := c.flavour()
	endpoint, public := c.Endpoint, c.Public
	if endpoint == "" {
		endpoint = f.endpoint(c.Region)
	}
	if public == "" {
		public = endpoint
	}
	at, err := c.site(public)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	part := c.PartSize
	if part == 0 {
		part = defaultPart
	}
	keys := aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey.Reveal()}
	return &driver{
		flavour: f, clock: clock, bucket: aws.String(c.Bucket), part: part, careful: vendors.MatchString(at.host),
		signer: signer{site: at, id: c.AccessKey, secret: c.SecretKey.Reveal(), region: c.Region},
		api: s3.New(s3.Options{
			BaseEndpoint: aws.String(endpoint),
			Region:       c.Region,
			UsePathStyle: c.PathStyle,
			Credentials:  aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
			HTTPClient: doer{
				rt: rt, keys: keys, region: c.Region, clock: clock,
				signer: v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }),
			},
			// Who calls knows better when to try again, and what of.
			Retryer: aws.NopRetryer{},
			// Stores of the family know fewer checksums than Amazon's. What they say of
			// a body is compared with it afterwards.
			RequestChecksumCalculation:   aws.RequestChecksumCalculationWhenRequired,
			ResponseChecksumValidation:   aws.ResponseChecksumValidationWhenRequired,
			DisableS3ExpressSessionAuth:  aws.Bool(true),
			ContinueHeaderThresholdBytes: -1,
		}),
	}, nil
}

type driver struct {
	flavour
	clock  core.Clock
	bucket *string
	part   int64
	signer signer
	api    *s3.Client

	// careful says that the store is known to refuse a part that breaks off.
	careful bool

	// tags are of the parts that we sent, by upload.
	tags tags

	// plain is set once the store has said that it knows no conditions.
	plain atomic.Bool
}

func (d *driver) Close() error { return nil }

// doer is the only way out. It signs anew what the SDK signed by a clock of its
// own.
type doer struct {
	rt     http.RoundTripper
	signer *v4.Signer
	keys   aws.Credentials
	region string
	clock  core.Clock
}

func (d doer) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", "wharfinger") // the SDK's tells of the environment
	err := d.signer.SignHTTP(r.Context(), d.keys, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", d.region, d.clock())
	if err != nil {
		return nil, err
	}
	return d.rt.RoundTrip(r)
}
