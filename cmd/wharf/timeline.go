package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

// uploadStory is an upload with what happened to it.
type uploadStory struct {
	wire.UploadProgress
	Events []wire.UploadEvent `json:"events"`
}

// printTimeline prints an event a line, times in the zone of the machine.
func printTimeline(w io.Writer, events []wire.UploadEvent) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range events {
		fmt.Fprintf(t, "%s\t%s\t%s\n", e.At.Local().Format(time.DateTime), eventName(e.Kind), eventText(e))
	}
	return t.Flush()
}

func eventName(k wire.UploadEventKind) string {
	switch k {
	case wire.EventSettled:
		return "completed"
	case wire.EventSettleFailed:
		return "not completed"
	case wire.EventEvicted:
		return "given up for a new upload of this name"
	}
	return show(string(k))
}

func eventText(e wire.UploadEvent) string {
	text := ""
	if len(e.Bytes) == 2 {
		text = fmt.Sprintf("bytes %d to %d", e.Bytes[0], e.Bytes[1])
	}
	if e.Chunks > 1 && e.Until != nil {
		text += fmt.Sprintf(" in %d chunks until %s", e.Chunks, e.Until.Local().Format(time.TimeOnly))
	}
	if e.Message != "" {
		if text != "" {
			text += ": "
		}
		text += show(e.Message)
	}
	if e.Code != 0 {
		text += fmt.Sprintf(" (%s, code %d)", show(e.Reason), e.Code)
	}
	return text
}
