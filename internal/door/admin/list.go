package admin

import (
	"context"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

// list reads what is asked for, and looks.
func list[T any](q *desk.Call, look func(context.Context, rules.Query) (rules.Page[T], error), conditions ...string) (rules.Page[T], wire.AdminPagination, error) {
	in, err := query(q, conditions...)
	if err != nil {
		return rules.Page[T]{}, wire.AdminPagination{}, err
	}
	p, err := look(q.Ctx(), in)
	return p, paged(in, p), err
}

func (d *Door) listPolicies(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Policies)
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminPolicyList{Policies: each(p.Items, policyLine), Pagination: page})
}

func (d *Door) listGroups(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Groups)
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminGroupList{Groups: each(p.Items, groupLine), Pagination: page})
}

func (d *Door) listUsers(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Users, "words", "group", "status")
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminUserList{Users: each(p.Items, d.user), Pagination: page})
}

func (d *Door) listFiles(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Files, "words", "owner")
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminFileList{Files: each(p.Items, d.file), Pagination: page})
}

func (d *Door) listEntities(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Versions, "owner", "policy", "damaged")
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminEntityList{Entities: each(p.Items, d.entity), Pagination: page})
}

func (d *Door) listShares(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Shares, "words", "owner")
	if err != nil {
		return err
	}
	origin := d.Origin(q.R)
	return desk.OK(q, wire.AdminShareList{
		Shares: each(p.Items, func(l rules.ShareLine) wire.AdminShare { return d.share(l, origin) }), Pagination: page,
	})
}

func (d *Door) listUploads(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Uploads, "words", "owner", "policy")
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminUploadList{Uploads: each(p.Items, d.upload), Pagination: page})
}

func (d *Door) deleteUpload(q *desk.Call) error {
	if err := d.Admin.AbortUpload(q.Ctx(), by(q), core.SessionID(q.R.PathValue("sessionId"))); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) listTrail(q *desk.Call) error {
	p, page, err := list(q, d.Admin.Lines, "words", "owner")
	if err != nil {
		return err
	}
	return desk.OK(q, wire.AdminTrailList{Changes: each(p.Items, trailLine), Pagination: page})
}

// listNodes knows one server, this one.
func (d *Door) listNodes(q *desk.Call) error {
	in, err := query(q)
	if err != nil {
		return err
	}
	born, err := d.Admin.Born(q.Ctx())
	if err != nil {
		return err
	}
	nodes := []wire.AdminNode{{
		ID: 1, CreatedAt: born, UpdatedAt: born, Status: "active", Name: "Master", Type: "master",
		Settings: map[string]any{}, Edges: map[string]any{},
	}}
	page := wire.AdminPagination{Page: in.Page, PageSize: in.Size, TotalItems: 1}
	if in.Page > 0 {
		nodes = nodes[:0]
	}
	return desk.OK(q, wire.AdminNodeList{Nodes: nodes, Pagination: page})
}

func (d *Door) queueMetrics(q *desk.Call) error {
	n, err := d.Admin.Waiting(q.Ctx())
	if err != nil {
		return err
	}
	return desk.OK(q, []wire.AdminQueue{{Name: "recycle", SuspendingTasks: n}})
}
