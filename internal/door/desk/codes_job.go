package desk

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// behind are the lines of the table about work behind the answers.
var behind = map[errs.Reason]fault{
	errs.JobMissing: {
		answer{wire.CodeNotFound, "Task not found"},
		user, never,
		"There is no such work in the background, it is not yours, or it ended so long ago that it was forgotten.",
		"List your tasks anew.",
	},
	errs.JobStays: {
		answer{wire.CodeBadParameter, "This task cannot be cancelled"},
		user, never,
		"The work has ended, or it deletes for good: that can not be taken back.",
		"Nothing; wait for its end if there is none yet.",
	},
	errs.TooManyJobs: {
		answer{wire.CodeTaskCreationFailed, "Too many tasks are waiting already"},
		user, later,
		"The account has 100 pieces of work waiting in the background, and may not have more.",
		"Wait until some have ended, or cancel some.",
	},
}
