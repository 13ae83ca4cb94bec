package organise

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Keeper *arrange.Keeper
}

// Door has the operations that change where files are.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{Options: o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Sends("moveFiles", "POST /file/move", d.moveFiles),
		desk.Anyone.Sends("deleteFiles", "DELETE /file", d.deleteFiles),
		desk.Anyone.Sends("restoreFiles", "POST /file/restore", d.restoreFiles),
		desk.Member.Asks("emptyTrash", "DELETE /file/trash", d.emptyTrash),
	}
}

func (d *Door) moveFiles(q *desk.Call) error {
	var in wire.MoveFilesRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	refs, err := d.refs(in.URIs)
	if err != nil {
		return err
	}
	if in.Dst == "" {
		return desk.Bad("Dst cannot be empty")
	}
	dst, err := d.Where(in.Dst)
	if err != nil {
		return err
	}
	if in.Copy {
		return errs.Newf(errs.Unsupported, errs.NoPermission, "Copying is not supported yet.")
	}
	failed, err := d.Keeper.Move(q.Ctx(), q.Actor, refs, dst.Ref)
	if err == nil && len(refs) == 1 && errs.Has(failed[0], errs.NameTaken) {
		return failed[0] // as clients know it
	}
	return d.answer(q, in.URIs, failed, err)
}

func (d *Door) deleteFiles(q *desk.Call) error {
	var in wire.DeleteFilesRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	refs, err := d.refs(in.URIs)
	if err != nil {
		return err
	}
	if in.Unlink {
		return errs.Newf(errs.Unsupported, errs.NoPermission, "Deleting a file without its bytes is not supported: nobody would find them again.")
	}
	remove := d.Keeper.Trash
	if in.SkipSoftDelete {
		remove = d.Keeper.Remove
	}
	failed, err := remove(q.Ctx(), q.Actor, refs)
	return d.answer(q, in.URIs, failed, err)
}

func (d *Door) restoreFiles(q *desk.Call) error {
	var in wire.RestoreFilesRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	refs, err := d.refs(in.URIs)
	if err != nil {
		return err
	}
	failed, err := d.Keeper.Restore(q.Ctx(), q.Actor, refs)
	return d.answer(q, in.URIs, failed, err)
}

func (d *Door) emptyTrash(q *desk.Call) error {
	if err := d.Keeper.Empty(q.Ctx(), q.Actor); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) refs(uris []string) ([]catalog.Ref, error) {
	places, err := d.Places(uris)
	if err != nil {
		return nil, err
	}
	refs := make([]catalog.Ref, len(places))
	for i, at := range places {
		refs[i] = at.Ref
	}
	return refs, nil
}

// answer tells of a batch: what failed, under the URI it was asked for with.
func (d *Door) answer(q *desk.Call, uris []string, failed arrange.Failures, err error) error {
	if err != nil {
		return err
	}
	named := make(map[string]error, len(failed))
	for i, err := range failed {
		named[uris[i]] = err
	}
	if err := desk.Batch(named); err != nil {
		return err
	}
	return q.Done()
}
