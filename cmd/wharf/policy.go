package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/wharfinger/wharfinger/cmd/wharf/human"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/trial"
)

// policyCmd keeps storage policies, on the data directory itself.
type policyCmd struct {
	Add  policyAddCmd  `cmd:"" help:"Make a storage policy whose files are in a vendor's bucket."`
	Set  policySetCmd  `cmd:"" help:"Change a storage policy. New uploads follow it."`
	List policyListCmd `cmd:"" help:"List the storage policies."`
	Test policyTestCmd `cmd:"" help:"Try what a storage policy needs at its vendor."`
	CORS policyCORSCmd `cmd:"" name:"cors" help:"Let browsers on this site's pages send to the bucket."`
}

type policyAddCmd struct {
	Name          string      `arg:"" help:"Name of the policy."`
	Type          string      `required:"" enum:"s3,ks3,cos,obs,oss" help:"s3 (also MinIO, R2 and their like), ks3, cos, obs or oss."`
	Endpoint      string      `help:"Address of the service; default: the vendor's own for the region." placeholder:"URL"`
	Public        string      `name:"public-endpoint" help:"Address of the service for clients, where it is another." placeholder:"URL"`
	Region        string      `required:"" help:"Region of the bucket." placeholder:"R"`
	Bucket        string      `required:"" help:"Name of the bucket. Our keys have a prefix of their own in it." placeholder:"B"`
	AccessKey     string      `required:"" help:"Access key." placeholder:"K"`
	SecretKeyFile string      `required:"" help:"File that holds the secret key; it is kept sealed." type:"path" placeholder:"FILE"`
	PathStyle     bool        `help:"The bucket is in the path of addresses, not in the host."`
	Relay         bool        `help:"Bytes pass through this server: clients need not reach the bucket."`
	ChunkSize     *human.Size `help:"Size of a chunk; default: 25MiB." placeholder:"SIZE"`
	dataFlags
}

// Run makes the policy.
func (c *policyAddCmd) Run(ctx context.Context) error {
	secret, err := human.SecretFile(c.SecretKeyFile)
	if err != nil {
		return err
	}
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	n := app.NewPolicy{
		Name: c.Name, Type: c.Type, Endpoint: c.Endpoint, Public: c.Public, Region: c.Region, Bucket: c.Bucket,
		PathStyle: c.PathStyle, AccessKey: c.AccessKey, SecretKey: secret, Relay: c.Relay,
	}
	if c.ChunkSize != nil {
		n.ChunkSize = c.ChunkSize.Bytes
	}
	p, err := b.AddPolicy(ctx, n)
	if err == nil {
		err = printPolicies([]catalog.Policy{p})
	}
	return errors.Join(err, b.Close())
}

type policyTestCmd struct {
	Name    string `arg:"" help:"Name of the policy."`
	SiteURL string `name:"site-url" env:"WHARF_SITE_URL" help:"Public address of the site, from which browsers send." placeholder:"URL"`
	dataFlags
}

// Run tries the policy.
func (c *policyTestCmd) Run(ctx context.Context) error {
	b, p, err := c.policy(ctx, c.SiteURL, c.Name)
	if err != nil {
		return err
	}
	err = b.TryPolicy(ctx, p, "", func(s trial.Step) {
		if s.Err == nil {
			fmt.Printf("ok      %s\n", s.What)
			return
		}
		fmt.Printf("FAILED  %s: %s\n        %s\n", s.What, s.Cause(), s.Fix)
	})
	return errors.Join(err, b.Close())
}

// policy opens the data directory of the site at that address, and finds a policy.
func (f dataFlags) policy(ctx context.Context, site, name string) (*app.Base, catalog.Policy, error) {
	cfg, err := f.config()
	if err != nil {
		return nil, catalog.Policy{}, err
	}
	cfg.SiteURL = site
	b, err := app.OpenBase(ctx, cfg)
	if err != nil {
		return nil, catalog.Policy{}, err
	}
	p, err := b.Policy(ctx, name)
	if err != nil {
		return nil, p, errors.Join(err, b.Close())
	}
	return b, p, nil
}

type policyCORSCmd struct {
	Name    string   `arg:"" help:"Name of the policy."`
	SiteURL string   `name:"site-url" env:"WHARF_SITE_URL" help:"Public address of the site." placeholder:"URL"`
	Origin  []string `help:"Other origins whose pages may send to the bucket." placeholder:"URL"`
	dataFlags
}

// Run sets the bucket's rule for browsers.
func (c *policyCORSCmd) Run(ctx context.Context) error {
	b, p, err := c.policy(ctx, c.SiteURL, c.Name)
	if err != nil {
		return err
	}
	if err = b.AllowOrigins(ctx, p, c.Origin...); err == nil {
		fmt.Printf("Pages of this site may send to the bucket of %s.\n", p.Name)
	}
	return errors.Join(err, b.Close())
}

type policySetCmd struct {
	Name      string      `arg:"" help:"Name of the policy, its beginning, or its type if there is one such."`
	ChunkSize *human.Size `help:"Size of a chunk, such as 5MiB; 0: whole files in one request." placeholder:"SIZE"`
	MaxSize   *human.Size `help:"Largest file, such as 50GiB; 0: no limit." placeholder:"SIZE"`
	Sync      string      `enum:"answer,complete,never," default:"" help:"When bytes must be on the medium: answer (each acknowledged chunk survives a power cut), complete (each completed file does), never." placeholder:"LEVEL"`
	Encrypt   *bool       `negatable:"" help:"Encrypt new files at rest."`
	SHA256    *bool       `name:"sha256" negatable:"" help:"Keep the SHA-256 of each file beside its CRC-64."`
	Downloads *bool       `name:"direct-download" negatable:"" help:"Files are read straight from the vendor, unless the policy relays. On, unless it was turned off."`
	dataFlags
}

// Run changes the policy.
func (c *policySetCmd) Run(ctx context.Context) error {
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	patch := app.PolicyPatch{Encrypt: c.Encrypt, SHA256: c.SHA256, Downloads: c.Downloads}
	if c.ChunkSize != nil {
		patch.ChunkSize = &c.ChunkSize.Bytes
	}
	if c.MaxSize != nil {
		patch.MaxSize = &c.MaxSize.Bytes
	}
	if level := blob.Sync(c.Sync); level != "" {
		patch.Sync = &level
	}
	p, err := b.SetPolicy(ctx, c.Name, patch)
	if err == nil {
		err = printPolicies([]catalog.Policy{p})
	}
	return errors.Join(err, b.Close())
}

type policyListCmd struct{ dataFlags }

// Run lists the policies.
func (c *policyListCmd) Run(ctx context.Context) error {
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	ps, err := b.Policies(ctx)
	if err == nil {
		err = printPolicies(ps)
	}
	return errors.Join(err, b.Close())
}

func printPolicies(ps []catalog.Policy) error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tTYPE\tCHUNK\tMAX\tSYNC\tENCRYPT\tSHA256")
	for _, p := range ps {
		largest := "none"
		if p.MaxSize > 0 {
			largest = human.ShowSize(p.MaxSize)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%t\t%t\n", p.Name, p.Type, human.ShowSize(p.ChunkSize), largest, p.Sync, p.Encrypt, p.SHA256)
	}
	return t.Flush()
}
