package arrange

import (
	"context"
	"maps"
	"strings"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Patch changes one entry of the metadata of a file.
type Patch struct {
	Key    string // "category:name"
	Value  string
	Remove bool
}

// Label applies the patches to the metadata of each of refs. Invalid/bad_param
// for what a client may not set; single items fail with NotFound/path_missing,
// or Invalid/bad_param where there would be too much.
func (k *Keeper) Label(ctx context.Context, who core.Actor, refs []catalog.Ref, patches []Patch) (Failures, error) {
	const op = "arrange.Label"
	for _, p := range patches {
		value := p.Value
		if p.Remove {
			value = "" // is a value of every category
		}
		if err := catalog.CheckMeta(map[string]string{p.Key: value}); err != nil {
			return nil, errs.Wrap(op, err)
		}
	}
	if !who.Known() {
		return nil, errs.New(errs.Unauthenticated, errs.LoginNeeded).At(op)
	}
	failed, err := k.run(ctx, task{owner: who.User, items: len(refs), do: func(tx catalog.Tx, i int) error {
		at, err := find(ctx, tx, who, refs[i])
		if err != nil {
			return err
		}
		n := at.Last()
		was := n.Rev
		if n.Meta, err = patched(n.Meta, patches); err != nil {
			return err
		}
		return tx.UpdateNode(ctx, n, was)
	}})
	return failed, errs.Wrap(op, err)
}

// patched is meta with the patches, if that is not too much.
func patched(meta map[string]string, patches []Patch) (map[string]string, error) {
	out := maps.Clone(meta)
	if out == nil {
		out = map[string]string{}
	}
	for _, p := range patches {
		if p.Remove {
			delete(out, p.Key)
		} else {
			out[p.Key] = p.Value
		}
	}
	own := maps.Clone(out)
	maps.DeleteFunc(own, func(key, _ string) bool { return strings.HasPrefix(key, "sys:") })
	return out, catalog.CheckMeta(own)
}
