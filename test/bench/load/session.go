//go:build linux

package load

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Session makes and deletes upload sessions for a huge file, one after the other:
// with the first hundred addresses of its parts, or with all.
func (r Run) Session(size int64, reps int, paged bool) Result {
	out := r.result("session")
	if !paged {
		out.Mode = "session, all addresses"
	}
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
		var s struct {
			ticket
			URLs []string `json:"upload_urls"`
		}
		err := t.call(k, http.MethodPut, "/api/v4/file/upload", map[string]any{"uri": uri(at.String()), "size": size, "paged": paged}, &s)
		if err != nil {
			return out.failed(err)
		}
		took = append(took, time.Since(a))
		if want := (size + s.Chunk - 1) / max(1, s.Chunk); s.ID == "" || int64(len(s.URLs)) != want && (!paged || len(s.URLs) == 0) {
			return out.failed(fmt.Errorf("session %q in pieces of %d has %d addresses", s.ID, s.Chunk, len(s.URLs)))
		}
		if err := t.call(k, http.MethodDelete, "/api/v4/file/upload", map[string]string{"id": s.ID, "uri": uri(at.String())}, nil); err != nil {
			return out.failed(err)
		}
	}
	out.latencies(took, out.finish(m, t0))
	out.Verified = true
	return out
}
