package catalog

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxPins is how many places a user may pin.
const maxPins = 100

// Pin is a place that a user wants at hand. It is a link: what it leads to may
// be gone.
type Pin struct {
	URI  string `json:"uri"`
	Name string `json:"name,omitempty"` // "" is that of the place
}

// pinsOf reads the pins that the root of a drive keeps.
func pinsOf(root Node) (pins []Pin) {
	if json.Unmarshal([]byte(root.Meta[pinsKey]), &pins) != nil {
		return nil
	}
	return pins
}

// Pin adds a pin, or names one anew that is there.
func (c *Catalog) Pin(ctx context.Context, who core.Actor, p Pin) error {
	const op = "catalog.Pin"
	return errs.Wrap(op, c.setPins(ctx, who, func(pins []Pin) ([]Pin, error) {
		at := slices.IndexFunc(pins, func(q Pin) bool { return q.URI == p.URI })
		if at >= 0 {
			pins[at] = p
			return pins, nil
		}
		if len(pins) >= maxPins || len(p.URI) > maxMetaBytes/maxPins {
			return nil, errs.Newf(errs.Invalid, errs.BadParam, "At most %d places can be pinned, with addresses of up to %d bytes.", maxPins, maxMetaBytes/maxPins)
		}
		return append(pins, p), nil
	}))
}

// Unpin removes a pin; one that is not there is no error.
func (c *Catalog) Unpin(ctx context.Context, who core.Actor, uri string) error {
	const op = "catalog.Unpin"
	return errs.Wrap(op, c.setPins(ctx, who, func(pins []Pin) ([]Pin, error) {
		return slices.DeleteFunc(pins, func(q Pin) bool { return q.URI == uri }), nil
	}))
}

func (c *Catalog) setPins(ctx context.Context, who core.Actor, change func([]Pin) ([]Pin, error)) error {
	owner, err := OwnerOf(who, Ref{})
	if err != nil {
		return err
	}
	return c.store.InTx(ctx, func(tx Tx) error {
		root, err := find(ctx, tx, owner, core.Root)
		if err != nil {
			return err
		}
		pins, err := change(pinsOf(root))
		if err != nil {
			return err
		}
		text, err := json.Marshal(pins)
		if err != nil {
			return err
		}
		was, meta := root.Rev, maps.Clone(root.Meta)
		if meta == nil {
			meta = map[string]string{}
		}
		meta[pinsKey] = string(text)
		root.Meta = meta
		return tx.UpdateNode(ctx, root, was)
	})
}
