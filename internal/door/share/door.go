package share

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/share"
)

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Links *share.Links
}

// Door has the operations on share links.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Member.Sends("createShare", "PUT /share", d.createShare).Audited(),
		desk.Member.Asks("listShares", "GET /share", d.listShares),
		desk.Member.Sends("editShare", "POST /share/{id}", d.editShare).Audited(),
		desk.Member.Asks("deleteShare", "DELETE /share/{id}", d.deleteShare).Audited(),
		desk.Anyone.Asks("getShareInfo", "GET /share/info/{id}", d.getShareInfo).At(desk.Dear),
		desk.Member.Asks("listUserShares", "GET /user/shares/{id}", d.listUserShares),
	}
}

func (d *Door) id(q *desk.Call) (core.ShareID, error) {
	id, err := d.IDs.Decode(core.TagShare, q.R.PathValue("id"))
	return core.ShareID(id), err
}

// terms reads what both making and editing send.
func terms(in wire.ShareRequest) (share.Terms, error) {
	const op = "share.terms"
	if in.Expire < 0 || in.Expire > math.MaxInt64/int64(time.Second) {
		return share.Terms{}, errs.Newf(errs.Invalid, errs.BadParam, "Expire is out of range").At(op)
	}
	return share.Terms{
		Private: in.IsPrivate, Password: core.Secret(in.Password), Life: time.Duration(in.Expire) * time.Second,
		Downloads: in.Downloads, ShowView: in.ShareView, ShowReadme: in.ShowReadme,
	}, nil
}

func (d *Door) createShare(q *desk.Call) error {
	var in wire.ShareRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	t, err := terms(in)
	if err != nil {
		return err
	}
	made, err := d.Links.Make(q.Ctx(), q.Actor, at.Ref, t)
	if err != nil {
		return err
	}
	return desk.OK(q, d.ShareURL(q, made.ID, made.Password))
}

func (d *Door) editShare(q *desk.Call) error {
	id, err := d.id(q)
	if err != nil {
		return err
	}
	var in wire.ShareRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	t, err := terms(in)
	if err != nil {
		return err
	}
	now, err := d.Links.Edit(q.Ctx(), q.Actor, id, t)
	if err != nil {
		return err
	}
	return desk.OK(q, d.ShareURL(q, now.ID, now.Password))
}

func (d *Door) deleteShare(q *desk.Call) error {
	id, err := d.id(q)
	if err != nil {
		return err
	}
	if err := d.Links.Remove(q.Ctx(), q.Actor, id); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) getShareInfo(q *desk.Call) error {
	id, err := d.id(q)
	if err != nil {
		return err
	}
	query := q.R.URL.Query()
	v, err := d.Links.Info(q.Ctx(), q.Actor, catalog.ShareKey{
		ID: id, Password: core.Secret(query.Get("password")), From: q.Addr(),
	}, query.Get("count_views") == "true")
	if err != nil {
		return err
	}
	return desk.OK(q, d.view(q, v))
}

func (d *Door) listShares(q *desk.Call) error {
	ask, err := d.query(q)
	if err != nil {
		return err
	}
	p, err := d.Links.Mine(q.Ctx(), q.Actor, ask)
	if err != nil {
		return err
	}
	return desk.OK(q, d.list(q, p, ask))
}

func (d *Door) listUserShares(q *desk.Call) error {
	id, err := d.IDs.Decode(core.TagUser, q.R.PathValue("id"))
	if err != nil {
		return err
	}
	ask, err := d.query(q)
	if err != nil {
		return err
	}
	ask.Owner = core.UserID(id)
	p, err := d.Links.Of(q.Ctx(), q.Actor, ask)
	if err != nil {
		return err
	}
	return desk.OK(q, d.list(q, p, ask))
}

// orders are what lists can be sorted by. Any other word is the order of making, as
// clients expect of listings.
var orders = map[string]share.Order{"views": share.ByVisited, "downloads": share.ByDownloaded, "expires": share.ByExpiry}

// query reads which page is asked for. A token is the public id of the last share
// of the page before, and what that was sorted by if it was not the order of making.
func (d *Door) query(q *desk.Call) (share.Query, error) {
	in := q.R.URL.Query()
	size, _ := strconv.Atoi(in.Get("page_size")) // anything else is the default, as clients expect
	if size <= 0 {
		size = share.DefaultPage
	}
	out := share.Query{Limit: min(size, share.MaxPage), Desc: in.Get("order_direction") == "desc", By: orders[in.Get("order_by")]}
	token := in.Get("next_page_token")
	if token == "" {
		return out, nil
	}
	last, rank, ranked := strings.Cut(token, ".")
	id, err := d.IDs.Decode(core.TagShare, last)
	if err == nil && ranked {
		out.Rank, err = strconv.ParseInt(rank, 10, 64)
	}
	if err != nil || ranked != (out.By != share.ByMade) {
		return share.Query{}, errs.Newf(errs.Invalid, errs.BadParam, "Invalid next_page_token").Because(err)
	}
	out.After = core.ShareID(id)
	return out, nil
}

func (d *Door) list(q *desk.Call, p share.Page, ask share.Query) wire.ShareList {
	out := wire.ShareList{
		Shares: make([]wire.Share, len(p.Views)), Pagination: wire.Pagination{PageSize: ask.Limit, IsCursor: true},
	}
	for i, v := range p.Views {
		out.Shares[i] = d.view(q, v)
	}
	if p.Next != 0 {
		out.Pagination.NextToken = d.IDs.Encode(core.TagShare, int64(p.Next))
		if ask.By != share.ByMade {
			out.Pagination.NextToken += "." + strconv.FormatInt(p.Rank, 10)
		}
	}
	return out
}

// view is a share as its owner or a visitor sees it.
func (d *Door) view(q *desk.Call, v share.View) wire.Share {
	out := wire.Share{
		ID: d.IDs.Encode(core.TagShare, int64(v.ID)), Name: v.Name, Visited: v.Visited, Downloaded: v.Downloaded,
		Unlocked: v.Unlocked, PasswordProtected: v.Private(), SourceType: wire.FileType(v.Kind), CreatedAt: v.Created,
		Expired: v.Expired, URL: d.ShareURL(q, v.ID, v.Password), Size: v.Size, ShowReadme: v.ShowReadme,
		Owner: wire.User{
			ID: d.IDs.Encode(core.TagUser, int64(v.User.ID)), Nickname: v.User.Nick, CreatedAt: v.User.Created,
		},
	}
	if !v.Expires.IsZero() {
		out.Expires = &v.Expires
	}
	if v.Remain != share.NoLimit {
		out.RemainDownloads = &v.Remain
	}
	if v.Mine {
		out.Owner.Email = v.User.Email
		out.IsPrivate, out.Password, out.ShareView = v.Private(), v.Password.Reveal(), v.ShowView
		if !v.Expired {
			out.SourceURI = desk.URIOf(v.Path)
		}
	}
	return out
}
