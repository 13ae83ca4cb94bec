package admin

import (
	"context"
	"strconv"

	rules "github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/job"
	"github.com/wharfinger/wharfinger/internal/trial"
)

// Options are what a Door is made of. All are needed.
type Options struct {
	*desk.Desk
	Admin *rules.Admin
	Tasks job.Rows
	// Try tries what a policy needs at its vendor.
	Try func(ctx context.Context, p catalog.Policy, origin string, tell func(trial.Step)) error
	// Allow lets pages of these origins send to a policy's bucket.
	Allow   func(ctx context.Context, p catalog.Policy, origins ...string) error
	Version string // of the protocol
	Commit  string // of the program
}

// Door has the operations of administrators.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{Options: o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Administrator.Asks("adminSummary", "GET /admin/summary", d.summary),
		desk.Administrator.Sends("adminShowSettings", "POST /admin/settings", d.showSettings),
		desk.Administrator.Sends("adminSetSettings", "PATCH /admin/settings", d.setSettings).Audited(),

		desk.Administrator.Sends("adminListPolicies", "POST /admin/policy", d.listPolicies),
		desk.Administrator.Sends("adminAddPolicy", "PUT /admin/policy", d.addPolicy).Audited(),
		desk.Administrator.Asks("adminGetPolicy", "GET /admin/policy/{id}", d.getPolicy),
		desk.Administrator.Sends("adminEditPolicy", "PUT /admin/policy/{id}", d.editPolicy).Audited(),
		desk.Administrator.Asks("adminDeletePolicy", "DELETE /admin/policy/{id}", d.deletePolicy).Audited(),

		desk.Administrator.Asks("adminTestPolicy", "POST /admin/policy/{id}/test", d.testPolicy).At(desk.Dear),
		desk.Administrator.Asks("adminAllowOrigin", "POST /admin/policy/{id}/cors", d.allowOrigin).Audited(),

		desk.Administrator.Sends("adminListGroups", "POST /admin/group", d.listGroups),
		desk.Administrator.Sends("adminAddGroup", "PUT /admin/group", d.addGroup).Audited(),
		desk.Administrator.Asks("adminGetGroup", "GET /admin/group/{id}", d.getGroup),
		desk.Administrator.Sends("adminEditGroup", "PUT /admin/group/{id}", d.editGroup).Audited(),
		desk.Administrator.Asks("adminDeleteGroup", "DELETE /admin/group/{id}", d.deleteGroup).Audited(),

		desk.Administrator.Sends("adminListUsers", "POST /admin/user", d.listUsers),
		desk.Administrator.Sends("adminAddUser", "PUT /admin/user", d.addUser).Audited(),
		desk.Administrator.Asks("adminGetUser", "GET /admin/user/{id}", d.getUser),
		desk.Administrator.Sends("adminEditUser", "PUT /admin/user/{id}", d.editUser).Audited(),
		desk.Administrator.Asks("adminDeleteUser", "DELETE /admin/user/{id}", d.deleteUser).Audited(),

		desk.Administrator.Sends("adminListFiles", "POST /admin/file", d.listFiles),
		desk.Administrator.Sends("adminListEntities", "POST /admin/entity", d.listEntities),
		desk.Administrator.Sends("adminListShares", "POST /admin/share", d.listShares),
		desk.Administrator.Sends("adminListUploads", "POST /admin/upload", d.listUploads),
		desk.Administrator.Asks("adminDeleteUpload", "DELETE /admin/upload/{sessionId}", d.deleteUpload).Audited(),
		desk.Administrator.Sends("adminListTrail", "POST /admin/trail", d.listTrail),
		desk.Administrator.Sends("adminListNodes", "POST /admin/node", d.listNodes),
		desk.Administrator.Sends("adminListTasks", "POST /admin/queue", d.listTasks),
		desk.Administrator.Asks("adminQueueMetrics", "GET /admin/queue/metrics", d.queueMetrics),
	}
}

// by says who changes something.
func by(q *desk.Call) rules.By { return rules.By{Actor: q.Actor, Request: q.ID} }

// number reads the id of an address.
func number[T ~int64](q *desk.Call) (T, error) {
	n, err := strconv.ParseInt(q.R.PathValue("id"), 10, 64)
	if err != nil || n < 1 {
		return 0, desk.Bad("ID is not a number")
	}
	return T(n), nil
}
