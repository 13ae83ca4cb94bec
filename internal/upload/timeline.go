package upload

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// EventKind is what happened to a session, in the words of the wire.
type EventKind string

// The kinds. The first three are told by the session and its parts; the others
// are exceptional, and each is a row.
const (
	Created      EventKind = "created"
	ReceivedPart EventKind = "received"
	Settled      EventKind = "settled"
	Refused      EventKind = "refused"       // a chunk was not taken; Reason says why
	SettleFailed EventKind = "settle_failed" // all bytes are in, and the file could not be completed
	Evicted      EventKind = "evicted"       // a new upload of the same name took the place of this one
	// An upload that was ended by its owner or by time has the name of its state:
	// EventKind(Aborted), EventKind(Expired).
)

// Event is one thing that happened to a session.
type Event struct {
	At     time.Time
	Until  time.Time // of the last chunk, where one event tells of many; else zero
	Kind   EventKind
	Range  core.Range // the bytes it is about; empty where it is about none
	Chunks int        // how many chunks the event tells of
	Reason errs.Reason
	Note   string // for the owner
}

// A trail is bounded, so that a client that fails for ever costs no disk. The
// last places are for how the upload ends.
const (
	maxEvents  = 200
	maxRefused = maxEvents - 10
)

// note leaves an exceptional event in the trail of a session. It is a courtesy:
// it never makes a failure worse, so what goes wrong here is passed over.
func (e *Engine) note(ctx context.Context, id core.SessionID, what Event, because error) {
	ctx, cancel := e.detached(ctx)
	defer cancel()
	what.At, what.Reason, what.Note = e.Clock(), errs.ReasonOf(because), noteOf(because)
	_ = e.Store.AddEvent(ctx, id, what, maxRefused)
}

// noteOf is what the owner may read of an error: the cause of an internal one is
// for the log.
func noteOf(err error) string {
	var named *errs.Error
	switch {
	case errs.Is(err, errs.Canceled):
		return "The connection ended before the chunk did."
	case errors.As(err, &named) && named.Kind != errs.Internal:
		return named.Note
	}
	return ""
}

// Timeline is what happened to an upload, oldest first.
type Timeline struct {
	Session Session
	Events  []Event
}

// Timeline tells the owner of an upload what happened to it, until it would have
// expired; NotFound/session_gone unless it is the caller's. Chunks that came in
// one behind the other are one event.
func (e *Engine) Timeline(ctx context.Context, who core.Actor, id core.SessionID) (Timeline, error) {
	const op = "upload.Timeline"
	s, err := e.mine(ctx, who, id)
	if err != nil {
		return Timeline{}, errs.Wrap(op, err)
	}
	rows, err := e.Store.Events(ctx, id)
	if err != nil {
		return Timeline{}, errs.Wrap(op, err)
	}
	parts, err := e.partsOf(ctx, s)
	if err != nil {
		return Timeline{}, errs.Wrap(op, err)
	}
	return Timeline{Session: s, Events: tell(s, parts, rows)}, nil
}

func tell(s Session, parts []Part, rows []Event) []Event {
	all := append(make([]Event, 0, len(parts)+len(rows)+2), Event{At: s.Created, Kind: Created})
	for _, p := range parts {
		all = append(all, Event{At: p.At, Kind: ReceivedPart, Range: p.Range, Chunks: 1})
	}
	all = append(all, rows...)
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	if s.State == Done {
		all = append(all, Event{At: s.Ending.At, Kind: Settled, Range: core.Range{To: s.Size}})
	}
	return fold(all)
}

// fold makes one event of chunks that came in one behind the other.
func fold(all []Event) []Event {
	out := all[:0]
	for _, ev := range all {
		if n := len(out); n > 0 && ev.Kind == ReceivedPart && out[n-1].Kind == ReceivedPart && out[n-1].Range.To == ev.Range.From {
			last := &out[n-1]
			last.Until, last.Range.To = cmp.Or(ev.Until, ev.At), ev.Range.To
			last.Chunks += ev.Chunks
			continue
		}
		out = append(out, ev)
	}
	return out
}
