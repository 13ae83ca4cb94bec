package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// crowdMemory is what the whole server may take: its own and the page cache it uses.
const crowdMemory = 256 << 20

// TestAThousandSlowUploadsFitInto256MiB holds uploads open, every one of them in the
// middle of a body, inside a control group of 256 MiB. All come to their end with the
// bytes that were sent, nobody is refused, and the kernel kills nothing.
func TestAThousandSlowUploadsFitInto256MiB(t *testing.T) {
	t.Run("chunks of larger files", func(t *testing.T) {
		processes(t)
		slowCrowd(t, newWorld, 3*chunkSize+1, 1000)
	})
	t.Run("small files of one chunk", func(t *testing.T) {
		processes(t)
		n := 300 // the short form
		if release() {
			n = 1000
		}
		slowCrowd(t, newSmallWorld, 3*chunkSize, n)
	})
}

// slowCrowd does it with n files of least bytes and up to a chunk of 64 KiB more.
func slowCrowd(t *testing.T, begin maker, least, n int) {
	held := 5 * time.Second
	if release() {
		held = 45 * time.Second // longer than a slow body is left in peace
	}
	rnd, seed := seeded(t)
	g := newGroup(t, "memory", "memory")
	g.set("memory.limit_in_bytes", "memory.max", fmt.Sprint(crowdMemory))
	w := begin(t, workspace(t), rnd, seed)
	defer func() { report(t, seed, w.counts) }()
	defer w.srv.Kill() // before its group goes
	w.srv.Kill()
	w.srv.Wrap = g.wrap
	w.srv.Start()
	w.api.HTTP.Transport = &http.Transport{MaxIdleConnsPerHost: n, DialContext: (&net.Dialer{}).DialContext}

	c := crowd{world: w, held: make(chan struct{}), all: make(chan struct{}), n: int64(n)}
	jobs := make([]*pending, n)
	for i := range jobs {
		jobs[i] = uploadOf(w.fresh(least+w.roll(chunkSize)), w.chunkSize())
		jobs[i].session = c.create(i, jobs[i].size)
	}
	var uploads sync.WaitGroup
	for i, up := range jobs {
		uploads.Go(func() { c.upload(i, up) })
	}
	select {
	case <-c.all:
	case <-time.After(5 * time.Minute):
		t.Errorf("only %d of %d bodies were under way at once", c.begun.Load(), n)
	}
	time.Sleep(held)
	w.counts["resident while all were held, MiB"] = status(t, w.srv.PID(), "VmRSS:") >> 10
	close(c.held)
	uploads.Wait()
	w.fail("while they were held")
	for i, up := range jobs {
		got, err := w.api.Sum(crowdURI(i))
		if err != nil || got != up.sum() {
			t.Fatalf("upload %d reads %s (%v), %s was sent", i, got, err, up.sum())
		}
	}
	w.counts["slow uploads held at once"] = n
	w.counts["seconds held"] = int(held.Seconds())
	w.counts["most resident, MiB"] = status(t, w.srv.PID(), "VmHWM:") >> 10
	kills, most := g.killed()
	w.counts["out of memory kills"] = int(kills)
	w.counts["most of the group with its page cache, MiB"] = int(most >> 20)
	if kills > 0 {
		t.Errorf("the kernel has killed %d times for want of memory", kills)
	}
	w.audit(n, true)
	w.fail("at the end")
}

// killed returns how often the kernel killed for want of memory, and the most that the
// group took.
func (g *group) killed() (kills, most int64) {
	if g.v2 {
		return g.read("memory.events", "oom_kill"), g.read("memory.peak", "")
	}
	return g.read("memory.oom_control", "oom_kill"), g.read("memory.max_usage_in_bytes", "")
}

// status is a line of /proc/PID/status, in KiB.
func status(t *testing.T, pid int, key string) (n int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatalf("the server is gone: %v", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			_, _ = fmt.Sscan(rest, &n)
		}
	}
	return n
}

func crowdURI(i int) string { return fmt.Sprintf("cloudreve://my/crowd/%d.bin", i) }

// crowd are uploads that wait for each other in the middle of the first chunk they send.
type crowd struct {
	*world
	n     int64
	begun atomic.Int64
	all   chan struct{} // closed when everybody waits
	held  chan struct{} // closed when they may go on
}

func (c *crowd) create(i, size int) string {
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	c.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": crowdURI(i), "size": size}, &ticket)
	return ticket.SessionID
}

func (c *crowd) upload(i int, up *pending) {
	b := up.bytes()
	order := []int{1, 0, 3, 2}
	if len(up.chunks) == 1 {
		order = []int{0}
	}
	for at, n := range order {
		var err error
		if at == 0 {
			err = c.slow(up, n, up.part(b, n))
		} else {
			err = c.api.Send(up.session, n, up.part(b, n), nil)
		}
		if err != nil {
			c.violated("upload %d, chunk %d: %v", i, n, err)
			return
		}
	}
}

// slow sends half of a chunk, trickles while everybody is held, and sends the rest.
func (c *crowd) slow(up *pending, n int, body []byte) error {
	r, w := io.Pipe()
	go func() {
		half := len(body) / 2
		_, _ = w.Write(body[:half])
		if c.begun.Add(1) == c.n {
			close(c.all)
		}
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for at := half; ; at += 64 {
			select {
			case <-tick.C:
				_, _ = w.Write(body[at : at+64])
				continue
			case <-c.held:
			}
			_, _ = w.Write(body[at:])
			_ = w.Close()
			return
		}
	}()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, fmt.Sprintf("%s/api/v4/file/upload/%s/%d", c.api.Base, up.session, n), r)
	if err != nil {
		return err
	}
	req.ContentLength = int64(len(body))
	req.Header.Set("Authorization", "Bearer "+c.api.Token)
	resp, err := c.api.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var envelope struct{ Code *int }
	if err := json.Unmarshal(bytes.TrimSpace(text), &envelope); err != nil || envelope.Code == nil || *envelope.Code != 0 {
		return &rig.Refusal{What: "chunk", Code: -1, Msg: string(text)}
	}
	return nil
}
