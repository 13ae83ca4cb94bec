package s3blob

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/wharfinger/wharfinger/internal/blob"
)

func signatureOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("X-Amz-Signature")
}

// The address of Amazon's own documentation, and two that the SDK of KS3 made in
// its AWS4 mode.
func TestAddressesHaveThePublishedSignatures(t *testing.T) {
	t.Parallel()
	may := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	aws := signer{site{"https", "examplebucket.s3.amazonaws.com", ""}, "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1"}
	november := time.Date(2026, 11, 22, 12, 14, 21, 0, time.UTC)
	part := []pair{{"partNumber", "1"}, {"uploadId", "UP"}}
	for _, c := range []struct {
		what, method, key string
		by                signer
		now               time.Time
		life              time.Duration
		query             []pair
		want              string
	}{
		{"S3 documentation", http.MethodGet, "test.txt", aws, may, 24 * time.Hour, nil, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
		{
			"KS3 in the host", http.MethodPut, "k",
			signer{site{"https", "bkt.ks3-cn-beijing.ksyuncs.com", ""}, "ak", "sk", "BEIJING"},
			november, time.Hour, part, "9fa4c6ec5a156aeed8896daaae5b6a897ec0301f56790c23938ff821dfbdf723",
		},
		{
			"KS3 in the path", http.MethodPut, "k",
			signer{site{"https", "ks3-cn-beijing.ksyuncs.com", "/bkt"}, "ak", "sk", "BEIJING"},
			november, time.Hour, part, "82de587f98fd48dd5fc350b1fd04b5583d391ca54064538f10f3351b9c2a91aa",
		},
	} {
		s, err := c.by.seal(c.now, c.now.Add(c.life))
		if err != nil {
			t.Fatal(err)
		}
		if got := signatureOf(t, s.address(c.method, c.key, c.query, -1)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// oracle is the vendor's own presigner.
func oracle(c Config, now time.Time) *s3.PresignClient {
	api := s3.New(s3.Options{
		BaseEndpoint: aws.String(c.Endpoint), Region: c.Region, UsePathStyle: c.PathStyle,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey.Reveal()}, nil
		}),
	})
	return s3.NewPresignClient(api, func(o *s3.PresignOptions) {
		o.Expires = time.Hour
		o.Presigner = at{v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }), now}
	})
}

type at struct {
	*v4.Signer
	now time.Time
}

// PresignHTTP leaves out the parameter that names the SDK's call.
//
//nolint:revive // the SDK's signature
func (a at) PresignHTTP(ctx context.Context, keys aws.Credentials, r *http.Request, hash, service, region string, _ time.Time, o ...func(*v4.SignerOptions)) (string, http.Header, error) {
	q := r.URL.Query()
	q.Del("x-id")
	r.URL.RawQuery = q.Encode()
	return a.Signer.PresignHTTP(ctx, keys, r, hash, service, region, a.now, o...)
}

var oddKeys = []string{"k", "a/b/c", "a b", "a+b", "100%", "ü/文.txt", "a//b", "@!'()*~", "q?x=1&y", "#"}

func TestAddressesAreThoseOfTheVendorsOwnSigner(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	for _, path := range []bool{false, true} {
		c := Config{Endpoint: "https://s3.example:9000", Region: "eu-central-1", Bucket: "files", AccessKey: "AK", SecretKey: "s/e+c=ret", PathStyle: path}
		d := opened(t, c)
		theirs := oracle(c, now)
		for _, key := range oddKeys {
			a := blob.Ask{Key: key, Size: 11 << 20, PartSize: 5 << 20, Now: now, Until: now.Add(time.Hour)}
			got, err := d.Sign(t.Context(), blob.Handle{Key: key, Upload: "u/+ =id"}, a, 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			want, err := theirs.PresignUploadPart(t.Context(), &s3.UploadPartInput{
				Bucket: &c.Bucket, Key: &key, UploadId: aws.String("u/+ =id"), PartNumber: aws.Int32(3), ContentLength: aws.Int64(1 << 20),
			})
			if err != nil {
				t.Fatal(err)
			}
			if signatureOf(t, got.Parts[2]) != signatureOf(t, want.URL) {
				t.Errorf("part of %q:\n%s\nwant\n%s", key, got.Parts[2], want.URL)
			}
			link, err := d.Link(t.Context(), key, blob.LinkOptions{Now: now, Until: now.Add(time.Hour), Name: "ü b.txt", Attachment: true})
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			wantGet, err := theirs.PresignGetObject(t.Context(), &s3.GetObjectInput{
				Bucket: &c.Bucket, Key: &key, ResponseContentDisposition: aws.String(u.Query().Get("response-content-disposition")),
			})
			if err != nil {
				t.Fatal(err)
			}
			if signatureOf(t, link) != signatureOf(t, wantGet.URL) {
				t.Errorf("link of %q:\n%s\nwant\n%s", key, link, wantGet.URL)
			}
		}
	}
}

func opened(t testing.TB, c Config) *driver {
	t.Helper()
	d, err := Open(t.Context(), c, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*driver)
}

func TestAddressesHoldNoLongerThanTheStoreAllows(t *testing.T) {
	t.Parallel()
	d := opened(t, Config{Region: "us-east-1", Bucket: "files", AccessKey: "AK", SecretKey: "SK"})
	now := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	link, err := d.Link(t.Context(), "k", blob.LinkOptions{Now: now, Until: now.AddDate(1, 0, 0)})
	if err != nil || !strings.Contains(link, "&X-Amz-Expires=604800&") {
		t.Errorf("a year: %s, %v", link, err)
	}
	if link, err = d.Link(t.Context(), "k", blob.LinkOptions{Now: now, Until: now}); err == nil {
		t.Errorf("no time at all: %s", link)
	}
}

func BenchmarkSign10000(b *testing.B) {
	d := opened(b, Config{Region: "us-east-1", Bucket: "files", AccessKey: "AK", SecretKey: "SK"})
	now := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	a := blob.Ask{Key: "0a1b/2c3d", Size: 10_000 * 5 << 20, PartSize: 5 << 20, Now: now, Until: now.Add(time.Hour)}
	h := blob.Handle{Key: a.Key, Upload: strings.Repeat("x", 100)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Sign(b.Context(), h, a, 0, 10_000); err != nil {
			b.Fatal(err)
		}
	}
}

func TestConfigsThatCannotWorkSayWhy(t *testing.T) {
	t.Parallel()
	good := Config{Region: "us-east-1", Bucket: "files", AccessKey: "AK", SecretKey: "SK"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"flavour":     func(c *Config) { c.Flavour = "oss" },
		"bucket":      func(c *Config) { c.Bucket = "a/b" },
		"region":      func(c *Config) { c.Region = "" },
		"access key":  func(c *Config) { c.AccessKey = "" },
		"secret key":  func(c *Config) { c.SecretKey = "SK\n" },
		"part size":   func(c *Config) { c.PartSize = 1 << 20 },
		"https://":    func(c *Config) { c.Endpoint = "s3.example" },
		"without the": func(c *Config) { c.Endpoint = "https://s3.example/files" },
		"IP address":  func(c *Config) { c.Endpoint = "http://127.0.0.1:9000" },
		"a dot":       func(c *Config) { c.Bucket = "a.b" },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
