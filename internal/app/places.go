package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var _ admin.Vendors = vendors{}

// kinds are the types of policies whose bytes are at a vendor.
var kinds = []string{"s3", "ks3", "cos", "obs", "oss"}

// Place implements admin.Vendors. It asks the vendor nothing.
func (v vendors) Place(ctx context.Context, kind, was string, p admin.Place) (string, error) {
	const op = "app.vendors.Place"
	if !slices.Contains(kinds, kind) {
		return "", errs.Newf(errs.Unsupported, errs.PolicyUse, "There is no kind %q of storage policies. There are: local, %s.", kind, strings.Join(kinds, ", ")).At(op)
	}
	c := vendorConfig{Prefix: "wharf-" + core.NewUUID()[:8]}
	secret := core.Secret("")
	if was != "" {
		if err := json.Unmarshal([]byte(was), &c); err != nil {
			return "", errs.Wrap(op, err)
		}
		if p.Bucket != nil && *p.Bucket != c.Bucket {
			return "", errs.Newf(errs.Invalid, errs.BadParam, "The bucket of a storage policy cannot be changed: its files are there. Make another policy.").At(op)
		}
		kept, err := v.vault.Open(about(c.Prefix), c.Sealed)
		if err != nil {
			return "", errs.Wrap(op, err)
		}
		secret = core.Secret(kept)
	}
	set(&c.Endpoint, p.Endpoint)
	set(&c.Public, p.Public)
	c.Endpoint, c.Public = strings.TrimRight(c.Endpoint, "/"), strings.TrimRight(c.Public, "/")
	set(&c.Region, p.Region)
	set(&c.Bucket, p.Bucket)
	set(&c.PathStyle, p.PathStyle)
	set(&c.AccessKey, p.AccessKey)
	set(&secret, p.SecretKey)
	if p.Downloads != nil {
		c.Proxied = !*p.Downloads
	}
	if _, err := v.far(ctx, kind, c, secret); err != nil {
		return "", errs.Newf(errs.Invalid, errs.BadParam, "The storage policy cannot be made: %v", err).At(op).Because(err)
	}
	c.Sealed = v.vault.Seal(about(c.Prefix), []byte(secret.Reveal()))
	config, err := json.Marshal(c) //nolint:gosec // the access key is a name, and the secret is sealed
	return string(config), errs.Wrap(op, err)
}

// Where implements admin.Vendors.
func (vendors) Where(config string) (admin.Place, error) {
	var c vendorConfig
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return admin.Place{}, errs.Wrap("app.vendors.Where", err)
	}
	downloads := !c.Proxied
	return admin.Place{
		Downloads: &downloads,
		Endpoint:  &c.Endpoint, Public: &c.Public, Region: &c.Region, Bucket: &c.Bucket, PathStyle: &c.PathStyle, AccessKey: &c.AccessKey,
	}, nil
}

// proxied reports whether downloads of p come through us though they need not.
func proxied(p catalog.Policy) bool {
	var c vendorConfig
	return json.Unmarshal([]byte(p.Config), &c) != nil || c.Proxied
}
