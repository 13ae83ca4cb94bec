//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	rangeSize  = 64 << 10
	rangeConns = 4
)

// Download reads one file whole, then random ranges of it.
func (r Run) Download(size int64, ranges int) []Result {
	get, part := r.result("get"), r.result("range")
	const name = "dl.bin"
	s := newSource(int64(r.Round)*31, size)
	q, err := r.provide(name, s)
	if err != nil {
		return []Result{get.failed(err)}
	}
	return []Result{r.whole(get, q, size), r.ranges(part, q, s, ranges)}
}

// provide uploads the file and says how to get it.
func (r Run) provide(name string, s source) (request, error) {
	if err := r.Target.setup(r.Dir); err != nil {
		return request{}, err
	}
	k, err := dial(r.Addr)
	if err != nil {
		return request{}, err
	}
	defer k.close()
	if err := r.Target.upload(k, place{r.Dir, name}, s); err != nil {
		return request{}, err
	}
	if err := r.verify(name, s); err != nil {
		return request{}, err
	}
	return r.Target.locate(k, place{r.Dir, name})
}

func (r Run) whole(out Result, q request, size int64) Result {
	k, err := dial(r.Addr)
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	var n count
	q.sink = &n
	syscall.Sync()
	m, t0 := startMeter(r.PID), time.Now()
	got, err := k.do(q)
	u := out.finish(m, t0)
	if err := success(got, err, "get"); err != nil {
		return out.failed(err)
	}
	if n.n != size {
		return out.failed(fmt.Errorf("got %d of %d bytes", n.n, size))
	}
	out.MiBps = float64(size) / (1 << 20) / out.Sec
	out.CPUPerGiB = u.server / (float64(size) / (1 << 30))
	out.Verified = true // the same file compared when it was provided
	return out
}

func (r Run) ranges(out Result, q request, s source, most int) Result {
	ks, err := dialAll(r.Addr, rangeConns)
	if err != nil {
		return out.failed(err)
	}
	defer closeAll(ks)
	var next atomic.Int64
	took := make([][]time.Duration, rangeConns)
	broke := make([]error, rangeConns)
	m, t0 := startMeter(r.PID), time.Now()
	var all sync.WaitGroup
	for w, k := range ks {
		all.Go(func() {
			dice := chance(w + 10*r.Round)
			for int(next.Add(1)) <= most {
				off := dice.below(s.size - rangeSize)
				a := time.Now()
				if broke[w] = oneRange(k, q, s, off); broke[w] != nil {
					return
				}
				took[w] = append(took[w], time.Since(a))
			}
		})
	}
	all.Wait()
	u := out.finish(m, t0)
	if err := errors.Join(broke...); err != nil {
		return out.failed(err)
	}
	out.latencies(slices.Concat(took...), u)
	out.Verified = true
	return out
}

func oneRange(k *conn, q request, s source, off int64) error {
	q.header = append([]string{fmt.Sprintf("Range: bytes=%d-%d", off, off+rangeSize-1)}, q.header...)
	got, err := k.do(q)
	if err := success(got, err, "range"); err != nil {
		return err
	}
	const last = rangeSize - 1
	if got.status != http.StatusPartialContent || len(got.body) != rangeSize ||
		got.body[0] != s.slice(off, 1)[0] || got.body[last] != s.slice(off+last, 1)[0] {
		return fmt.Errorf("not the range that was asked for: status %d, %d bytes", got.status, len(got.body))
	}
	return nil
}
