package app

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// buckets opens the bucket of each policy once, and anew when the policy has
// changed.
type buckets struct {
	dir  string
	far  vendors
	mu   sync.Mutex
	open map[core.PolicyID]bucket
	old  []*blob.Bucket // of former revisions, still in use perhaps
}

type bucket struct {
	rev core.Rev
	*blob.Bucket
}

// Bucket implements catalog.Buckets.
func (b *buckets) Bucket(ctx context.Context, p catalog.Policy) (*blob.Bucket, error) {
	const op = "app.buckets.Bucket"
	b.mu.Lock()
	defer b.mu.Unlock()
	have, ok := b.open[p.ID]
	if ok && have.rev >= p.Rev {
		return have.Bucket, nil
	}
	d, err := b.driver(ctx, p)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	if ok {
		b.old = append(b.old, have.Bucket)
	}
	made := blob.New(d, blob.Options{Sync: p.Sync, SHA256: p.SHA256})
	b.open[p.ID] = bucket{p.Rev, made}
	return made, nil
}

// localConfig is Policy.Config of a local policy.
type localConfig struct {
	Root string `json:"root"` // below the data directory, or absolute; default: storage
}

// driver is the table of drivers.
func (b *buckets) driver(ctx context.Context, p catalog.Policy) (blob.Driver, error) {
	if slices.Contains(kinds, p.Type) {
		return b.far.open(ctx, p, filepath.Join(b.dir, relayDir))
	}
	switch p.Type {
	case "local":
		var c localConfig
		if p.Config != "" {
			if err := json.Unmarshal([]byte(p.Config), &c); err != nil {
				return nil, errs.Newf(errs.Internal, errs.PolicyUse, "The configuration of storage policy %q is not JSON.", p.Name).Because(err)
			}
		}
		if c.Root == "" {
			c.Root = storageDir
		}
		if !filepath.IsAbs(c.Root) {
			c.Root = filepath.Join(b.dir, c.Root)
		}
		return localblob.Open(ctx, localblob.Config{Root: c.Root})
	}
	return nil, errs.Newf(errs.Unsupported, errs.PolicyUse, "Storage policy %q has the unknown type %q.", p.Name, p.Type)
}

// Close closes all that was opened.
func (b *buckets) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.old
	for _, o := range b.open {
		all = append(all, o.Bucket)
	}
	b.open, b.old = map[core.PolicyID]bucket{}, nil
	var failed error
	for _, o := range all {
		failed = errors.Join(failed, o.Close())
	}
	return failed
}
