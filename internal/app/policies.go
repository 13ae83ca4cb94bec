package app

import (
	"context"
	"net/url"
	"strings"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/providers"
	"github.com/wharfinger/wharfinger/internal/trial"
)

// NewPolicy is a storage policy at a vendor that is to be made.
type NewPolicy struct {
	Name      string
	Type      string // s3, ks3, cos, obs, oss
	Endpoint  string // "": the vendor's own for the region
	Public    string // that clients reach; "": as Endpoint
	Region    string
	Bucket    string
	PathStyle bool
	AccessKey string
	SecretKey core.Secret
	Relay     bool  // bytes pass through us
	ChunkSize int64 // 0: 25 MiB
}

// minDirect is the smallest chunk that clients send to a vendor by themselves.
const minDirect = 5 << 20

// AddPolicy makes a storage policy. It asks the vendor nothing: TryPolicy does.
func (b *Base) AddPolicy(ctx context.Context, n NewPolicy) (catalog.Policy, error) {
	const op = "app.AddPolicy"
	bad := func(format string, args ...any) (catalog.Policy, error) {
		return catalog.Policy{}, errs.Newf(errs.Invalid, errs.BadParam, format, args...).At(op)
	}
	if n.ChunkSize == 0 {
		n.ChunkSize = vendorPart
	}
	switch {
	case strings.TrimSpace(n.Name) == "" || len(n.Name) > 100:
		return bad("A storage policy needs a name of up to 100 bytes.")
	case n.ChunkSize < minChunk || n.ChunkSize > blob.MaxChunk:
		return bad("A chunk size is from 1 KiB to 5 GiB.")
	case !n.Relay && n.ChunkSize < minDirect:
		return bad("Chunks that clients send to the store by themselves have at least 5 MiB. Give a larger size, or let them pass through this server with --relay.")
	}
	config, err := b.buckets.far.Place(ctx, n.Type, "", admin.Place{
		Endpoint: &n.Endpoint, Public: &n.Public, Region: &n.Region, Bucket: &n.Bucket, PathStyle: &n.PathStyle, AccessKey: &n.AccessKey,
		SecretKey: &n.SecretKey,
	})
	if err != nil {
		return catalog.Policy{}, errs.Wrap(op, err)
	}
	st := b.store.Catalog()
	id, err := st.MintID(ctx)
	if err != nil {
		return catalog.Policy{}, errs.Wrap(op, err)
	}
	p := catalog.Policy{
		ID: core.PolicyID(id), Name: n.Name, Type: n.Type, Config: config, ChunkSize: n.ChunkSize,
		Sync: blob.SyncAnswer, Concurrency: 3, Relay: n.Relay,
	}
	err = st.InTx(ctx, func(tx catalog.Tx) error { return tx.SetPolicy(ctx, p, 0) })
	if errs.Is(err, errs.Exists) {
		err = errs.Newf(errs.Exists, errs.NameTaken, "There is a storage policy %q already.", n.Name).Because(err)
	}
	p.Rev = 1
	return p, errs.Wrap(op, err)
}

// Policy finds a storage policy by its name, by the beginning of that in any case, or
// by its type, as long as that means one.
func (b *Base) Policy(ctx context.Context, name string) (p catalog.Policy, err error) {
	err = b.store.Catalog().InTx(ctx, func(tx catalog.Tx) (err error) {
		p, err = findPolicy(ctx, tx, name)
		return err
	})
	return p, errs.Wrap("app.Policy", err)
}

// TryPolicy tries what p needs at its vendor, see trial.Run. origin is where the site's
// pages come from, if its public address is not set; "" if that is not known either.
func (b *Base) TryPolicy(ctx context.Context, p catalog.Policy, origin string, tell func(trial.Step)) error {
	const op = "app.TryPolicy"
	bucket, err := b.buckets.Bucket(ctx, p)
	if err != nil {
		return errs.Wrap(op, err)
	}
	site, err := b.cfg.siteURL()
	if err == nil && site == nil && origin != "" {
		site, err = url.Parse(origin)
	}
	if err != nil {
		return errs.Wrap(op, err)
	}
	return errs.Wrap(op, trial.Run(ctx, trial.Options{
		Bucket: bucket, Client: b.buckets.far.rt, Clock: b.cfg.Clock, Site: site, Relay: p.Relay,
	}, tell))
}

// AllowOrigins lets the pages of this site send to p's bucket from a browser, and of
// the other origins that are given.
func (b *Base) AllowOrigins(ctx context.Context, p catalog.Policy, more ...string) error {
	const op = "app.AllowOrigins"
	site, err := b.cfg.siteURL()
	if err != nil {
		return errs.Wrap(op, err)
	}
	if site != nil {
		more = append(more, site.Scheme+"://"+site.Host)
	}
	if len(more) == 0 {
		return errs.Newf(errs.Invalid, errs.BadParam, "This site's public address is not known. Give it with --site-url.").At(op)
	}
	for _, origin := range more {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" {
			return errs.Newf(errs.Invalid, errs.BadParam, "%q is no origin: https://files.example.com is one.", origin).At(op).Because(err)
		}
	}
	bucket, err := b.buckets.Bucket(ctx, p)
	if err == nil {
		err = bucket.AllowOrigins(ctx, more)
	}
	return errs.Wrap(op, err)
}

// SetGroupPolicy makes new files of a group go to the policy of that name.
func (b *Base) SetGroupPolicy(ctx context.Context, group, policy string) (catalog.Policy, error) {
	const op = "app.SetGroupPolicy"
	p, err := b.Policy(ctx, policy)
	if err != nil {
		return p, errs.Wrap(op, err)
	}
	err = providers.Over(b.store).SetGroupPolicy(ctx, group, p.ID)
	if errs.Is(err, errs.NotFound) {
		err = errs.Newf(errs.NotFound, errs.BadParam, "There is no group %q.", group).Because(err)
	}
	return p, errs.Wrap(op, err)
}
