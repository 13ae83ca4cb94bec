//go:build linux

package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// SmallSize is the length of a small file.
const SmallSize = 4 << 10

// Small sends files of 4 KiB, one after the other on each connection.
func (r Run) Small(conns, most int, long time.Duration) Result {
	out := r.result(fmt.Sprintf("small%d", conns))
	if err := r.Target.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	ks, err := dialAll(r.Addr, conns)
	if err != nil {
		return out.failed(err)
	}
	defer closeAll(ks)
	name := func(i int) string { return fmt.Sprintf("s%06d.txt", i) }
	content := func(i int) source { return newSource(int64(r.Round)*104729+int64(i)*4099, SmallSize) }
	payload()

	syscall.Sync()
	var next atomic.Int64
	took := make([][]time.Duration, conns)
	broke := make([]error, conns)
	m, t0 := startMeter(r.PID), time.Now()
	var all sync.WaitGroup
	for w, k := range ks {
		all.Go(func() {
			for time.Since(t0) < long {
				i := int(next.Add(1)) - 1
				if i >= most {
					return
				}
				a := time.Now()
				if broke[w] = r.Target.upload(k, place{r.Dir, name(i)}, content(i)); broke[w] != nil {
					return
				}
				took[w] = append(took[w], time.Since(a))
			}
		})
	}
	all.Wait()
	u := out.finish(m, t0)
	for _, err := range broke {
		if err != nil {
			return out.failed(err)
		}
	}
	out.latencies(slices.Concat(took...), u)
	if out.N == 0 {
		return out.failed(fmt.Errorf("no file in %s", long))
	}
	for _, i := range []int{0, out.N / 2, out.N - 1} {
		if err := r.verify(name(i), content(i)); err != nil {
			return out.failed(err)
		}
	}
	out.Verified = true
	return out
}
