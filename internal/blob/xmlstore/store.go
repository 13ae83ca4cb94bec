package xmlstore

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// Bounds that these stores share.
const (
	maxPart  int64 = 5 << 30
	maxParts       = 10_000
	maxPage        = 1000

	defaultPart int64 = 25 << 20
)

// Octets is the type of what is sent to a store.
const Octets = "application/octet-stream"

// Vendor is what differs between the stores and is no signature.
type Vendor struct {
	Name       string         // cos: it begins every refusal, and x-cos- every header of its own
	Host       string         // of a bucket, with %[1]s for the bucket and %[2]s for the region
	Bucket     *regexp.Regexp // its name
	BucketWant string         // what Bucket says, in words
	RegionLike string         // an example of a region
	Regional   bool           // the signature names the region: an endpoint is not enough
	MinPart    int64          // of every part but the last
	Forbids    bool           // x-…-forbid-overwrite keeps what is there; else we look first
	ByHost     bool           // a copy names its source by the bucket's host; else by /bucket/key
	RuleIDs    bool           // CORS rules have names
	CRC        bool           // the store tells CRC-64/XZ in x-…-hash-crc64ecma; else the MD5 in the ETag
}

// Ending is a signed address that ends an upload.
type Ending struct {
	Address string
	Header  []Pair // that it wants besides the type
	Bare    bool   // it wants no list of parts
}

// Dialect is how one bucket's owner signs. It may be used from many goroutines.
type Dialect interface {
	// Authorize signs r, which is for key ("" is the bucket) and has these query
	// parameters and headers, which are named in small letters.
	Authorize(r *http.Request, key string, query, header []Pair, now time.Time)

	// Parts returns the addresses for the parts from..to of an upload. What is put
	// there is of type Octets.
	Parts(h blob.Handle, a blob.Ask, from, to int) []string

	// Complete returns how an upload is ended. What is posted is of type Octets.
	Complete(h blob.Handle, a blob.Ask) (Ending, error)

	// Read returns an address from which key is read with these parameters.
	Read(key string, query []Pair, o blob.LinkOptions) string
}

// Config names a bucket and who may use it.
type Config struct {
	Bucket    string // not its host
	Region    string
	Endpoint  string // of the bucket, when it is not the vendor's own
	AccessKey string
	SecretKey core.Secret

	// PartSize is that of uploads which pass through us; 0 is 25 MiB. It rises
	// where an object would have more than 10,000 parts.
	PartSize int64
}

var validRegion = regexp.MustCompile(`^[a-z0-9-]+$`)

// Check says what is wrong with c in words for whoever wrote it.
func (v Vendor) Check(c Config) error {
	switch {
	case !v.Bucket.MatchString(c.Bucket):
		return fmt.Errorf("bucket %q: want %s", c.Bucket, v.BucketWant)
	case c.AccessKey == "" || c.AccessKey != strings.TrimSpace(c.AccessKey):
		return fmt.Errorf("access key: empty, or with blanks around it")
	case c.SecretKey == "" || c.SecretKey.Reveal() != strings.TrimSpace(c.SecretKey.Reveal()):
		return fmt.Errorf("secret key: empty, or with blanks around it")
	case v.Regional && !validRegion.MatchString(c.Region):
		return fmt.Errorf("region %q: want one as in %s; the signature names it", c.Region, v.RegionLike)
	case c.Endpoint == "" && !validRegion.MatchString(c.Region):
		return fmt.Errorf("region %q: want one as in %s, or an endpoint", c.Region, v.RegionLike)
	case c.PartSize != 0 && (c.PartSize < v.MinPart || c.PartSize > maxPart):
		return fmt.Errorf("part size %d: want %d to %d", c.PartSize, v.MinPart, maxPart)
	}
	_, err := v.Base(c)
	return err
}

// Base returns the address of the bucket.
func (v Vendor) Base(c Config) (*url.URL, error) {
	raw := c.Endpoint
	if raw == "" {
		raw = "https://" + fmt.Sprintf(v.Host, c.Bucket, c.Region)
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
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// Way is how a store is reached, and what time it is.
type Way struct {
	Transport http.RoundTripper
	Clock     core.Clock
}

// Open returns the driver of the bucket at base. c was found right by Check.
func (v Vendor) Open(c Config, base *url.URL, d Dialect, w Way) *Store {
	part := c.PartSize
	if part == 0 {
		part = defaultPart
	}
	return &Store{Vendor: v, way: w, bucket: c.Bucket, base: base, dialect: d, part: part}
}

// Store is a bucket: a blob.Driver with parts, direct uploads and links.
type Store struct {
	Vendor
	way     Way
	bucket  string
	base    *url.URL
	dialect Dialect
	part    int64 // size of those that pass through us
}

// Close implements blob.Driver.
func (s *Store) Close() error { return nil }

// header returns the name of a header of the vendor's own.
func (v Vendor) header(name string) string { return "x-" + v.Name + "-" + name }

// kept returns header with the one that makes the store refuse a key that exists,
// where there is such a one. It has no effect in a bucket that ever had versions.
func (v Vendor) kept(header ...Pair) []Pair {
	if v.Forbids {
		header = append(header, Pair{v.header("forbid-overwrite"), "true"})
	}
	return header
}

var (
	_ blob.Driver = (*Store)(nil)
	_ blob.Parts  = (*Store)(nil)
	_ blob.Direct = (*Store)(nil)
	_ blob.Linker = (*Store)(nil)
	_ blob.Strays = (*Store)(nil)
)
