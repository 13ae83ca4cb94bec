package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/api"
	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/direct"
	accountdoor "github.com/wharfinger/wharfinger/internal/door/account"
	admindoor "github.com/wharfinger/wharfinger/internal/door/admin"
	"github.com/wharfinger/wharfinger/internal/door/archive"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/door/live"
	"github.com/wharfinger/wharfinger/internal/door/organise"
	"github.com/wharfinger/wharfinger/internal/door/rest"
	"github.com/wharfinger/wharfinger/internal/door/share"
	"github.com/wharfinger/wharfinger/internal/door/vendor"
	"github.com/wharfinger/wharfinger/internal/door/work"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/lane"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
	"github.com/wharfinger/wharfinger/internal/store/providers"
	"github.com/wharfinger/wharfinger/internal/thumb"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// apiVersion is the version of the protocol that clients compare with.
const apiVersion = "4.14.0"

// maxPut is what PUT /file/content takes, in bytes (contract, upload.md 2.5).
const maxPut = 50 << 20

// bodyStall is how long a request body may stand still before it counts as
// gone.
const bodyStall = time.Minute

// bodyGrace is how long a body has that nobody reads.
const bodyGrace = 30 * time.Second

// App is a server.
type App struct {
	*Base
	lock   *os.File
	engine *upload.Engine
	direct *direct.Flow
	setup  *setup
	link   core.Secret // the one-time token of the set-up page; "" when not needed
	ln     net.Listener
	server *http.Server
	secure bool
	peers  proxies
	work   sync.WaitGroup
}

// Open starts everything but serving: it takes the data directory, finishes
// what a crash left, makes the first administrator if Config names one, and
// listens. Connections wait until Serve.
func Open(ctx context.Context, c Config) (_ *App, err error) {
	const op = "app.Open"
	c.fill()
	site, err := c.siteURL()
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	peers, err := parseProxies(c.Proxies)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	b, err := OpenBase(ctx, c)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	a := &App{Base: b, peers: peers}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.lock, err = b.claim(); err != nil {
		return nil, errs.Wrap(op, err)
	}
	a.engine = b.newEngine()
	a.direct = direct.New(direct.Options{Engine: a.engine, Rows: providers.Over(b.store), Site: site, Proxied: proxied})
	a.engine.Vendor = a.direct
	if err = a.first(ctx); err != nil {
		return nil, errs.Wrap(op, err)
	}
	a.sweep(ctx)
	id, err := b.store.OfferSite(ctx, "instance_id", core.NewUUID())
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	tokens := auth.New(auth.Options{Store: b.store.Auth(), Keys: b.keys, IDs: b.ids, Clock: c.Clock})
	front := desk.New(desk.Options{
		Tokens: tokens, IDs: b.ids, Clock: c.Clock, Log: c.Log, URL: site, Stall: bodyStall, Lane: laneOf,
	})
	rules, err := a.newAdmin(ctx, tokens)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	signer := auth.NewSigner(b.keys)
	zips := archive.New(archive.Options{Desk: front, Catalog: b.catalog, Signer: signer})
	files := rest.New(rest.Options{
		Desk: front, Archive: zips.Offer, Catalog: b.catalog, Engine: a.engine, Setup: a.setup, OpenAPI: api.Description(),
		Search: b.finder(), ThumbExts: thumb.Extensions(), Straight: a.direct.Link, Take: b.shares.Take, Passkeys: account.PasskeysAt,
		Signer: signer, MaxPut: maxPut, Temp: b.dir,
		Site: rest.Site{ID: id, TitleFunc: func() string { return rules.Settings().Title }, Version: apiVersion},
	})
	front.Mount(doors{
		archive:  zips,
		organise: organise.New(organise.Options{Desk: front, Keeper: b.keeper, Catalog: b.catalog}),
		share:    share.New(share.Options{Desk: front, Links: b.shares}),
		thumb:    b.thumbs(front, signer),
		live:     live.New(live.Options{Desk: front, Catalog: b.catalog, Hub: b.hub}),
		work:     work.New(work.Options{Desk: front, Jobs: b.jobs}),
		vendor:   vendor.New(vendor.Options{Flow: a.direct}),
		rest:     files,
		address:  b.addresses(front, files),
		admin:    admindoor.New(admindoor.Options{Desk: front, Admin: rules, Tasks: b.jobs.Store, Version: apiVersion, Commit: commit(), Try: b.TryPolicy, Allow: b.AllowOrigins}),
		account: accountdoor.New(accountdoor.Options{
			Desk: front, Catalog: b.catalog, Setup: a.setup, Keeper: account.New(account.Options{
				Store: accounts.New(b.store), Accounts: b.store.Auth(), Tokens: tokens, Vault: auth.NewVault(b.keys), IDs: b.ids,
				Clock: c.Clock, Title: c.Title,
			}),
		}),
	}.routes())
	rest.MountDocs(front)
	secure, err := a.bind(ctx, slices.Concat(loopback, peers))
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	a.secure = secure != nil
	a.server = &http.Server{
		Handler:           a.handler(front),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          quiet(c.Log),
		TLSConfig:         secure,
	}
	a.server.RegisterOnShutdown(b.hub.Close) // who listens would keep the server from stopping
	return a, nil
}

