package thumb

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/thumb"
)

// An address holds for one to two days: all that is asked for within a day is the
// same, so that browsers find what they have kept.
const day = 24 * time.Hour

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Catalog *catalog.Catalog
	Signer  *auth.Signer
	Maker   *thumb.Maker
}

// Door gives out thumbnails.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Asks("createThumbURL", "GET /file/thumb", d.createThumbURL),
		desk.Anyone.Asks("getThumb", "GET /file/thumb/{entity}", d.getThumb),
	}
}

// message is what the signature of an address covers; through is the share that it
// was given out by, if one was.
func message(entity, through string) auth.Message {
	path := "thumb/" + entity
	if through != "" {
		path += "/share/" + url.PathEscape(through)
	}
	return auth.Message{Method: http.MethodGet, Path: path}
}

func (d *Door) createThumbURL(q *desk.Call) error {
	at, err := d.Readable(q, q.R.URL.Query().Get("uri"))
	if err != nil {
		return err
	}
	n, version, err := d.Catalog.Choose(q.Ctx(), q.Actor, at.Ref, nil)
	if err != nil {
		return err
	}
	if !thumb.Can(n.Name, n.Size) {
		return errs.New(errs.Unsupported, errs.NoThumb).At("thumb.createThumbURL")
	}
	until := d.Clock().Truncate(day).Add(2 * day)
	entity, query, through := d.EntityID(version), url.Values{}, ""
	if at.Ref.Share != nil {
		through = d.IDs.Encode(core.TagShare, int64(at.Ref.Share.ID))
		query.Set("share", through)
	}
	query.Set("sign", d.Signer.Sign(message(entity, through), until))
	return desk.OK(q, wire.ThumbURL{
		URL: d.Origin(q.R) + desk.Prefix + "/file/thumb/" + entity + "?" + query.Encode(), Expires: until,
	})
}

func (d *Door) getThumb(q *desk.Call) error {
	entity := q.R.PathValue("entity")
	sign, through := q.R.URL.Query().Get("sign"), q.R.URL.Query().Get("share")
	if sign == "" {
		return errs.Newf(errs.Forbidden, errs.NoPermission, "expire timestamp is missing")
	}
	if err := d.Signer.Check(message(entity, through), sign, d.Clock()); err != nil {
		return err
	}
	if err := d.StillShared(q, d.Catalog, through); err != nil {
		return err
	}
	id, err := d.VersionID(entity)
	if err != nil {
		return errs.Newf(errs.NotFound, errs.VersionMissing, "Entity not exist").Because(err)
	}
	p, err := d.Maker.Of(q.Ctx(), id)
	if err != nil {
		return err
	}
	h := q.W.Header()
	h.Set("Content-Type", p.MIME)
	h.Set("Content-Length", strconv.Itoa(len(p.Bytes)))
	h.Set("Content-Disposition", "inline")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // the address is the permission
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("X-Robots-Tag", "noindex")
	if q.R.Header.Get("Origin") != "" {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	_, _ = q.W.Write(p.Bytes) // a reader who went away is no failure
	return nil
}
