package organise

import (
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Options are what a Door is made of; all are needed.
type Options struct {
	*desk.Desk
	Keeper  *arrange.Keeper
	Catalog *catalog.Catalog
}

// Door has the operations that change where files are.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{Options: o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Sends("moveFiles", "POST /file/move", d.moveFiles).At(desk.Dear),
		desk.Anyone.Sends("deleteFiles", "DELETE /file", d.deleteFiles),
		desk.Anyone.Sends("restoreFiles", "POST /file/restore", d.restoreFiles),
		desk.Member.Asks("emptyTrash", "DELETE /file/trash", d.emptyTrash).At(desk.Dear).Audited(),
		desk.Anyone.Sends("patchMetadata", "PATCH /file/metadata", d.patchMetadata),
		desk.Member.Sends("pinFile", "PUT /file/pin", d.pinFile),
		desk.Member.Sends("unpinFile", "DELETE /file/pin", d.unpinFile),
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
	do := d.Keeper.Move
	if in.Copy {
		do = d.Keeper.Copy
	}
	failed, err := do(q.Ctx(), q.Actor, refs, dst.Ref)
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

// maxPatches is how many entries one request may change.
const maxPatches = 256

func (d *Door) patchMetadata(q *desk.Call) error {
	var in wire.PatchMetadataRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	refs, err := d.refs(in.URIs)
	if err != nil {
		return err
	}
	switch {
	case len(in.Patches) == 0:
		return desk.Bad("Patches too short")
	case len(in.Patches) > maxPatches:
		return desk.Bad("Patches too long")
	}
	patches := make([]arrange.Patch, len(in.Patches))
	for i, p := range in.Patches {
		patches[i] = arrange.Patch{Key: p.Key, Value: p.Value, Remove: p.Remove}
	}
	failed, err := d.Keeper.Label(q.Ctx(), q.Actor, refs, patches)
	return d.answer(q, in.URIs, failed, err)
}

func (d *Door) pinFile(q *desk.Call) error {
	var in wire.PinRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	if len(in.Name) > catalog.MaxName || !utf8.ValidString(in.Name) {
		return desk.Bad("Name too long")
	}
	if err := d.Catalog.Pin(q.Ctx(), q.Actor, catalog.Pin{URI: at.URI.String(), Name: in.Name}); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) unpinFile(q *desk.Call) error {
	var in wire.PinRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	at, err := d.NeedURI(in.URI)
	if err != nil {
		return err
	}
	if err := d.Catalog.Unpin(q.Ctx(), q.Actor, at.URI.String()); err != nil {
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
