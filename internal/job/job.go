package job

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Kind says what a job does. It is told to clients and never changes.
type Kind string

// State is how far a job is, in the words of the wire.
type State string

// The states. A job that waits or works is open; the last three are its end.
const (
	Queued    State = "queued"
	Working   State = "processing"
	Suspended State = "suspending" // it failed, and is tried again when it is due
	Completed State = "completed"
	Failed    State = "error" // given up; Reason and Note say why
	Canceled  State = "canceled"
)

// Ended reports whether nothing more happens.
func (s State) Ended() bool { return s == Completed || s == Failed || s == Canceled }

// Job is one piece of work.
type Job struct {
	ID       core.JobID
	Owner    core.UserID // whose work it is, who sees it and may cancel it
	Kind     Kind
	Args     []byte // what the handler needs, in a form of its own
	From, To string // what it is about, for people: paths in the owner's drive; may be ""
	State    State
	Stopping bool // the owner has cancelled it

	Done, Total int64 // of what the handler counts; Total is 0 while it is not known

	Tries  int
	Reason errs.Reason // why the last try failed; "" when it did not
	Note   string      // and in words

	// Due is when the next runner may take it: while one works, when that counts as
	// dead.
	Due              time.Time
	Holder           string // who works or worked at it
	Created, Updated time.Time
}

// Adder adds jobs inside a transaction of somebody else: they are there when, and
// only when, that is committed. j has ID, Owner, Kind, Args, From, To and Created.
type Adder interface {
	Add(ctx context.Context, j Job) error
}

// Query asks for a page of jobs, newest first.
type Query struct {
	Owner core.UserID // 0 for everybody's
	After core.JobID  // the last of the page before; 0 for the first page
	Limit int
}

// Rows are what people see of jobs.
type Rows interface {
	// Job: NotFound/job_missing.
	Job(ctx context.Context, id core.JobID) (Job, error)
	// Jobs returns a page.
	Jobs(ctx context.Context, q Query) ([]Job, error)
	// Open counts the jobs of a user that have not ended.
	Open(ctx context.Context, owner core.UserID) (int, error)
	// Cancel marks an open job and makes it due, if nobody works at it. One that was
	// never begun has ended with that. NotFound/job_missing when it is not of owner, or
	// has ended.
	Cancel(ctx context.Context, id core.JobID, owner core.UserID, at time.Time) error
	// Prune removes up to limit jobs that ended before that time.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// Leases are what runners see of jobs.
type Leases interface {
	// Claim gives holder the oldest job that is due, until a time when others may
	// have it. Whose other job is being worked at waits. NotFound/job_missing when
	// nothing is due; finding that out writes nothing.
	Claim(ctx context.Context, holder string, now, until time.Time) (Job, error)
	// Save writes what has become of j while its holder has it: State, Done, Total,
	// Tries, Reason, Note, Due and Updated. It returns whether it was cancelled meanwhile;
	// Conflict/changed when another has it by now, or it has ended.
	Save(ctx context.Context, j Job) (stopping bool, err error)
	// Release makes what holder works at due at once: of what died, that is.
	Release(ctx context.Context, holder string, now time.Time) error
}

// Store keeps jobs.
type Store interface {
	Rows
	Leases
}
