package client

import (
	"sync"
	"time"
)

// EventKind is what happened to a transfer.
type EventKind string

// The kinds of events. Each transfer that begins to move bytes has one
// EventStarted, then any number of the others; its end is what the call
// returns.
const (
	EventStarted   EventKind = "started"   // Resumed bytes had been transferred before
	EventProgress  EventKind = "progress"  // Confirmed has grown
	EventRetry     EventKind = "retry"     // Err happened; the next try is after Wait
	EventRestarted EventKind = "restarted" // it begins anew because of Err; Confirmed is what is left
	EventVerifying EventKind = "verifying" // all bytes are over; digests are compared
	EventLimited   EventKind = "limited"   // Note says what keeps the pieces small, or from going straight
)

// Event tells how a transfer goes. A byte counts as confirmed when it is
// acknowledged by the server, or written to the local file: not before.
type Event struct {
	Kind      EventKind
	Local     string // path, where there is one
	Remote    string // URI, as it was asked for
	Size      int64
	Confirmed int64
	Resumed   int64
	Wait      time.Duration
	Note      string
	Err       error
}

// teller hands out the events of one transfer, one at a time.
type teller struct {
	to func(Event)

	mu sync.Mutex
	at Event // the fields that stay
}

func (t *teller) tell(change func(*Event)) {
	if t.to == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at.Kind, t.at.Wait, t.at.Note, t.at.Err = "", 0, "", nil
	change(&t.at)
	t.to(t.at)
}

func (t *teller) retry(err error, wait time.Duration) {
	t.tell(func(e *Event) { e.Kind, e.Err, e.Wait = EventRetry, err, wait })
}
