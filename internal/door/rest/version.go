package rest

import (
	"context"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func (d *Door) setCurrentVersion(q *desk.Call) error { return d.version(q, d.Catalog.SetCurrent) }
func (d *Door) deleteVersion(q *desk.Call) error     { return d.version(q, d.Catalog.DeleteVersion) }

func (d *Door) version(q *desk.Call, do func(context.Context, core.Actor, catalog.Ref, core.VersionID) error) error {
	var in wire.VersionRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	id, err := d.VersionID(in.Version)
	if err != nil {
		return errs.Newf(errs.Invalid, errs.BadID, "Unknown version ID").Because(err)
	}
	if err := do(q.Ctx(), q.Actor, at.Ref, id); err != nil {
		return err
	}
	return q.Done()
}
