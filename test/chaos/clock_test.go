package chaos_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/test/rig"
)

// clock is a machine's that somebody sets: the time of day jumps, and the monotonic
// reading beside it, which deadlines go by, does not. Time.Add moves both, so this adds
// to the seconds in the first word of a time.Time, above its 30 bits of nanoseconds.
type clock struct{ off atomic.Int64 } // seconds

func (c *clock) now() time.Time {
	t := time.Now()
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&t)).wall += uint64(c.off.Load()) << 30
	return t
}

func (c *clock) jump(by time.Duration) { c.off.Add(int64(by / time.Second)) }

// TestTheClockOfTheseTestsJumpsAsAMachinesDoes: only the time of day.
func TestTheClockOfTheseTestsJumpsAsAMachinesDoes(t *testing.T) {
	var c clock
	from := c.now()
	c.jump(-time.Hour)
	to := c.now()
	if by := to.Round(0).Sub(from.Round(0)); by > -59*time.Minute || by < -61*time.Minute {
		t.Errorf("the time of day has moved by %v", by)
	}
	if by := to.Sub(from); by < 0 || by > time.Minute {
		t.Errorf("the monotonic clock has moved by %v", by)
	}
}

// timed is a server in this process whose clock can be set. It sweeps when told, by a
// restart.
type timed struct {
	t     *testing.T
	clock clock
	dir   string
	app   *app.App
	done  chan error
	api   *rig.API
}

func newTimed(t *testing.T) *timed {
	t.Helper()
	x := &timed{t: t, dir: workspace(t)}
	x.start()
	t.Cleanup(x.stop)
	return x
}

