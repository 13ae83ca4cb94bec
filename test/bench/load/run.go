//go:build linux

package load

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"
)

// Run is one measurement of one server.
type Run struct {
	Target Target
	Addr   string // host:port, behind Secure if it speaks TLS
	PID    int    // the server's; it and its descendants are metered
	Dir    string // where the files go; a fresh one for each run
	Round  int    // seed of the content
}

// Result is what was measured; figures that a mode has not are zero.
type Result struct {
	Peer         string  `json:"peer"`
	Mode         string  `json:"mode"`
	Round        int     `json:"round"`
	Err          string  `json:"err,omitempty"`
	Skip         string  `json:"skip,omitempty"`           // why there is nothing to measure
	Sec          float64 `json:"sec,omitempty"`            // until the last answer
	SyncSec      float64 `json:"sync_sec,omitempty"`       // then, until sync(2) returned
	MiBps        float64 `json:"mib_s,omitempty"`          // until the last answer
	DurableMiBps float64 `json:"durable_mib_s,omitempty"`  // until sync(2) returned
	CPUPerGiB    float64 `json:"cpu_s_gib,omitempty"`      // of the server
	PerSec       float64 `json:"per_s,omitempty"`          // files or requests
	P50ms        float64 `json:"p50_ms,omitempty"`         // of a file or a request
	P99ms        float64 `json:"p99_ms,omitempty"`         //
	CPUms        float64 `json:"cpu_ms,omitempty"`         // of the server for a file or a request
	RSS0         float64 `json:"rss_before_mib,omitempty"` //
	RSS          float64 `json:"rss_mib,omitempty"`        // highest that was seen
	Anon         float64 `json:"anon_mib,omitempty"`       // the part that is no file's
	Held         int     `json:"held,omitempty"`
	N            int     `json:"n,omitempty"`
	StartMs      float64 `json:"start_ms,omitempty"`    // from exec to the first answer
	DoneMs       float64 `json:"done_ms,omitempty"`     // until all of it was done, after the answer perhaps
	WaitMs       float64 `json:"wait_ms,omitempty"`     // of the slowest request of somebody else meanwhile
	OtherCores   float64 `json:"other_cores,omitempty"` // used by everybody else meanwhile: the noise
	Verified     bool    `json:"verified"`
}

// Setup signs in and makes the folder.
func (r Run) Setup() error { return r.Target.setup(r.Dir) }

func (r Run) result(mode string) Result { return Result{Mode: mode, Round: r.Round} }

func (r Result) failed(err error) Result {
	r.Err = err.Error()
	return r
}

// finish closes the interval that began at t0.
func (r *Result) finish(m *meter, t0 time.Time) usage {
	r.Sec = time.Since(t0).Seconds()
	u := m.stop()
	r.RSS = u.peakMiB
	r.OtherCores = u.other / r.Sec
	return u
}

func (r *Result) latencies(all []time.Duration, u usage) {
	slices.Sort(all)
	r.N = len(all)
	r.PerSec = float64(r.N) / r.Sec
	r.P50ms, r.P99ms = quantile(all, .5), quantile(all, .99)
	r.CPUms = u.server * 1000 / float64(max(1, r.N))
}

func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Microseconds()) / 1000
}

// verify reads a file back and compares.
func (r Run) verify(name string, s source) error {
	if _, bare := r.Target.(raw); bare {
		return nil // it keeps bytes, and has no way to give them back
	}
	k, err := dial(r.Addr)
	if err != nil {
		return err
	}
	defer k.close()
	at := place{r.Dir, name}
	q, err := r.Target.locate(k, at)
	if err != nil {
		return err
	}
	h, n := sha256.New(), count{}
	q.sink = io.MultiWriter(h, &n)
	got, err := k.do(q)
	if err := success(got, err, "get"); err != nil {
		return err
	}
	if n.n != s.size || hex.EncodeToString(h.Sum(nil)) != s.sum() {
		return fmt.Errorf("%s is not what was sent: %d of %d bytes", at, n.n, s.size)
	}
	return nil
}
