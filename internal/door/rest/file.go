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
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxBatch is how many URIs one request may name (contract: 40074 above).
const maxBatch = 3000

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

func (d *Door) listFiles(q *request) error {
	query := q.r.URL.Query()
	at, err := d.needURI(query.Get("uri"))
	if err != nil {
		return err
	}
	if len(at.uri.Query) > 0 {
		return errs.Newf(errs.Unsupported, errs.NoPermission, "Searching is not supported yet.")
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
	l, err := d.Catalog.List(q.ctx(), q.actor, at.ref, catalog.ListQuery{
		Order: catalog.Order(query.Get("order_by")), Desc: query.Get("order_direction") == "desc", After: after, Limit: size,
	})
	if err != nil {
		return err
	}
	h, err := d.Catalog.HomeOf(q.ctx(), q.actor.User)
	if err != nil {
		return err
	}
	return ok(q, d.listing(l, at.ref.Path, h, size))
}

func (d *Door) listing(l catalog.Listing, at core.Path, h catalog.Home, size int) wire.FileList {
	policy := d.policy(h.Policy)
	out := wire.FileList{
		Files: make([]wire.File, len(l.Nodes)), Parent: d.file(l.Parent, at, false),
		Pagination: wire.Pagination{PageSize: size, IsCursor: true},
		Props: wire.ListProps{
			Capability: wire.OwnDrive.String(), MaxPageSize: catalog.MaxPage,
			OrderByOptions:        []string{"name", "size", "updated_at", "created_at"},
			OrderDirectionOptions: []string{"asc", "desc"},
		},
		ContextHint: core.NewUUID(), StoragePolicy: &policy, View: view(l.Parent),
	}
	for i, n := range l.Nodes {
		out.Files[i] = d.file(n, at.Join(n.Name), true)
		out.Files[i].Damaged = slices.Contains(l.Damaged, n.ID)
	}
	if l.More {
		out.Pagination.NextToken = cursorOf(l.Nodes[len(l.Nodes)-1])
	}
	return out
}

func (d *Door) fileInfo(q *request) error {
	query := q.r.URL.Query()
	at, err := d.needURI(query.Get("uri"))
	if err != nil {
		return err
	}
	n, err := d.Catalog.Find(q.ctx(), q.actor, at.ref)
	if err != nil {
		return err
	}
	f := d.file(n, at.ref.Path, true)
	if query.Get("extended") == "true" {
		h, err := d.Catalog.HomeOf(q.ctx(), q.actor.User)
		if err != nil {
			return err
		}
		if f.ExtendedInfo, err = d.extended(q.ctx(), n, h); err != nil {
			return err
		}
	}
	if query.Get("folder_summary") == "true" && n.Kind == catalog.Folder {
		s, err := d.Catalog.Summary(q.ctx(), n)
		if err != nil {
			return err
		}
		f.FolderSummary = d.summary(s, d.Clock())
	}
	return ok(q, f)
}

func (d *Door) createFile(q *request) error {
	var in wire.CreateFileRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	kind := catalog.Folder
	switch in.Type {
	case "folder":
	case "file":
		kind = catalog.File
	default:
		return bad("Invalid parameters.")
	}
	at, err := d.needURI(in.URI)
	if err != nil {
		return err
	}
	n, err := d.Catalog.Create(q.ctx(), q.actor, at.ref, catalog.NewNode{
		Kind: kind, Meta: in.Metadata, ErrOnConflict: in.ErrOnConflict,
	})
	if err != nil {
		return err
	}
	return ok(q, d.file(n, beside(at.ref.Path, n.Name), false))
}

// beside is the path of a name in the folder that holds p; the root holds
// nothing but itself.
func beside(p core.Path, name string) core.Path {
	if p.IsRoot() {
		return p
	}
	return p.Dir().Join(name)
}

func (d *Door) renameFile(q *request) error {
	var in wire.RenameRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	at, err := d.needURI(in.URI)
	if err != nil {
		return err
	}
	if in.NewName == "" {
		return bad("NewName cannot be empty")
	}
	n, err := d.Catalog.Rename(q.ctx(), q.actor, at.ref, in.NewName)
	if err != nil {
		return err
	}
	return ok(q, d.file(n, beside(at.ref.Path, n.Name), false))
}

func (d *Door) deleteFiles(q *request) error {
	var in wire.DeleteFilesRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	places, err := d.places(in.URIs)
	if err != nil {
		return err
	}
	failed := map[string]error{}
	for i, at := range places {
		if _, err := d.Catalog.Delete(q.ctx(), q.actor, at.ref); err != nil {
			failed[in.URIs[i]] = err
		}
	}
	if err := batch(failed); err != nil {
		return err
	}
	return q.done()
}

// places reads the URIs of a batch; one bad URI refuses the whole.
func (d *Door) places(uris []string) ([]place, error) {
	switch {
	case len(uris) == 0:
		return nil, bad("Uris too short")
	case len(uris) > maxBatch:
		return nil, errs.Newf(errs.Invalid, errs.TooMany, "At most %d items in one request", maxBatch)
	}
	out := make([]place, len(uris))
	for i, text := range uris {
		at, err := d.where(text)
		if err != nil {
			return nil, err
		}
		out[i] = at
	}
	return out, nil
}

func (d *Door) deleteLocks(q *request) error {
	var in wire.DeleteLocksRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	switch {
	case len(in.Tokens) == 0:
		return bad("Tokens too short")
	case len(in.Tokens) > maxTokens:
		return bad("Tokens too long")
	}
	if err := d.Catalog.Unlock(q.ctx(), q.actor, in.Tokens); err != nil {
		return err
	}
	return q.done()
}

func (d *Door) patchView(q *request) error {
	var in wire.PatchViewRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	at, err := d.needURI(in.URI)
	if err != nil {
		return err
	}
	switch {
	case in.View.PageSize != 0 && in.View.PageSize < 50:
		return bad("PageSize too short")
	case in.View.GalleryWidth < 50:
		return bad("GalleryWidth too short")
	case in.View.GalleryWidth > 500:
		return bad("GalleryWidth too long")
	}
	text, err := json.Marshal(in.View)
	if err != nil {
		return errs.Wrap("rest.patchView", err)
	}
	if err := d.Catalog.SetView(q.ctx(), q.actor, at.ref, string(text)); err != nil {
		return err
	}
	return q.done()
}

// linkLife is how long an address for a download opens it.
const linkLife = time.Hour
