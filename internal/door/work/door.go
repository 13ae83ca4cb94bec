package work

import (
	"context"
	"slices"
	"strconv"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// Jobs is what the door asks of a job.Runner.
type Jobs interface {
	Mine(ctx context.Context, who core.Actor, q job.Query) ([]job.Job, error)
	Find(ctx context.Context, who core.Actor, id core.JobID) (job.Job, error)
	Cancel(ctx context.Context, who core.Actor, id core.JobID) error
	CanCancel(j job.Job) bool
}

// Options are what a Door is made of. All are needed.
type Options struct {
	*desk.Desk
	Jobs Jobs
}

// Door has the operations of work.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{Options: o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Member.Asks("listWorkflows", "GET /workflow", d.listWorkflows),
		desk.Member.Asks("showWorkflowProgress", "GET /workflow/progress/{id}", d.showProgress),
		desk.Member.Asks("cancelWorkflow", "DELETE /workflow/{id}", d.cancelWorkflow).Audited(),
	}
}

// usualPage is how many tasks a page has when nobody says otherwise.
const usualPage = 25

// elsewhere are categories of the protocol that nothing here belongs to.
var elsewhere = []string{"downloading", "downloaded"}

func (d *Door) listWorkflows(q *desk.Call) error {
	in := q.R.URL.Query()
	size := usualPage
	if text := in.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1000 {
			return desk.Bad("PageSize is from 1 to 1000")
		}
		size = min(n, job.MaxPage)
	}
	out := wire.WorkflowList{Tasks: []wire.Workflow{}, Pagination: wire.Pagination{PageSize: size, IsCursor: true}}
	if slices.Contains(elsewhere, in.Get("category")) {
		return desk.OK(q, out)
	}
	ask := job.Query{Limit: size + 1}
	if token := in.Get("next_page_token"); token != "" {
		id, err := d.IDs.Decode(core.TagTask, token)
		if err != nil {
			return errs.Newf(errs.Invalid, errs.BadParam, "Invalid next_page_token").Because(err)
		}
		ask.After = core.JobID(id)
	}
	jobs, err := d.Jobs.Mine(q.Ctx(), q.Actor, ask)
	if err != nil {
		return err
	}
	if len(jobs) > size {
		jobs = jobs[:size]
		out.Pagination.NextToken = d.id(jobs[size-1])
	}
	for _, j := range jobs {
		out.Tasks = append(out.Tasks, d.view(j))
	}
	return desk.OK(q, out)
}

func (d *Door) id(j job.Job) string { return d.IDs.Encode(core.TagTask, int64(j.ID)) }

// named reads which task the path names.
func (d *Door) named(q *desk.Call) (core.JobID, error) {
	id, err := d.IDs.Decode(core.TagTask, q.R.PathValue("id"))
	return core.JobID(id), err
}

// view is a task as its owner sees it.
func (d *Door) view(j job.Job) wire.Workflow {
	out := wire.Workflow{
		ID: d.id(j), CreatedAt: j.Created, UpdatedAt: j.Updated, Status: wire.WorkflowStatus(j.State), Type: string(j.Kind),
		Progress: wire.WorkflowProgress{Total: j.Total, Current: j.Done}, Cancelable: d.Jobs.CanCancel(j) && !j.Stopping,
		Stopping: j.Stopping && !j.State.Ended(), RetryCount: max(j.Tries-1, 0),
		Summary: desk.TaskSummary(j.From, j.To), Error: desk.TaskError(j.Reason, j.Note),
	}
	if j.State == job.Suspended {
		out.ResumeTime = j.Due.Unix()
	}
	return out
}

// showProgress tells how far a task is. What is counted has a name on the wire,
// because a task may count several things; ours count files and folders.
func (d *Door) showProgress(q *desk.Call) error {
	id, err := d.named(q)
	if err != nil {
		return err
	}
	j, err := d.Jobs.Find(q.Ctx(), q.Actor, id)
	if err != nil {
		return err
	}
	return desk.OK(q, map[string]wire.WorkflowProgress{"files": {Total: j.Total, Current: j.Done}})
}

func (d *Door) cancelWorkflow(q *desk.Call) error {
	id, err := d.named(q)
	if err != nil {
		return err
	}
	if err := d.Jobs.Cancel(q.Ctx(), q.Actor, id); err != nil {
		return err
	}
	return q.Done()
}
