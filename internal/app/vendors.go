package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/cosblob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/obsblob"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
	"github.com/wharfinger/wharfinger/internal/blob/relayblob"
	"github.com/wharfinger/wharfinger/internal/blob/s3blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// vendorConfig is Policy.Config of a policy whose bytes are at a vendor.
type vendorConfig struct {
	Endpoint  string `json:"endpoint,omitempty"` // "": the vendor's own for the region
	Public    string `json:"public,omitempty"`   // that clients reach; "": as endpoint
	Region    string `json:"region"`
	Bucket    string `json:"bucket"`
	PathStyle bool   `json:"path_style,omitempty"`
	Prefix    string `json:"prefix"` // of our keys in the bucket
	AccessKey string `json:"access_key"`
	Proxied   bool   `json:"proxied,omitempty"` // downloads come through us
	Sealed    []byte `json:"sealed"`            // the secret key, for the prefix
}

// vendorPart is the size of the parts in which relayed uploads leave us.
const vendorPart = 25 << 20

// vendors opens buckets of vendors.
type vendors struct {
	vault *auth.Vault
	clock core.Clock
	rt    http.RoundTripper
}

func newVendors(k auth.Keys, c Config) vendors {
	v := vendors{vault: auth.NewVault(k), clock: c.Clock, rt: c.Vendors}
	if v.rt != nil {
		return v
	}
	v.rt = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   32,
		ForceAttemptHTTP2:     true,
	}
	return v
}

func about(prefix string) string { return "secret key of the bucket prefix " + prefix }

// open returns the driver of p; what is on its way to the vendor is gathered
// below dir.
func (v vendors) open(ctx context.Context, p catalog.Policy, dir string) (_ blob.Driver, err error) {
	const op = "app.vendors.open"
	unfit := func(err error) error {
		return errs.Newf(errs.Invalid, errs.PolicyUse, "Storage policy %q cannot be used: %v", p.Name, err).At(op)
	}
	var c vendorConfig
	if err := json.Unmarshal([]byte(p.Config), &c); err != nil {
		return nil, unfit(err)
	}
	secret, err := v.vault.Open(about(c.Prefix), c.Sealed)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	far, err := v.far(ctx, p.Type, c, core.Secret(secret))
	if err != nil {
		return nil, unfit(err)
	}
	near, err := localblob.Open(ctx, localblob.Config{Root: filepath.Join(dir, c.Prefix)})
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	d, err := relayblob.New(relayblob.Config{Near: near, Far: far, Part: vendorPart, Prefix: c.Prefix})
	if err != nil {
		return nil, unfit(err)
	}
	return d, nil
}

func (v vendors) far(ctx context.Context, kind string, c vendorConfig, secret core.Secret) (blob.Driver, error) {
	switch kind {
	case "cos":
		return cosblob.Open(ctx, cosblob.Config{
			Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, AccessKey: c.AccessKey, SecretKey: secret, PartSize: vendorPart,
		}, v.rt, v.clock)
	case "obs":
		return obsblob.Open(ctx, obsblob.Config{
			Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, AccessKey: c.AccessKey, SecretKey: secret, PartSize: vendorPart,
		}, v.rt, v.clock)
	case "oss":
		return ossblob.Open(ctx, ossblob.Config{
			Endpoint: c.Endpoint, Region: c.Region, Bucket: c.Bucket, AccessKey: c.AccessKey, SecretKey: secret, PartSize: vendorPart,
		}, v.rt, v.clock)
	case "s3", "ks3":
		return s3blob.Open(ctx, s3blob.Config{
			Flavour: kind, Endpoint: c.Endpoint, Public: c.Public, Region: c.Region, Bucket: c.Bucket, PathStyle: c.PathStyle,
			AccessKey: c.AccessKey, SecretKey: secret, PartSize: vendorPart,
		}, v.rt, v.clock)
	}
	return nil, fmt.Errorf("this server knows no kind %q of storage", kind)
}