// bind listens. Without a certificate the kernel can move bodies by itself; for what
// is encrypted it cannot.
func (a *App) bind(ctx context.Context, near []netip.Prefix) (*tls.Config, error) {
	const op = "app.bind"
	var secure *tls.Config
	if a.cfg.TLSCert != "" || a.cfg.TLSKey != "" {
		pair, err := newCertificate(a.cfg.TLSCert, a.cfg.TLSKey, a.cfg.Log)
		if err != nil {
			return nil, err
		}
		secure = pair.config()
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Listen)
	if err != nil {
		return nil, errs.Newf(errs.Invalid, errs.IOFailed,
			"Cannot listen on %s: %v. Give another address with --listen.", a.cfg.Listen, err).At(op)
	}
	if a.ln = bounded(ln, a.cfg.PerAddress, near); secure == nil {
		a.ln = lane.Listen(a.ln)
	}
	return secure, nil
}

// first makes the administrator of the configuration, or the one-time token for
// the set-up page, if there is no administrator.
func (a *App) first(ctx context.Context) error {
	token, text := auth.NewSetupToken()
	a.setup = &setup{base: a.Base, token: token}
	required, err := a.setup.Required(ctx)
	if err != nil || !required {
		return err
	}
	if a.cfg.AdminEmail == "" {
		a.link = text
		return nil
	}
	_, err = a.AddUser(ctx, NewUser{
		Email: a.cfg.AdminEmail, Password: a.cfg.AdminPassword, Admin: true, Quota: GroupQuota,
	})
	return err
}

// URL is where the server can be reached: the public address if there is one,
// else where it listens.
func (a *App) URL() string {
	if u, err := a.cfg.siteURL(); err == nil && u != nil {
		return u.String()
	}
	scheme := "http://"
	if a.secure { // the server makes itself a TLSConfig once it serves
		scheme = "https://"
	}
	return scheme + a.ln.Addr().String()
}

// SetupURL is the one-time link for the first administrator; "" when there is
// one already.
func (a *App) SetupURL() string {
	if a.link == "" {
		return ""
	}
	return a.URL() + "/setup?token=" + a.link.Reveal()
}

// Serve serves until ctx ends, then lets requests finish within Config.Grace.
func (a *App) Serve(ctx context.Context) error {
	const op = "app.Serve"
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a.work.Go(func() { a.sweeping(ctx) })
	a.work.Go(func() { a.tending(ctx) })
	a.work.Go(func() { a.jobs.Run(ctx) })
	if a.cfg.ScrubDays > 0 {
		a.work.Go(func() { a.scrubbing(ctx) })
	}
	failed := make(chan error, 1)
	a.work.Go(func() { failed <- a.listen() })
	select {
	case err := <-failed:
		return errs.Wrap(op, err)
	case <-a.store.Failed():
		return errs.Wrap(op, errors.Join(a.store.Failure(), a.shut(ctx, min(a.cfg.Grace, lastWords))))
	case <-ctx.Done():
	}
	return errs.Wrap(op, a.shut(ctx, a.cfg.Grace))
}

