package desk

import (
	"net/url"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Readable is NeedURI for operations that only read: it takes places in shares
// too, and only an operation that asks with it is open to them.
func (d *Desk) Readable(q *Call, text string) (Place, error) {
	const op = "desk.Readable"
	u, err := wire.ParseURI(text)
	if err != nil || u.FS != wire.FSShare {
		return d.NeedURI(text)
	}
	id, err := d.IDs.Decode(core.TagShare, u.User)
	if err != nil {
		return Place{}, errs.New(errs.NotFound, errs.ShareMissing).At(op)
	}
	p, err := core.JoinPath(u.Path)
	if err != nil {
		return Place{}, errs.Wrap(op, err)
	}
	key := &catalog.ShareKey{ID: core.ShareID(id), Password: core.Secret(u.Password), From: q.Addr()}
	return Place{URI: u, Ref: catalog.Ref{Path: p, Share: key}}, nil
}

// AllReadable is Places for operations that only read.
func (d *Desk) AllReadable(q *Call, uris []string) ([]Place, error) {
	return places(uris, func(text string) (Place, error) { return d.Readable(q, text) })
}

// Seen turns a node at p, in the drive or the share that in is in, into what who
// sees: File for one's own drive, and in a share what visitors may know.
func (d *Desk) Seen(who core.Actor, in Place, n catalog.Node, p core.Path, full bool) wire.File {
	f := d.File(n, p, full)
	if in.Ref.Share == nil {
		return f
	}
	f.Path = in.URI.At(p.Names()...).String()
	f.Capability = wire.ShareDrive.String()
	f.Owned = who.Known() && who.User == n.Owner
	for k := range f.Metadata {
		if !visible(k) {
			delete(f.Metadata, k)
		}
	}
	return f
}

// visible are the keys of metadata that visitors of a share may see.
func visible(key string) bool {
	for _, of := range []string{"tag:", "customize:", "thumb:"} {
		if strings.HasPrefix(key, of) {
			return true
		}
	}
	return false
}

// ShareURL is the address of a share for people: the one that opens it in a
// browser. The password is part of it, as in the contract, if one is given.
func (d *Desk) ShareURL(q *Call, id core.ShareID, password core.Secret) string {
	link := d.Origin(q.R) + "/s/" + d.IDs.Encode(core.TagShare, int64(id))
	if password != "" {
		link += "/" + url.PathEscape(password.Reveal())
	}
	return link
}
