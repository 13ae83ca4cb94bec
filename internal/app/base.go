package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/event"
	"github.com/wharfinger/wharfinger/internal/share"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/shares"
)

// Names inside the data directory.
const (
	databaseFile = "wharf.db"
	keyFile      = "master.key"
	lockFile     = "wharf.lock"
	storageDir   = "storage"
	relayDir     = "relay"
)

// Base is the data directory opened without a server: what the administrative
// commands need. It may be open beside a running server.
type Base struct {
	cfg     Config
	dir     string
	root    *os.Root
	keyring *blob.Keyring
	keys    auth.Keys
	ids     *core.IDs
	store   *store.Store
	buckets *buckets
	catalog *catalog.Catalog
	keeper  *arrange.Keeper
	shares  *share.Links
	hub     *event.Hub // is told of every change of a name
	jobs    *background
}

// OpenBase opens the data directory, making it if there is none.
func OpenBase(ctx context.Context, c Config) (_ *Base, err error) {
	const op = "app.OpenBase"
	c.fill()
	b := &Base{cfg: c}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.dir, err = filepath.Abs(c.Data); err != nil {
		return nil, errs.Wrap(op, err)
	}
	if err = os.MkdirAll(b.dir, 0o700); err != nil {
		return nil, errs.Newf(errs.Invalid, errs.IOFailed,
			"The data directory %s cannot be made: %v. Give another one with --data, or change its permissions.", b.dir, err).At(op)
	}
	if b.root, err = os.OpenRoot(b.dir); err != nil {
		return nil, errs.As(op, errs.Invalid, errs.IOFailed, err)
	}
	if b.keyring, err = blob.OpenKeyring(b.root, keyFile); err != nil {
		return nil, errs.Wrap(op, err)
	}
	b.keys = auth.DeriveKeys(b.keyring.Derive("auth"))
	b.ids = core.NewIDs(b.keys.IDs)
	b.store, err = store.Open(ctx, store.Config{
		Path: filepath.Join(b.dir, databaseFile), URL: c.Database, Clock: c.Clock, Log: c.Log,
	})
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	b.hub = event.New()
	b.buckets = &buckets{dir: b.dir, far: newVendors(b.keys, c), open: map[core.PolicyID]bucket{}}
	b.shares = share.New(share.Options{
		Store: shares.Over(b.store), Tree: b.store.Catalog(), Vault: auth.NewVault(b.keys), Clock: c.Clock,
		Guesses: auth.NewBound("share", b.store.Auth(), c.Clock),
	})
	b.catalog = catalog.New(catalog.Options{
		Store: b.names(), Buckets: b.buckets, Keyring: b.keyring, Gate: b.shares, Clock: c.Clock,
	})
	b.jobs = b.newJobs()
	b.keeper = arrange.New(arrange.Options{Store: b.names(), Catalog: b.catalog, Clock: c.Clock, Jobs: b.jobs, Patience: c.Patience})
	b.jobs.handle(b.keeper.Handlers())
	return b, nil
}

// Close lets go of everything. It can be called on a Base that opened halfway.
func (b *Base) Close() error {
	var all error
	if b.buckets != nil {
		all = errors.Join(all, b.buckets.Close())
	}
	if b.store != nil {
		all = errors.Join(all, b.store.Close())
	}
	if b.root != nil {
		all = errors.Join(all, b.root.Close())
	}
	return errs.Wrap("app.Base.Close", all)
}

// claim takes the data directory for one server. The lock goes with the
// process, however that ends.
func (b *Base) claim() (*os.File, error) {
	const op = "app.Base.claim"
	f, err := b.root.OpenFile(lockFile, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errs.As(op, errs.Invalid, errs.IOFailed, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, errs.Newf(errs.Conflict, errs.Locked,
			"Another server runs on the data directory %s. Stop it first, or give another directory with --data.", b.dir).At(op).Because(err)
	}
	return f, nil
}
