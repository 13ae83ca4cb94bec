package admin

import (
	"context"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/job"
)

// mostTasks is how many tasks are looked at: those before are a week old at most,
// and nobody turns that many pages.
const mostTasks = 10_000

// listTasks has the tasks of all users.
func (d *Door) listTasks(q *desk.Call) error {
	in, err := query(q)
	if err != nil {
		return err
	}
	if in.Up {
		return desk.Bad("Tasks are listed with the newest first")
	}
	jobs, err := d.Tasks.Jobs(q.Ctx(), job.Query{Limit: mostTasks})
	if err != nil {
		return err
	}
	from := min(in.Page*in.Size, len(jobs))
	shown := jobs[from:min(from+in.Size, len(jobs))]
	out := wire.AdminTaskList{
		Tasks:      make([]wire.AdminTask, len(shown)),
		Pagination: wire.AdminPagination{Page: in.Page, PageSize: in.Size, TotalItems: len(jobs)},
	}
	owners := map[core.UserID]map[string]any{}
	for i, j := range shown {
		if _, known := owners[j.Owner]; !known {
			if owners[j.Owner], err = d.owner(q.Ctx(), j.Owner); err != nil {
				return err
			}
		}
		out.Tasks[i] = d.task(j, owners[j.Owner])
	}
	return desk.OK(q, out)
}

// owner is a user as tasks show them. One that was removed meanwhile has its id.
func (d *Door) owner(ctx context.Context, id core.UserID) (map[string]any, error) {
	out := map[string]any{"id": int64(id)}
	u, err := d.Admin.User(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return out, nil
	}
	out["email"], out["nick"] = u.User.Email, u.User.Nick
	return out, err
}

func (d *Door) task(j job.Job, owner map[string]any) wire.AdminTask {
	out := wire.AdminTask{
		ID: int64(j.ID), CreatedAt: j.Created, UpdatedAt: j.Updated, Type: string(j.Kind), Status: string(j.State),
		UserTasks: int64(j.Owner), UserHashID: d.IDs.Encode(core.TagUser, int64(j.Owner)), TaskHashID: d.IDs.Encode(core.TagTask, int64(j.ID)),
		Summary: desk.TaskSummary(j.From, j.To), Edges: map[string]any{"user": owner},
		PublicState: wire.AdminTaskState{RetryCount: max(j.Tries-1, 0), Error: desk.TaskError(j.Reason, j.Note)},
	}
	if j.State == job.Suspended {
		out.PublicState.ResumeTime = j.Due.Unix()
	}
	return out
}
