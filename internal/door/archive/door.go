package archive

import (
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

const (
	// maxFiles bounds the directory at the end of an archive, which is held in memory
	// while it is made: some 200 bytes for each file.
	maxFiles = 200_000
	// maxOffers is how many selections are kept; the oldest goes.
	maxOffers = 4096
	// maxRunning is how many archives of one user are made at once.
	maxRunning = 4
)

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Catalog *catalog.Catalog
	Signer  *auth.Signer
}

// Door makes archives.
type Door struct {
	Options
	mu      sync.Mutex
	offers  map[string]offer
	order   []string // of offers, oldest first
	running map[core.UserID]int
}

// offer is a selection that may be fetched.
type offer struct {
	who   core.Actor
	refs  []catalog.Ref
	until time.Time
}

// New returns the door over o.
func New(o Options) *Door {
	return &Door{Options: o, offers: map[string]offer{}, running: map[core.UserID]int{}}
}

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{desk.Anyone.Asks("getArchive", "GET /file/archive/{archiveId}/archive.zip", d.getArchive).At(desk.Dear)}
}

// Offer returns an address, good until then, under which the selection can be
// fetched as one archive. Forbidden/no_permission where the caller's group may not;
// NotFound/path_missing for what is not there; Invalid/too_many for more than an
// archive takes.
func (d *Door) Offer(q *desk.Call, refs []catalog.Ref, until time.Time) (string, error) {
	const op = "archive.Offer"
	if err := q.MustBeKnown(); err != nil {
		return "", err
	}
	home, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return "", errs.Wrap(op, err)
	}
	if home.Group.Permissions&(1<<catalog.PermArchiveDownload) == 0 {
		return "", errs.Newf(errs.Forbidden, errs.NoPermission, "Your group may not download archives").At(op)
	}
	var files int64
	for _, ref := range refs {
		n, err := d.Catalog.Find(q.Ctx(), q.Actor, ref)
		if err != nil {
			return "", errs.Wrap(op, err)
		}
		files++
		if n.Kind == catalog.Folder {
			s, err := d.Catalog.Summary(q.Ctx(), n)
			if err != nil {
				return "", errs.Wrap(op, err)
			}
			files += s.Files + s.Folders
		}
		if files > maxFiles {
			return "", errs.Newf(errs.Invalid, errs.TooMany, "An archive takes up to %d files; choose fewer.", maxFiles).At(op)
		}
	}
	id := core.NewUUID()
	d.keep(id, offer{who: q.Actor, refs: refs, until: until})
	query := url.Values{"sign": {d.Signer.Sign(message(id), until)}}
	return d.Origin(q.R) + desk.Prefix + "/file/archive/" + id + "/archive.zip?" + query.Encode(), nil
}

func message(id string) auth.Message {
	return auth.Message{Method: http.MethodGet, Path: "archive/" + id}
}

func (d *Door) keep(id string, o offer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.order) > 0 && (len(d.order) >= maxOffers || d.Clock().After(d.offers[d.order[0]].until)) {
		delete(d.offers, d.order[0])
		d.order = d.order[1:]
	}
	d.offers[id] = o
	d.order = append(d.order, id)
}

// enter takes the offer and a place among the archives of its user.
func (d *Door) enter(id string) (o offer, leave func(), err error) {
	const op = "archive.enter"
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.offers[id]
	if !ok {
		// As an address that is too old: a server that was started anew has forgotten it.
		return o, nil, errs.Newf(errs.Forbidden, errs.SignExpired, "This address is used up. Ask for the archive again.").At(op)
	}
	if d.running[o.who.User] >= maxRunning {
		return o, nil, errs.Newf(errs.Transient, errs.Overload, "%d archives are on their way to you already. Try again when one of them is through.", maxRunning).At(op)
	}
	d.running[o.who.User]++
	return o, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.running[o.who.User]--; d.running[o.who.User] == 0 {
			delete(d.running, o.who.User)
		}
	}, nil
}

func (d *Door) getArchive(q *desk.Call) error {
	id := q.R.PathValue("archiveId")
	sign := q.R.URL.Query().Get("sign")
	if sign == "" {
		return errs.Newf(errs.Forbidden, errs.NoPermission, "expire timestamp is missing")
	}
	if err := d.Signer.Check(message(id), sign, d.Clock()); err != nil {
		return err
	}
	o, leave, err := d.enter(id)
	if err != nil {
		return err
	}
	defer leave()
	p := &packer{catalog: d.Catalog, who: o.who, names: map[string]bool{}}
	return p.send(q, o.refs, d.Stall, d.Clock)
}
