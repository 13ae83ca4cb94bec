package pace_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wharfinger/wharfinger/client/pace"
)

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func setup(known pace.Origin) (*clock, *pace.Pace) {
	c := &clock{time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	return c, pace.New(pace.Options{Known: known, Now: c.now})
}

// through sends bodies through a proxy that takes up to limit bytes and returns
// how many were refused.
func through(p *pace.Pace, limit int64, bodies int) (refused int) {
	for range bodies {
		n := p.Size.Piece()
		if n > limit {
			p.Size.Refused(n, "nginx")
			refused++
		} else {
			p.Size.Passed(n, time.Millisecond)
		}
	}
	return refused
}

func TestTheSizeFindsTheLimitOfAProxyAndStaysBelow(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{1 << 20, 1_000_000, 100_000, 8 << 20, 100 << 20} {
		_, p := setup(pace.Origin{})
		refused := through(p, limit, 100)
		if refused > 8 {
			t.Errorf("limit %d: %d of 100 bodies were refused", limit, refused)
		}
		if n := p.Size.Piece(); n > limit || n < limit/4 {
			t.Errorf("limit %d: sends %d", limit, n)
		}
		if again := through(p, limit, 100); again > 0 {
			t.Errorf("limit %d: %d bodies were refused after it was known", limit, again)
		}
	}
}

func TestTheFirstBodyPassesTheLimitsThatProxiesComeWith(t *testing.T) {
	t.Parallel()
	_, p := setup(pace.Origin{})
	if n := p.Size.Piece(); n > 1_000_000 || n < 500_000 {
		t.Errorf("begins with %d", n)
	}
}

func TestTheLimitIsToldAndRemembered(t *testing.T) {
	t.Parallel()
	c, p := setup(pace.Origin{})
	through(p, 1<<20, 10)
	if got := p.Size.Limit(25 << 20); got != "a proxy in front of the server (nginx) accepts bodies of 960 KiB and refuses 1.9 MiB; pieces of 960 KiB are used" {
		t.Errorf("says %q", got)
	}
	if got := p.Size.Limit(500 << 10); got != "" {
		t.Errorf("of a small file it says %q", got)
	}
	known, ok := p.Size.Origin()
	if !ok || known.Passed != 960<<10 || known.Refused != 1920<<10 || known.By != "nginx" || !known.At.Equal(c.at) {
		t.Errorf("remembers %+v, %v", known, ok)
	}
	_, next := setup(known)
	if refused := through(next, 1<<20, 50); refused > 0 {
		t.Errorf("%d bodies were refused although the limit was remembered", refused)
	}
	if !strings.Contains(next.Size.Limit(25<<20), "nginx") {
		t.Error("the limit that is remembered is not told")
	}
	if _, ok := next.Size.Origin(); ok {
		t.Error("says that it learned what it was told")
	}
	// After a while the proxy may let more through.
	late := &clock{c.at.Add(8 * 24 * time.Hour)}
	through(pace.New(pace.Options{Known: known, Now: late.now}), 8<<20, 50)
	p = pace.New(pace.Options{Known: known, Now: late.now})
	if through(p, 8<<20, 50); p.Size.Piece() <= 1<<20 {
		t.Errorf("still sends %d", p.Size.Piece())
	}
}

func TestDamagedMemoriesAreNotBelieved(t *testing.T) {
	t.Parallel()
	for _, known := range []pace.Origin{{Passed: -5}, {Passed: 10, Refused: 5}, {Refused: -1}, {Passed: 1 << 60}} {
		_, p := setup(known)
		if n := p.Size.Piece(); n != 960<<10 {
			t.Errorf("%+v: begins with %d", known, n)
		}
	}
}

func TestALimitThatWasLoweredIsFound(t *testing.T) {
	t.Parallel()
	c, _ := setup(pace.Origin{})
	p := pace.New(pace.Options{Known: pace.Origin{Passed: 64 << 20, At: c.at}, Now: c.now})
	if through(p, 1<<20, 100); p.Size.Piece() > 1<<20 {
		t.Errorf("sends %d", p.Size.Piece())
	}
}

func TestALimitOfNothingIsHopeless(t *testing.T) {
	t.Parallel()
	_, p := setup(pace.Origin{})
	for n := range 100 {
		if hope, _ := p.Size.Refused(p.Size.Piece(), ""); !hope {
			return
		}
		if n == 99 {
			t.Error("goes on for ever")
		}
	}
}

func TestLossesHalveTheSizeAndSuccessBringsItBack(t *testing.T) {
	t.Parallel()
	_, p := setup(pace.Origin{})
	p.Size.Lost(960 << 10)
	if n := p.Size.Piece(); n != 480<<10 {
		t.Errorf("sends %d", n)
	}
	for range 20 {
		p.Size.Lost(p.Size.Piece())
	}
	if n := p.Size.Piece(); n != 256<<10 {
		t.Errorf("sends %d after many losses", n)
	}
	through(p, 1<<30, 400)
	if n := p.Size.Piece(); n < 8<<20 {
		t.Errorf("sends %d after many successes", n)
	}
	if o, _ := p.Size.Origin(); o.Refused != 0 {
		t.Errorf("takes chance for a limit: %+v", o)
	}
}

func TestBodiesThatTakeLongDoNotGrow(t *testing.T) {
	t.Parallel()
	_, p := setup(pace.Origin{})
	for range 20 {
		p.Size.Passed(p.Size.Piece(), 10*time.Second)
	}
	if n := p.Size.Piece(); n != 960<<10 {
		t.Errorf("sends %d", n)
	}
}

// link plays an hour of bodies of 1 MiB over a link that gives each stream so much
// a second, and all together no more than most. It returns how many streams there
// are then.
func link(t *testing.T, each, most float64) (streams int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := pace.New(pace.Options{}).Streams
		for end := time.Now().Add(time.Hour); time.Now().Before(end); {
			slots := make([]*pace.Slot, s.Now())
			for i := range slots {
				var err error
				if slots[i], err = s.Enter(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if _, err := s.Enter(ctx); err == nil {
					t.Error("there is one more stream than there are")
				}
			}()
			synctest.Wait()
			cancel()
			synctest.Wait()
			n := float64(len(slots))
			time.Sleep(time.Duration(n * (1 << 20) / min(each*n, most) * float64(time.Second)))
			for _, slot := range slots {
				s.Passed(1 << 20)
				slot.Leave()
			}
		}
		streams = s.Now()
	})
	return streams
}

