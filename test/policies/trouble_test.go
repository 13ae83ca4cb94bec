package policies_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

// TestAStoreThatAnswersWronglyIsAskedUntilItAnswers has the emulators break each kind
// of request that finishes an upload, in each way, twice: the callback fails, and the
// reconciler makes one file of it all the same. The store has all parts; in one half
// of the cases its client has completed the upload, in the other nobody has.
func TestAStoreThatAnswersWronglyIsAskedUntilItAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("one server for each case; left out in short mode")
	}
	faults := map[string]shelf.Kind{
		"reset": shelf.Reset, "lost": shelf.Lost, "busy": shelf.Busy, "busy, but done": shelf.BusyDone, "a page of HTML": shelf.Page, "cut": shelf.Cut,
	}
	for _, w := range worlds {
		if !w.emulated {
			continue
		}
		for name, kind := range faults {
			for _, completed := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/completed=%v", w.kind, name, completed), func(t *testing.T) {
					t.Parallel()
					p := newPlace(t, w.start, false)
					data := noise(p.size())
					p.deaf.Store(true)
					u := p.create("f")
					tags := p.sendAll(u, data)
					if completed {
						p.complete(u, tags)
					}
					for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPost} {
						p.store.front.Fail(shelf.Fault{Kind: kind, Method: method, Times: 2})
					}
					p.until("it is completed", 30*time.Second, func() bool { _, reserved := p.api.Capacity(); return reserved == 0 })
					p.one("f", data)
					if p.later.Load() > int64(time.Hour) {
						t.Errorf("it took %v", time.Duration(p.later.Load()))
					}
				})
			}
		}
	}
}
