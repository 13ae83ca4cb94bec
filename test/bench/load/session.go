//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const codeStorage = 50004

// Session makes and deletes upload sessions for a huge file, one after the other.
func (r Run) Session(size int64, reps int) Result {
	out := r.result("session")
	t, ok := r.Target.(*v4)
	if !ok {
		return out.failed(errors.New("sessions are measured over v4 only"))
	}
	if err := t.setup(r.Dir); err != nil {
		return out.failed(err)
	}
	k, err := dial(r.Addr)
	if err != nil {
		return out.failed(err)
	}
	defer k.close()
	out.RSS0 = Memory(Processes(r.PID), "VmRSS")
	var took []time.Duration
	m, t0 := startMeter(r.PID), time.Now()
	for i := range reps {
		at := place{r.Dir, fmt.Sprintf("huge%d.bin", i)}
		a := time.Now()
		s, err := t.session(k, at, size)
		if r := (*refusal)(nil); errors.As(err, &r) && r.code == codeStorage && strings.Contains(r.text, "bytes needed") {
			out.Skip = "the server refuses what its disk has no room for: " + r.text
			return out
		}
		if err != nil {
			return out.failed(err)
		}
		took = append(took, time.Since(a))
		if s.ID == "" || s.Chunk <= 0 {
			return out.failed(fmt.Errorf("a session without an id or a chunk size: %+v", s))
		}
		if err := t.call(k, http.MethodDelete, "/api/v4/file/upload", map[string]string{"id": s.ID, "uri": uri(at.String())}, nil); err != nil {
			return out.failed(err)
		}
	}
	out.latencies(took, out.finish(m, t0))
	out.Verified = true
	return out
}
