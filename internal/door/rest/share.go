package rest

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

// sharedListing makes of a listing what visitors of a share see. A share of one
// file is shown as a folder that holds it and does not exist.
func (d *Door) sharedListing(q *desk.Call, out wire.FileList, l catalog.Listing, at desk.Place) wire.FileList {
	out.Props.Capability = wire.ShareDrive.String()
	if l.Single {
		n := l.Nodes[0]
		n.Kind, n.Size, n.Version, n.Meta = catalog.Folder, 0, 0, nil
		out.Parent, out.SingleFileView = d.Seen(q.Actor, at, n, core.Root, false), true
	}
	return out
}

// take counts one download for each share that links were made through, and
// takes back the links of those that have none left, saying why.
func (d *Door) take(q *desk.Call, places []desk.Place, links []string, refused func(i int, err error)) {
	taken := map[core.ShareID]error{}
	for i, at := range places {
		key := at.Ref.Share
		if key == nil || links[i] == "" {
			continue
		}
		err, done := taken[key.ID]
		if !done {
			err = d.Take(q.Ctx(), q.Actor, key.ID)
			taken[key.ID] = err
		}
		if err != nil {
			links[i] = ""
			refused(i, err)
		}
	}
}
