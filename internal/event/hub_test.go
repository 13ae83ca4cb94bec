package event_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/event"
)

func listen(t *testing.T, h *event.Hub, u core.UserID) *event.Listener {
	t.Helper()
	l, err := h.Listen(u, event.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAListenerIsNotToldOfWhatItDoesItself(t *testing.T) {
	t.Parallel()
	h := event.New()
	self := event.Origin{User: 1, Client: "a"}
	mine, err := h.Listen(1, self)
	if err != nil {
		t.Fatal(err)
	}
	nameless := listen(t, h, 1)
	all := []event.Change{
		{Node: 1, By: self},
		{Node: 2, By: event.Origin{User: 1, Client: "b"}},
		{Node: 3, By: event.Origin{User: 2, Client: "a"}}, // of another user, who may choose any id
		{Node: 4},
	}
	h.Tell(1, all)
	if got, _ := mine.Take(); !slices.Equal(got, all[1:]) {
		t.Errorf("the listener was told %v", got)
	}
	if got, _ := nameless.Take(); !slices.Equal(got, all) {
		t.Errorf("one without an id was told %v", got)
	}
	<-mine.Ready()
	h.Tell(1, slices.Repeat(all[:1], 2*event.MaxWaiting))
	if got, lost := mine.Take(); len(got) > 0 || lost {
		t.Errorf("too many changes of its own: %v, %v", got, lost)
	}
	select {
	case <-mine.Ready():
		t.Error("it is woken for nothing")
	default:
	}
}

func TestAListenerIsToldOfItsDriveAlone(t *testing.T) {
	t.Parallel()
	h := event.New()
	l, other := listen(t, h, 1), listen(t, h, 2)
	if !h.Wants(1) || h.Wants(3) {
		t.Error("the hub does not know who listens")
	}
	h.Tell(1, []event.Change{{Node: 7}})
	h.Tell(1, []event.Change{{Node: 8}})
	<-l.Ready()
	if got, all := l.Take(); len(got) != 2 || got[0].Node != 7 || got[1].Node != 8 || all {
		t.Errorf("Take() = %v, %v", got, all)
	}
	if got, all := other.Take(); got != nil || all {
		t.Errorf("another user was told %v", got)
	}
	l.Close()
	l.Close()
	other.Close()
	if h.Anyone() || h.Wants(1) {
		t.Error("listeners stay after they went")
	}
}

func TestASlowListenerMustLookAtEverything(t *testing.T) {
	t.Parallel()
	h := event.New()
	l := listen(t, h, 1)
	for range event.MaxWaiting + 1 {
		h.Tell(1, []event.Change{{Node: 7}})
	}
	if got, all := l.Take(); len(got) != 0 || !all {
		t.Errorf("Take() = %d changes, %v", len(got), all)
	}
	h.Tell(1, []event.Change{{Node: 9}})
	if got, all := l.Take(); len(got) != 1 || all {
		t.Errorf("after that Take() = %v, %v", got, all)
	}
}

func TestListenersAreBounded(t *testing.T) {
	t.Parallel()
	h := event.New()
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = h.Listen(1, event.Origin{})
	}
	if !errs.Has(err, errs.Overload) {
		t.Fatalf("%d listeners of one user: %v", n, err)
	}
	if _, err := h.Listen(2, event.Origin{}); err != nil {
		t.Error("another user must wait for the first:", err)
	}
}

func TestAClosedHubEndsItsListeners(t *testing.T) {
	t.Parallel()
	h := event.New()
	l := listen(t, h, 1)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() {
			for range 100 {
				h.Tell(1, []event.Change{{}})
				l.Take()
			}
		})
	}
	h.Close()
	<-l.Done()
	work.Wait()
	l.Close()
	if _, err := h.Listen(1, event.Origin{}); err == nil {
		t.Error("one can listen to a closed hub")
	}
}