// start opens the data anew, which sweeps, and signs in.
func (x *timed) start() {
	x.t.Helper()
	a, err := app.Open(x.t.Context(), app.Config{
		Data: x.dir, Listen: "127.0.0.1:0", AdminEmail: rig.AdminEmail, AdminPassword: rig.AdminPassword,
		Clock: x.clock.now, Sweep: 24 * time.Hour,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	size := int64(chunkSize)
	if _, err := a.SetPolicy(x.t.Context(), "default", app.PolicyPatch{ChunkSize: &size}); err != nil {
		x.t.Fatal(err)
	}
	x.app, x.done = a, make(chan error, 1)
	go func() { x.done <- a.Serve(x.t.Context()) }()
	x.api = rig.NewAPI(x.t, a.URL())
}

func (x *timed) stop() {
	if err := x.app.Close(); err != nil {
		x.t.Error(err)
	}
	<-x.done
}

// half opens an upload of four chunks and sends two of them.
func (x *timed) half(name string, c content) *pending {
	x.t.Helper()
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	x.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": "cloudreve://my/" + name, "size": c.size}, &ticket)
	up := uploadOf(c, chunkSize)
	up.session = ticket.SessionID
	for _, i := range []int{3, 0} {
		if err := x.api.Send(up.session, i, up.part(c.bytes(), i), nil); err != nil {
			x.t.Fatal(err)
		}
		up.chunks[i] = yes
	}
	return up
}

// finish sends what is missing and compares the file.
func (x *timed) finish(name string, up *pending, when string) {
	x.t.Helper()
	for i, m := range up.chunks {
		if m == yes {
			continue
		}
		if err := x.api.Send(up.session, i, up.part(up.bytes(), i), nil); err != nil {
			x.t.Errorf("%s, chunk %d of the upload: %v", when, i, err)
			return
		}
	}
	x.reads(name, up.content, when)
}

func (x *timed) reads(name string, c content, when string) {
	x.t.Helper()
	if got, err := x.api.Sum("cloudreve://my/" + name); err != nil || got != c.sum() {
		x.t.Errorf("%s, %s reads %s (%v), %s was acknowledged", when, name, got, err, c.sum())
	}
}

// signIn is what a client does whose token is too old, or not valid yet.
func (x *timed) signIn() { x.api = rig.NewAPI(x.t, x.app.URL()) }

// TestNothingAcknowledgedIsLostWhenTheClockJumps sets the server's clock while uploads
// run: an hour back, and a day ahead and back again. Files that are complete are never
// touched, and what is unfinished goes on where it was once the clock is right.
//
// A day ahead is more than uploads live. While the clock says so, they are refused as
// expired; they end for good, as any expired upload does, if a sweep comes by (once a
// minute and at each start), and give back what they held.
func TestNothingAcknowledgedIsLostWhenTheClockJumps(t *testing.T) {
	n := amount(t, "CLOCK", 3, 100)
	rnd, seed := seeded(t)
	x := newTimed(t)
	counts := map[string]int{}
	defer func() { report(t, seed, counts) }()
	for cycle := range n {
		progress(t, cycle, n)
		name := func(what string) string { return fmt.Sprintf("%d-%s.bin", cycle, what) }
		fresh := func() content { return content{rnd.Uint64(), 3*chunkSize + 1 + rnd.IntN(chunkSize)} }
		done := fresh()
		x.finish(name("done"), x.half(name("done"), done), "with the right clock")

		back, taken, swept := fresh(), fresh(), fresh()
		up := x.half(name("back"), back)
		x.clock.jump(-time.Hour)
		x.signIn() // a token from the future is refused; signing in helps
		x.finish(name("back"), up, "an hour back")
		x.reads(name("done"), done, "an hour back")
		x.clock.jump(time.Hour)
		x.signIn()
		x.reads(name("back"), back, "an hour back and ahead again")
		counts["jumps of an hour back"]++

		up = x.half(name("taken"), taken)
		ahead := time.Duration(25+rnd.IntN(100*24)) * time.Hour
		x.clock.jump(ahead)
		x.signIn()
		x.reads(name("done"), done, fmt.Sprintf("%v ahead", ahead))
		if err := x.api.Send(up.session, 1, up.part(taken.bytes(), 1), nil); rig.Code(err) != sessionGone {
			t.Errorf("a chunk %v after the upload expired got %v", ahead, err)
		}
		x.clock.jump(-ahead)
		x.signIn()
		x.finish(name("taken"), up, fmt.Sprintf("%v ahead and back", ahead))
		counts["jumps of days ahead that were taken back"]++

		up = x.half(name("swept"), swept)
		x.clock.jump(ahead)
		x.stop()
		x.start()
		if _, reserved := x.api.Capacity(); reserved != 0 || len(x.api.Unfinished()) > 0 {
			t.Errorf("a sweep %v ahead has left %d bytes reserved", ahead, reserved)
		}
		x.clock.jump(-ahead)
		x.signIn()
		if err := x.api.Send(up.session, 1, up.part(swept.bytes(), 1), nil); rig.Code(err) != sessionGone {
			t.Errorf("a chunk of an upload that was swept got %v", err)
		}
		x.finish(name("swept"), x.half(name("swept"), swept), "begun again")
		counts["jumps of days ahead with a sweep"]++
	}
}

// TestUploadsGoOnWhileTheClockIsSetBackAndForth sets the clock by up to half an hour,
// again and again, under uploads that run.
func TestUploadsGoOnWhileTheClockIsSetBackAndForth(t *testing.T) {
	n := amount(t, "CLOCK", 3, 100)
	rnd, seed := seeded(t)
	x := newTimed(t)
	x.clock.jump(time.Hour)
	x.signIn()
	stop := make(chan struct{})
	var setter sync.WaitGroup
	jumps := 0
	var steps []time.Duration
	for range 1000 {
		steps = append(steps, time.Duration(rnd.IntN(1800))*time.Second)
	}
	setter.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			by := steps[jumps%len(steps)]
			x.clock.jump(by)
			time.Sleep(time.Millisecond)
			x.clock.jump(-by)
			jumps++
		}
	})
	var contents []content
	for i := range 4 * n {
		c := content{rnd.Uint64(), 3*chunkSize + 1 + rnd.IntN(chunkSize)}
		contents = append(contents, c)
		name := fmt.Sprintf("%d.bin", i)
		x.finish(name, x.half(name, c), "while the clock is set")
	}
	close(stop)
	setter.Wait()
	for i, c := range slices.Backward(contents) {
		x.reads(fmt.Sprintf("%d.bin", i), c, "afterwards")
	}
	report(t, seed, map[string]int{"jumps under uploads": jumps, "files": len(contents)})
}
