package hostile_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(rig.Main(m))
}

// zeros is a body of n bytes.
func zeros(n int64) io.Reader { return io.LimitReader(forever{}, n) }

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	return len(p), nil
}

// peak is the most memory that the process had, in bytes, since reset.
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("there is no /proc here")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// TestMemoryIsBoundedByTheServerAndNotByTheClient is P17: H26 and H19 at size,
// against a process of its own.
func TestMemoryIsBoundedByTheServerAndNotByTheClient(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a real process; left out in short mode")
	}
	srv := rig.NewServer(t)
	srv.Start()
	a := rig.NewAPI(t, srv.URL())
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	a.Call("PUT", "/file/upload", map[string]any{"uri": "cloudreve://my/f", "size": 3}, &ticket)
	chunk := "/file/upload/" + ticket.SessionID + "/0"
	const allowed = 16 << 20
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		what, method, path, token string
		size                      int64
		chunked                   bool
	}{
		{"200 MB of JSON", "PUT", "/file/upload", a.Token, 200 << 20, false},
		{"200 MB of JSON, chunked", "PUT", "/file/upload", a.Token, 200 << 20, true},
		{"200 MB of JSON from nobody", "POST", "/session/token", "", 200 << 20, true},
		{"300 MB of a chunk without a token", "POST", chunk, "", 300 << 20, false},
		{"300 MB of a chunk with a bad token", "POST", chunk, strings.Repeat("x", 4000), 300 << 20, false},
		{"300 MB of a chunk of another length", "POST", chunk, a.Token, 300 << 20, false},
		{"300 MB of a chunk, chunked", "POST", chunk, a.Token, 300 << 20, true},
		{"300 MB of content", "PUT", "/file/content?uri=cloudreve://my/g", a.Token, 300 << 20, true},
		{"300 MB to the page", "POST", "/../../index.html", "", 300 << 20, true},
	} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", srv.PID()), []byte("5"), 0o600); err != nil {
			t.Skip("the peak cannot be reset here: ", err)
		}
		before := peak(t, srv.PID())
		req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL()+"/api/v4"+c.path, zeros(c.size))
		if err != nil {
			t.Fatal(err)
		}
		if req.ContentLength = c.size; c.chunked {
			req.ContentLength = -1
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		answer := "the connection was cut"
		if resp, err := client.Do(req); err == nil {
			text, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			answer = string(text)
		}
		if strings.Contains(answer, `"code":0`) {
			t.Errorf("%s: %s", c.what, answer)
		}
		grown := peak(t, srv.PID()) - before
		t.Logf("%-38s %5d KiB more; %.90s", c.what, grown>>10, answer)
		if grown > allowed {
			t.Errorf("%s costs %d bytes, more than %d", c.what, grown, allowed)
		}
	}
	if used, reserved := a.Capacity(); used != 3 || reserved != 3 {
		t.Errorf("%d used, %d reserved; want the one open upload of 3 bytes", used, reserved)
	}
}
