//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const ticks = 4 // writes a second of each held upload

type held struct {
	k    *conn
	head []byte
	src  source
}

// Hold keeps n slow uploads open at once, each at rate bytes a second.
func (r Run) Hold(n int, long time.Duration, rate int64) Result {
	out := r.result("hold")
	if err := r.Target.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	piece := rate / ticks
	steps := int(long.Seconds() * ticks)
	payload()
	before := Processes(r.PID)
	out.RSS0 = Memory(before, "VmRSS")
	ups, err := r.openAll(n, piece*int64(steps))
	defer func() {
		for _, u := range ups {
			if u != nil {
				u.k.close()
			}
		}
	}()
	if err != nil {
		return out.failed(err)
	}

	var live atomic.Int64
	ended := make(chan error, n)
	m, t0 := startMeter(r.PID), time.Now()
	for i, u := range ups {
		go func() {
			time.Sleep(time.Duration(i) * time.Second / ticks / time.Duration(n)) // starts spread over one tick
			ended <- u.send(&live, steps, piece)
		}()
	}
	rss, anon := 0.0, 0.0
	look := time.NewTicker(time.Second / ticks)
	defer look.Stop()
	over := time.After(long - time.Second) // the end, when all complete at once, is not holding
	for left := n; left > 0; {
		select {
		case <-look.C:
			out.Held = max(out.Held, int(live.Load()))
			pids := Processes(r.PID)
			rss, anon = max(rss, Memory(pids, "VmRSS")), max(anon, Memory(pids, "RssAnon"))
		case <-over:
			look.Stop()
		case e := <-ended:
			left--
			err = errors.Join(err, e)
		}
	}
	u := out.finish(m, t0)
	if err != nil {
		return out.failed(err)
	}
	out.RSS, out.Anon = rss, anon
	gib := float64(piece) * float64(steps) * float64(n) / (1 << 30)
	out.MiBps, out.CPUPerGiB = gib*1024/out.Sec, u.server/gib
	i := r.Round * 37 % n
	if err := r.verify(heldName(i), ups[i].src); err != nil {
		return out.failed(err)
	}
	out.Verified = true
	return out
}

func heldName(i int) string { return fmt.Sprintf("c%04d.bin", i) }

// openAll prepares the uploads, sixteen at a time.
func (r Run) openAll(n int, size int64) ([]*held, error) {
	ups := make([]*held, n)
	broke := make([]error, n)
	var all sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range ups {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			k, err := dial(r.Addr)
			if err != nil {
				broke[i] = err
				return
			}
			q, err := r.Target.open(k, place{r.Dir, heldName(i)}, size)
			ups[i] = &held{k, head(q, r.Addr, size), newSource(int64(i)*4099+int64(r.Round), size)}
			broke[i] = err
		})
	}
	all.Wait()
	return ups, errors.Join(broke...)
}

func (u *held) send(live *atomic.Int64, steps int, piece int64) error {
	long := time.Duration(steps) * time.Second / ticks
	if err := u.k.c.SetDeadline(time.Now().Add(long + time.Minute)); err != nil {
		return err
	}
	if _, err := u.k.c.Write(u.head); err != nil {
		return err
	}
	live.Add(1)
	defer live.Add(-1)
	next := time.Now()
	for i := range steps {
		if err := u.src.writeTo(u.k.c, int64(i)*piece, piece); err != nil {
			return err
		}
		next = next.Add(time.Second / ticks)
		time.Sleep(time.Until(next))
	}
	got, err := u.k.read(http.MethodPost, nil)
	return success(got, err, "slow upload")
}
