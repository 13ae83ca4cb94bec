package chaos_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// liar is a network between client and server that does to chunks what networks do.
type liar struct {
	to     string
	client *http.Client

	mu     sync.Mutex
	rnd    *rand.Rand
	counts map[string]int
	old    []sent // chunks that passed before, to come again late
}

// sent is a chunk as it passed.
type sent struct {
	path   string
	header http.Header
	body   []byte
}

// ServeHTTP implements http.Handler.
func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s := sent{r.URL.RequestURI(), r.Header.Clone(), body}
	if r.Method != http.MethodPost || !strings.Contains(s.path, "/file/upload/") || len(body) == 0 {
		l.pass(w, r.Method, s)
		return
	}
	l.mu.Lock()
	dice, at, bit := l.rnd.IntN(100), l.rnd.IntN(len(body)), byte(1)<<l.rnd.IntN(8)
	var late sent
	if len(l.old) > 0 {
		late = l.old[l.rnd.IntN(len(l.old))]
	}
	l.old = append(l.old, s)
	l.mu.Unlock()

	switch {
	case dice < 12:
		l.count("truncated")
		l.truncate(r, s, at)
		panic(http.ErrAbortHandler)
	case dice < 24:
		l.count("a bit flipped")
		s.body = slices.Clone(body)
		s.body[at] ^= bit
		l.pass(w, r.Method, s)
	case dice < 34:
		l.count("sent twice at once")
		twice := make(chan struct{})
		go func() { defer close(twice); l.discard(s) }()
		l.pass(w, r.Method, s)
		<-twice
	case dice < 44:
		l.count("answer lost")
		l.discard(s)
		panic(http.ErrAbortHandler)
	case dice < 54:
		l.count("held back behind others")
		time.Sleep(time.Duration(at%20) * time.Millisecond)
		l.pass(w, r.Method, s)
	case dice < 64 && late.path != "":
		l.count("an old chunk came again")
		l.discard(late)
		l.pass(w, r.Method, s)
	default:
		l.pass(w, r.Method, s)
	}
}

func (l *liar) count(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[what]++
}

func (l *liar) request(method string, s sent) (*http.Response, error) {
	req, err := http.NewRequest(method, l.to+s.path, bytes.NewReader(s.body)) //nolint:noctx // the client has a deadline
	if err != nil {
		return nil, err
	}
	req.Header = s.header.Clone()
	return l.client.Do(req)
}

func (l *liar) pass(w http.ResponseWriter, method string, s sent) {
	resp, err := l.request(method, s)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func (l *liar) discard(s sent) {
	if resp, err := l.request(http.MethodPost, s); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// truncate announces the whole body, sends some of it and hangs up.
func (l *liar) truncate(r *http.Request, s sent, n int) {
	cut := io.MultiReader(bytes.NewReader(s.body[:n]), broken{})
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, l.to+s.path, cut)
	if err != nil {
		return
	}
	req.Header = s.header.Clone()
	req.ContentLength = int64(len(s.body))
	if resp, err := l.client.Do(req); err == nil {
		_ = resp.Body.Close()
	}
}

// broken is the end of a line that was cut.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("cut") }

// TestANetworkThatLiesChangesNoFile truncates, duplicates, delays, repeats and flips
// bits of chunks. With Content-Digest each flipped chunk is refused; the client tries
// again; every file arrives as it was.
func TestANetworkThatLiesChangesNoFile(t *testing.T) {
	if testing.Short() {
		t.Setenv("WHARF_CHAOS_NETWORK", "5")
	}
	n := amount(t, "NETWORK", 60, 3000)
	rnd, seed := seeded(t)
	direct := inProcess(t)
	l := &liar{to: direct.Base, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}, rnd: rnd, counts: map[string]int{}}
	t.Cleanup(l.client.CloseIdleConnections)
	line := httptest.NewServer(l)
	t.Cleanup(line.Close)
	through := *direct
	through.Base = line.URL

	var contents []content
	var total int64
	for range n {
		c := content{rnd.Uint64(), 1 + rnd.IntN(6*chunkSize)}
		contents = append(contents, c)
		total += int64(c.size)
	}
	work := make(chan int, n)
	for i := range n {
		work <- i
	}
	close(work)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for i := range work {
				if err := persist(&through, l, fmt.Sprintf("cloudreve://my/line/%d", i), contents[i]); err != nil {
					t.Errorf("file %d: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	for i, c := range contents {
		if got, err := direct.Sum(fmt.Sprintf("cloudreve://my/line/%d", i)); err != nil || got != c.sum() {
			t.Errorf("file %d reads %s (%v), %s was sent", i, got, err, c.sum())
		}
	}
	if used, reserved := direct.Capacity(); used != total || reserved != 0 {
		t.Errorf("%d bytes were sent; the ledger says %d used, %d of them reserved", total, used, reserved)
	}
	if l.counts["refused"] < l.counts["a bit flipped"] {
		t.Errorf("%d chunks had a bit flipped and only %d were refused", l.counts["a bit flipped"], l.counts["refused"])
	}
	l.counts["files"] = n
	report(t, seed, l.counts)
}

// persist sends one file through the line, each chunk until it is acknowledged.
func persist(a *rig.API, l *liar, uri string, c content) error {
	var ticket struct {
		SessionID string `json:"session_id"`
	}
	if err := a.Try(http.MethodPut, "/file/upload", map[string]any{"uri": uri, "size": c.size}, &ticket); err != nil {
		return err
	}
	up, b := uploadOf(c, chunkSize), c.bytes()
	var all sync.WaitGroup
	failed := make([]error, len(up.chunks))
	for i := range up.chunks {
		all.Go(func() {
			body := up.part(b, i)
			for range 40 {
				failed[i] = a.Send(ticket.SessionID, i, body, digest(body))
				switch code := rig.Code(failed[i]); {
				case failed[i] == nil:
					return
				case code == 50004, code == http.StatusConflict: // refused: the bytes were not these
					l.count("refused")
				case code != 0:
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}
