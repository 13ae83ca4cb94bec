package desk

import (
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// TaskSummary says what a task is about: paths in its owner's drive, or "".
func TaskSummary(from, to string) wire.WorkflowSummary {
	return wire.WorkflowSummary{Props: wire.WorkflowProps{Src: drive(from), Dst: drive(to)}}
}

func drive(path string) string {
	p, err := core.ParsePath(path)
	if path == "" || err != nil {
		return ""
	}
	return URIOf(p)
}

// TaskError says why the last try of a task failed: note, or what clients are told of
// reason; "" when it did not fail.
func TaskError(reason errs.Reason, note string) string {
	if reason != "" && note == "" {
		_, note = Told(reason)
	}
	if reason == "" {
		return ""
	}
	return note
}