// listen takes connections until the server is shut.
func (a *App) listen() error {
	if a.secure {
		return a.server.ServeTLS(a.ln, "", "")
	}
	return a.server.Serve(a.ln)
}

// lastWords is how long requests have to be told that the database has failed.
const lastWords = 2 * time.Second

// shut lets requests finish within wait.
func (a *App) shut(ctx context.Context, wait time.Duration) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	err := a.server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		// What is still being sent is cut; every acknowledged chunk is kept.
		err = a.server.Close()
	}
	return err
}

// Close ends everything at once. It can be called on an App that opened halfway.
func (a *App) Close() error {
	var all error
	if a.server != nil {
		all = errors.Join(all, a.server.Close())
	}
	if a.ln != nil {
		if err := a.ln.Close(); !errors.Is(err, net.ErrClosed) {
			all = errors.Join(all, err)
		}
	}
	a.work.Wait()
	if a.Base != nil {
		all = errors.Join(all, a.Base.Close())
	}
	if a.lock != nil {
		all = errors.Join(all, a.lock.Close())
	}
	return errs.Wrap("app.Close", all)
}

// sweeping looks for what is due until ctx ends.
func (a *App) sweeping(ctx context.Context) {
	t := time.NewTicker(a.cfg.Sweep)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			a.sweep(ctx)
		}
	}
}

// reapBatch bounds the blobs that one sweep unlinks at once.
const reapBatch = 1000

// trashBatch bounds the things whose time is over that one sweep removes.
const trashBatch = 1000

// sweep does what is due at hand. What is in stores is tended beside it.
func (a *App) sweep(ctx context.Context) {
	did, err := a.engine.Sweep(ctx)
	collected, kerr := a.keeper.Sweep(ctx, trashBatch)
	policies, perr := a.store.Catalog().Policies(ctx)
	reaped := 0
	var rerr error // storage that does not answer keeps nothing else from being unlinked
	for _, p := range policies {
		if a.engine.Away(p) {
			continue
		}
		n, err := a.reap(ctx, p)
		reaped, rerr = reaped+n, errors.Join(rerr, err)
	}
	tidied, terr := a.catalog.TidyPacks(ctx)
	_, jerr := a.jobs.queue.Prune(ctx, a.cfg.Clock().Add(-jobStay), trashBatch)
	if err = errors.Join(err, kerr, perr, rerr, terr, jerr); err != nil && ctx.Err() == nil {
		a.cfg.Log.Error("sweep", "err", err.Error())
	}
	if tidied != (catalog.Tidied{}) {
		a.cfg.Log.Info("tidied packs", "dropped", tidied.Dropped, "moved", tidied.Moved, "bytes", tidied.Bytes, "damaged", tidied.Damaged, "aside", tidied.Aside)
	}
	a.swept(did, reaped, collected)
}

func (a *App) swept(did upload.Swept, reaped, collected int) {
	if did != (upload.Swept{}) || reaped > 0 || collected > 0 {
		a.cfg.Log.Info("swept", "settled", did.Settled, "expired", did.Expired, "forgotten", did.Forgotten, "discarded", did.Discarded,
			"collected", collected, "unlinked", reaped)
	}
}

// reap unlinks what was deleted of a policy.
func (a *App) reap(ctx context.Context, p catalog.Policy) (reaped int, err error) {
	for more := reapBatch; more == reapBatch && err == nil; reaped += more {
		more, err = a.catalog.Reap(ctx, p.ID, a.cfg.Clock(), reapBatch)
	}
	return reaped, err
}

var _ catalog.Buckets = (*buckets)(nil)

// laneOf finds the connection of a request, nil if its bytes cannot be moved.
func laneOf(ctx context.Context) desk.Lane {
	if c := lane.Of(ctx); c != nil {
		return c
	}
	return nil
}
