package desk

import (
	"container/list"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// Rate is how often one caller may use a route. Callers are users; those who did not
// sign in are addresses, of which an IPv6 network of 64 bits is one.
type Rate uint8

// The rates. Wrong passwords and codes have a bound of their own beside it, which
// survives a restart: see auth.Tokens.
const (
	// Free routes cost what they store or send, and quota, bodies and connections
	// bound that.
	Free Rate = iota
	// Dear routes make the server work for one small request.
	Dear
	// Guarded routes prove who somebody is, or change that.
	Guarded
)

// bounds are of one caller over all routes of a rate: so many a second for long, so
// many at once.
var bounds = map[Rate]struct {
	word      string
	perSecond rate.Limit
	burst     int
}{
	Free:    {"", rate.Inf, 0},
	Dear:    {"50/s, 500 at once", 50, 500},
	Guarded: {"20/s, 300 at once", 20, 300},
}

// maxCallers is how many callers are remembered of each rate. The one that was not
// seen for longest is forgotten, and has its burst again.
const maxCallers = 8192

// callers counts.
type callers struct {
	mu   sync.Mutex
	each map[callerKey]*list.Element
	seen list.List // of *caller, the latest first
}

type callerKey struct {
	rate Rate
	who  string
}

type caller struct {
	key   callerKey
	limit *rate.Limiter
}

// allow takes one use, or returns how long the caller has to wait.
func (c *callers) allow(r Rate, who string, now time.Time) (wait time.Duration) {
	if r == Free {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	key := callerKey{r, who}
	e, known := c.each[key]
	if !known {
		if c.each == nil {
			c.each = map[callerKey]*list.Element{}
		}
		if c.seen.Len() >= maxCallers {
			oldest := c.seen.Back()
			delete(c.each, callerOf(oldest).key)
			c.seen.Remove(oldest)
		}
		e = c.seen.PushFront(&caller{key, rate.NewLimiter(bounds[r].perSecond, bounds[r].burst)})
		c.each[key] = e
	}
	c.seen.MoveToFront(e)
	take := callerOf(e).limit.ReserveN(now, 1)
	wait = take.DelayFrom(now)
	if wait > 0 {
		take.CancelAt(now)
	}
	return wait
}

func callerOf(e *list.Element) *caller {
	c, _ := e.Value.(*caller) // nothing else is put in
	return c
}

// who is the caller as rates know it.
func (q *Call) who() string {
	if q.Actor.Known() {
		return strconv.FormatInt(int64(q.Actor.User), 10)
	}
	at, err := netip.ParseAddr(q.Addr())
	if err != nil {
		return q.Addr()
	}
	if at = at.Unmap(); at.Is6() {
		if net, err := at.Prefix(64); err == nil {
			return net.String()
		}
	}
	return at.String()
}

// mayNow refuses a caller who comes too often.
func (q *Call) mayNow() error {
	wait := q.desk.callers.allow(q.route.Rate, q.who(), q.desk.Clock())
	if wait == 0 {
		return nil
	}
	seconds := int64(wait/time.Second) + 1
	q.W.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	return errs.Newf(errs.Transient, errs.Overload, "You ask for this too often. Try again in %d s.", seconds).At("desk.mayNow")
}

// String is the bound in words, "" where there is none.
func (r Rate) String() string { return bounds[r].word }
