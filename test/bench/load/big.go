//go:build linux

package load

import (
	"fmt"
	"syscall"
	"time"
)

// Big sends n files at once, until the last answer and then until sync(2): a server
// that does not flush before it answers pays for it there.
func (r Run) Big(n int, size int64) Result {
	out := r.result("big")
	if err := r.Target.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	ks, err := dialAll(r.Addr, n)
	if err != nil {
		return out.failed(err)
	}
	defer closeAll(ks)
	name := func(i int) string { return fmt.Sprintf("b%d.bin", i) }
	content := func(i int) source { return newSource(int64(r.Round)*1000003+int64(i)*7919, size) }
	payload()

	syscall.Sync()
	m, t0 := startMeter(r.PID), time.Now()
	ended := make(chan error, n)
	for i, k := range ks {
		go func() { ended <- r.Target.upload(k, place{r.Dir, name(i)}, content(i)) }()
	}
	for range ks {
		if e := <-ended; e != nil && err == nil {
			err = e
		}
	}
	u := out.finish(m, t0)
	if err != nil {
		return out.failed(err)
	}
	t1 := time.Now()
	syscall.Sync()
	out.SyncSec = time.Since(t1).Seconds()

	mib := float64(size) * float64(n) / (1 << 20)
	out.MiBps, out.DurableMiBps = mib/out.Sec, mib/(out.Sec+out.SyncSec)
	out.CPUPerGiB = u.server / (mib / 1024)
	if err := r.verify(name(r.Round%n), content(r.Round%n)); err != nil {
		return out.failed(err)
	}
	out.Verified = true
	return out
}
