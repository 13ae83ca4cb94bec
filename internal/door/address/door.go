package address

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/address"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Prefix is under which addresses lie, for people.
const Prefix = "/f/"

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Book    *rules.Book
	Catalog *catalog.Catalog
	// Send answers with a content that may be another one next time.
	Send func(q *desk.Call, body catalog.Body, name string, download bool)
}

// Door has the operations on direct links.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Member.Sends("createDirectLinks", "PUT /file/source", d.createDirectLinks).Audited(),
		desk.Member.Asks("deleteDirectLink", "DELETE /file/source/{id}", d.deleteDirectLink).Audited(),
		desk.Anyone.Asks("getDirectLink", "GET /file/source/{id}/{name}", d.getDirectLink),
	}
}

func (d *Door) createDirectLinks(q *desk.Call) error {
	var in wire.DirectLinksRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if len(in.URIs) > desk.MaxLinks {
		return errs.Newf(errs.Invalid, errs.TooMany, "At most %d direct links in one request", desk.MaxLinks)
	}
	places, err := d.Places(in.URIs)
	if err != nil {
		return err
	}
	out, failed := make([]wire.DirectLink, 0, len(places)), map[string]error{}
	for i, at := range places {
		a, n, err := d.Book.Make(q.Ctx(), q.Actor, at.Ref)
		if err != nil {
			failed[in.URIs[i]] = err
			continue
		}
		out = append(out, wire.DirectLink{
			FileURL: in.URIs[i], ID: d.IDs.Encode(core.TagAddress, a.ID), Downloaded: a.Downloaded, CreatedAt: a.Created,
			Link: d.Origin(q.R) + Prefix + d.IDs.Encode(core.TagAddress, a.ID) + "/" + url.PathEscape(n.Name),
		})
	}
	if err := desk.Batch(failed); err != nil {
		return err
	}
	return desk.OK(q, out)
}

func (d *Door) deleteDirectLink(q *desk.Call) error {
	id, err := d.IDs.Decode(core.TagAddress, q.R.PathValue("id"))
	if err != nil {
		return err
	}
	if err := d.Book.Remove(q.Ctx(), q.Actor, id); err != nil {
		return err
	}
	return q.Done()
}

// getDirectLink goes by the id alone: the name in the address is for people, and may be
// a former one.
func (d *Door) getDirectLink(q *desk.Call) error {
	gone := &desk.Status{Code: http.StatusNotFound}
	id, err := d.IDs.Decode(core.TagAddress, q.R.PathValue("id"))
	if err != nil {
		gone.Err = errs.New(errs.NotFound, errs.AddressMissing).At("address.getDirectLink").Because(err)
		return gone
	}
	n, body, err := d.open(q.Ctx(), id, first(q.R))
	if errs.Is(err, errs.NotFound) || errs.Has(err, errs.RecoverNeeded) {
		gone.Err = err
		return gone
	}
	if err != nil {
		return err
	}
	d.Send(q, body, n.Name, q.R.URL.Query().Get("download") == "true")
	return body.Close()
}

func (d *Door) open(ctx context.Context, id int64, count bool) (catalog.Node, catalog.Body, error) {
	n, err := d.Book.Open(ctx, id, count)
	if err != nil {
		return n, catalog.Body{}, err
	}
	body, err := d.Catalog.OpenVersion(ctx, n.Version)
	return n, body, err
}

// first reports whether a request is a download of its own and not a further part of
// one, or a question about it.
func first(r *http.Request) bool {
	ranges := r.Header.Get("Range")
	return r.Method == http.MethodGet && (ranges == "" || strings.HasPrefix(ranges, "bytes=0-")) && r.Header.Get("If-None-Match") == ""
}

// Short serves the addresses that people have, /f/{id}/{name}, by the operation
// getDirectLink.
func Short(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := new(http.Request)
		*to = *r
		at := *r.URL
		at.Path, at.RawPath = desk.Prefix+"/file/source/"+strings.TrimPrefix(r.URL.Path, Prefix), ""
		to.URL = &at
		api.ServeHTTP(w, to)
	})
}
