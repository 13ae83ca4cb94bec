package rest

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxTokens is how many locks one request may name.
const maxTokens = 16384

// cursor is a next_page_token: the place of a node in every order.
type cursor struct {
	ID      core.NodeID  `json:"id"`
	Kind    catalog.Kind `json:"k,omitempty"`
	Key     string       `json:"n"`
	Size    int64        `json:"s"`
	Created int64        `json:"c"`
	Updated int64        `json:"u"`
}

func cursorOf(n catalog.Node) string {
	b, err := json.Marshal(cursor{n.ID, n.Kind, n.Key, n.Size, core.Micros(n.Created), core.Micros(n.Updated)})
	if err != nil {
		panic(err) // numbers and text always marshal
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func readCursor(token string) (*catalog.Node, error) {
	if token == "" {
		return nil, nil
	}
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return nil, errs.Newf(errs.Invalid, errs.BadParam, "Invalid next_page_token").Because(err)
	}
	return &catalog.Node{
		ID: c.ID, Kind: c.Kind, Key: c.Key, Size: c.Size,
		Created: core.FromMicros(c.Created), Updated: core.FromMicros(c.Updated),
	}, nil
}

func (d *Door) listFiles(q *desk.Call) error {
	query := q.R.URL.Query()
	at, err := d.Readable(q, query.Get("uri"))
	if err != nil {
		return err
	}
	if at.Ref.Trash && len(at.URI.Query) > 0 {
		return errs.Newf(errs.Unsupported, errs.NoPermission, "The trash cannot be searched.")
	}
	after, err := readCursor(query.Get("next_page_token"))
	if err != nil {
		return err
	}
	size, _ := strconv.Atoi(query.Get("page_size")) // anything else is the default, as clients expect
	if size <= 0 {
		size = catalog.DefaultPage
	}
	size = min(size, catalog.MaxPage)
	page, _ := strconv.ParseInt(query.Get("page"), 10, 64)
	l, err := d.Search.List(q.Ctx(), q.Actor, at.Ref, at.URI.Query, catalog.ListQuery{
		Order: catalog.Order(query.Get("order_by")), Desc: query.Get("order_direction") == "desc", After: after, Page: page, Limit: size,
	})
	if err != nil {
		return err
	}
	if at.Ref.Trash {
		return desk.OK(q, d.trash(l, at.Ref.Path, size))
	}
	out := d.listing(q, l, at, size)
	if at.Ref.Share != nil {
		return desk.OK(q, d.sharedListing(q, out, l, at))
	}
	h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	policy := d.Policy(h.Policy)
	out.StoragePolicy = &policy
	return desk.OK(q, out)
}

func (d *Door) listing(q *desk.Call, l catalog.Listing, at desk.Place, size int) wire.FileList {
	out := wire.FileList{
		Files: make([]wire.File, len(l.Nodes)), Parent: d.Seen(q.Actor, at, l.Parent, at.Ref.Path, false),
		Pagination: pagination(l, size),
		Props: wire.ListProps{
			Capability: wire.OwnDrive.String(), MaxPageSize: catalog.MaxPage,
			OrderByOptions:        []string{"name", "size", "updated_at", "created_at"},
			OrderDirectionOptions: []string{"asc", "desc"},
		},
		ContextHint: core.NewUUID(), View: view(l.Parent), RecursionLimitReached: l.Limited,
	}
	for i, n := range l.Nodes {
		in := at.Ref.Path
		if l.In != nil {
			in = below(in, l.In[i])
		}
		out.Files[i] = d.Seen(q.Actor, at, n, in.Join(n.Name), true)
		out.Files[i].Damaged = slices.Contains(l.Damaged, n.ID)
	}
	return out
}

// pagination tells how to come to the other pages: by a token, or by number.
func pagination(l catalog.Listing, size int) wire.Pagination {
	p := wire.Pagination{Page: int(l.Page), PageSize: size, IsCursor: l.Page == 0, TotalItems: int(l.Total)}
	if l.More && p.IsCursor {
		p.NextToken = cursorOf(l.Nodes[len(l.Nodes)-1])
	}
	return p
}

// below is the path p seen from the folder at.
func below(at, p core.Path) core.Path {
	for _, name := range p.Names() {
		at = at.Join(name)
	}
	return at
}

// trash is listing for the trash, and for a folder in it.
func (d *Door) trash(l catalog.Listing, at core.Path, size int) wire.FileList {
	out := wire.FileList{
		Files:      make([]wire.File, len(l.Nodes)),
		Pagination: pagination(l, size),
		Props: wire.ListProps{
			Capability: wire.TrashDrive.String(), MaxPageSize: catalog.MaxPage,
			OrderByOptions:        []string{"name", "size", "updated_at", "created_at"},
			OrderDirectionOptions: []string{"asc", "desc"},
		},
		ContextHint: core.NewUUID(),
	}
	for i, n := range l.Nodes {
		name := n.Name
		if at.IsRoot() {
			name = n.Token()
		}
		out.Files[i] = d.Trashed(n, at.Join(name))
	}
	return out
}

func (d *Door) fileInfo(q *desk.Call) error {
	query := q.R.URL.Query()
	at, err := d.Readable(q, query.Get("uri"))
	if err != nil {
		return err
	}
	n, err := d.Catalog.Look(q.Ctx(), q.Actor, at.Ref)
	if err != nil {
		return err
	}
	f := d.Seen(q.Actor, at, n, at.Ref.Path, true)
	switch {
	case at.Ref.Share != nil && !f.Owned:
		return desk.OK(q, f) // older versions and sums over a tree are its owner's
	case at.Ref.Trash:
		f = d.Trashed(n, at.Ref.Path)
	}
	if query.Get("extended") == "true" {
		h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
		if err != nil {
			return err
		}
		if f.ExtendedInfo, err = d.extended(q.Ctx(), n, h); err != nil {
			return err
		}
	}
	if query.Get("folder_summary") == "true" && n.Kind == catalog.Folder {
		s, err := d.Catalog.Summary(q.Ctx(), n)
		if err != nil {
			return err
		}
		f.FolderSummary = d.summary(s, d.Clock())
	}
	return desk.OK(q, f)
}

func (d *Door) createFile(q *desk.Call) error {
	var in wire.CreateFileRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	kind := catalog.Folder
	switch in.Type {
	case "folder":
	case "file":
		kind = catalog.File
	default:
		return desk.Bad("Invalid parameters.")
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	n, err := d.Catalog.Create(q.Ctx(), q.Actor, at.Ref, catalog.NewNode{
		Kind: kind, Meta: in.Metadata, ErrOnConflict: in.ErrOnConflict,
	})
	if err != nil {
		return err
	}
	return desk.OK(q, d.File(n, beside(at.Ref.Path, n.Name), false))
}

// beside is the path of a name in the folder that holds p; the root holds
// nothing but itself.
func beside(p core.Path, name string) core.Path {
	if p.IsRoot() {
		return p
	}
	return p.Dir().Join(name)
}

func (d *Door) renameFile(q *desk.Call) error {
	var in wire.RenameRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	if in.NewName == "" {
		return desk.Bad("NewName cannot be empty")
	}
	n, err := d.Catalog.Rename(q.Ctx(), q.Actor, at.Ref, in.NewName)
	if err != nil {
		return err
	}
	return desk.OK(q, d.File(n, beside(at.Ref.Path, n.Name), false))
}

func (d *Door) deleteLocks(q *desk.Call) error {
	var in wire.DeleteLocksRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	switch {
	case len(in.Tokens) == 0:
		return desk.Bad("Tokens too short")
	case len(in.Tokens) > maxTokens:
		return desk.Bad("Tokens too long")
	}
	if err := d.Catalog.Unlock(q.Ctx(), q.Actor, in.Tokens); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) patchView(q *desk.Call) error {
	var in wire.PatchViewRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	switch {
	case in.View.PageSize != 0 && in.View.PageSize < 50:
		return desk.Bad("PageSize too short")
	case in.View.GalleryWidth < 50:
		return desk.Bad("GalleryWidth too short")
	case in.View.GalleryWidth > 500:
		return desk.Bad("GalleryWidth too long")
	}
	text, err := json.Marshal(in.View)
	if err != nil {
		return errs.Wrap("rest.patchView", err)
	}
	if err := d.Catalog.SetView(q.Ctx(), q.Actor, at.Ref, string(text)); err != nil {
		return err
	}
	return q.Done()
}

// linkLife is how long an address for a download opens it.
const linkLife = time.Hour