func TestStreamsGrowWhileThatIsFaster(t *testing.T) {
	t.Parallel()
	if n := link(t, 1<<20, 1<<40); n != 16 {
		t.Errorf("%d streams where each is slow alone", n)
	}
	if n := link(t, 1<<20, 2<<20); n > 6 {
		t.Errorf("%d streams where they only share", n)
	}
}

func TestABodyThatWaitsForItsAnswerLeavesTheLinkToOthers(t *testing.T) {
	t.Parallel()
	_, p := setup(pace.Origin{})
	s := p.Streams
	var sent []*pace.Slot
	for range 2 * s.Now() {
		slot, err := s.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		slot.Sent()
		slot.Sent()
		sent = append(sent, slot)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	full := errors.New("full")
	time.AfterFunc(10*time.Millisecond, func() { cancel(full) })
	if _, err := s.Enter(ctx); !errors.Is(err, full) {
		t.Errorf("a server that answers nothing gets more and more: %v", err)
	}
	for _, slot := range sent {
		slot.Leave()
		slot.Leave()
	}
	for range s.Now() {
		if _, err := s.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFixedStreamsStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	s := pace.Fixed(2)
	a, _ := s.Enter(t.Context())
	a.Sent()
	if _, err := s.Enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Enter(ctx); err == nil {
		t.Error("a third of two")
	}
	s.Passed(1 << 30)
	s.Failed()
	if s.Now() != 2 {
		t.Errorf("are %d now", s.Now())
	}
}

func TestFailuresTogetherHalveTheStreamsOnce(t *testing.T) {
	t.Parallel()
	c, p := setup(pace.Origin{})
	for range 4 {
		p.Streams.Failed()
	}
	if n := p.Streams.Now(); n != 2 {
		t.Errorf("%d streams after a failure of all", n)
	}
	c.at = c.at.Add(time.Minute)
	p.Streams.Failed()
	if n := p.Streams.Now(); n != 1 {
		t.Errorf("%d streams after another", n)
	}
}
