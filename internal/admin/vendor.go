package admin

import (
	"context"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// Place is where a policy keeps its bytes at a vendor. nil is left as it is, or as the
// vendor has it.
type Place struct {
	Endpoint  *string // "": the vendor's own for the region
	Public    *string // address for clients; "": as Endpoint
	Region    *string
	Bucket    *string
	PathStyle *bool
	AccessKey *string
	SecretKey *core.Secret
	Downloads *bool // come straight from the vendor, where nothing else stands against it
}

// Vendors make and read Policy.Config of policies at vendors. Implemented by app.
type Vendors interface {
	// Place returns the configuration of a policy of that kind: was with the changes
	// of p; was is "" for a new one. Invalid/bad_param says what is wrong;
	// Unsupported/policy_use for an unknown kind.
	Place(ctx context.Context, kind, was string, p Place) (config string, err error)
	// Where returns what of a configuration may be shown: never a secret.
	Where(config string) (Place, error)
}

// Far reports whether a policy keeps its bytes at a vendor.
func Far(kind string) bool { return kind != "local" }

// leastDirect is the smallest chunk that clients send to a store by themselves.
const leastDirect = 5 << 20

// place settles where p keeps its bytes from now on.
func (a *Admin) place(ctx context.Context, op string, p *catalog.Policy, e PolicyEdit) (notes, error) {
	if !Far(p.Type) {
		if e.Place != (Place{}) {
			return nil, bad(op, "A local policy has no endpoint, bucket or keys.")
		}
		return nil, nil
	}
	if !p.Relay && p.ChunkSize < leastDirect {
		return nil, bad(op, "Chunks that clients send to the store by themselves have at least 5 MiB. Give a larger size, or let them pass through this server (relay).")
	}
	if e.Place == (Place{}) && p.Config != "" {
		return nil, nil
	}
	config, err := a.Vendors.Place(ctx, p.Type, p.Config, e.Place)
	if err != nil {
		return nil, err
	}
	var done notes
	edit(&done, "place", &p.Config, &config)
	return done, nil
}
