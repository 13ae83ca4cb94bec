package lane_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/lane"
)

// ward is a server that moves every body to a file and answers with how much of
// it was moved and how much came through a buffer.
type ward struct {
	*httptest.Server
	t     *testing.T
	dir   string
	limit int64 // of what is read of a body; 0: all
	came  atomic.Int64
	seen  int64
	moves atomic.Int64
	fails atomic.Int64
}

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{t: t, dir: t.TempDir()}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(w.serve))
	w.Listener = lane.Listen(w.Listener)
	w.Start()
	t.Cleanup(w.Close)
	return w
}

func (w *ward) serve(rw http.ResponseWriter, r *http.Request) {
	f, err := os.Create(w.path(w.came.Add(1)))
	if err != nil {
		w.t.Error(err)
		return
	}
	defer f.Close()
	c := lane.Of(r.Context())
	if c == nil {
		w.t.Error("a TCP connection has no lane")
		return
	}
	p := make([]byte, 64<<10)
	var off int64
	for err == nil && (w.limit == 0 || off < w.limit) {
		var n int
		var moved bool
		n, moved, err = c.Move(f, off, p, r.Body.Read)
		if moved {
			w.moves.Add(int64(n))
		} else if _, werr := f.WriteAt(p[:n], off); werr != nil {
			w.t.Error(werr)
		}
		off += int64(n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		w.fails.Add(1)
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(rw, off)
}

// path is the file of the n-th body, from 1.
func (w *ward) path(n int64) string { return filepath.Join(w.dir, fmt.Sprint(n)) }

// holds looks at the next body that was answered.
func (w *ward) holds(want []byte) {
	w.t.Helper()
	w.seen++
	got, err := os.ReadFile(w.path(w.seen))
	if err != nil || !bytes.Equal(got, want) {
		w.t.Fatalf("the file has %d bytes, other than the %d that were sent (%v)", len(got), len(want), err)
	}
}

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// dial returns a raw connection with a deadline.
func (w *ward) dial() (net.Conn, *bufio.Reader) {
	w.t.Helper()
	c, err := net.Dial("tcp", w.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	w.t.Cleanup(func() { c.Close() })
	return c, bufio.NewReader(c)
}

func (w *ward) answer(r *bufio.Reader, want string) {
	w.t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil || string(body) != want {
		w.t.Fatalf("answered %q %v, want %q", body, err, want)
	}
}

func post(n int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", n)
}

func TestBodiesOfAllSizesArriveAndTheConnectionGoesOn(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	c, r := w.dial()
	for _, n := range []int{1, 4095, 4096, 4097, 64 << 10, 1<<20 + 1, 9 << 20, 3, 300_000} {
		data := content(n)
		if _, err := io.WriteString(c, post(n)); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = c.Write(data) }()
		w.answer(r, fmt.Sprint(n))
		w.holds(data)
	}
	if w.moves.Load() < 5<<20 {
		t.Errorf("only %d bytes were moved by the kernel", w.moves.Load())
	}
}

func TestWhatFollowsABodyIsTheNextRequest(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	c, r := w.dial()
	data := content(2 << 20)
	var all bytes.Buffer
	for range 3 {
		all.WriteString(post(len(data)))
		all.Write(data)
	}
	go func() { _, _ = c.Write(all.Bytes()) }()
	for range 3 {
		w.answer(r, fmt.Sprint(len(data)))
		w.holds(data)
	}
}

func TestASenderWhoWaitsIsToldToGoOn(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	c, r := w.dial()
	data := content(1 << 20)
	head := strings.Replace(post(len(data)), "\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n", 1)
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q %v", line, err)
	}
	_, _ = r.ReadString('\n')
	go func() { _, _ = c.Write(data) }()
	w.answer(r, fmt.Sprint(len(data)))
	w.holds(data)
}

func TestABodyThatEndsEarlyIsAnError(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for _, cut := range []func(net.Conn){
		func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() },
		func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); c.Close() },
	} {
		before := w.fails.Load()
		c, _ := w.dial()
		_, _ = io.WriteString(c, post(4<<20))
		_, _ = c.Write(content(3 << 20))
		cut(c)
		for end := time.Now().Add(20 * time.Second); w.fails.Load() == before; {
			if time.Now().After(end) {
				t.Fatal("nobody noticed")
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func TestAHandlerThatStopsReadingLeavesTheRestToTheServer(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	w.limit = 100 << 10
	c, r := w.dial()
	data := content(200 << 10)
	for range 2 {
		go func() { _, _ = io.WriteString(c, post(len(data))); _, _ = c.Write(data) }()
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
	}
}

func TestAFileThatTakesNothingEndsTheConnection(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		f, err := os.Open(os.DevNull) // for reading only
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		p := make([]byte, 64<<10)
		for err == nil {
			var moved bool
			if _, moved, err = lane.Of(r.Context()).Move(f, 0, p, r.Body.Read); moved {
				t.Error("moved to a file that cannot be written")
			}
		}
		failed <- err
	}))
	s.Listener = lane.Listen(s.Listener)
	s.Start()
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(c, post(4<<20))
	go func() { _, _ = c.Write(content(4 << 20)) }()
	if err := <-failed; errors.Is(err, io.EOF) {
		t.Error("a body whose bytes went nowhere ended well")
	}
	if n, err := io.Copy(io.Discard, c); err == nil && n > 0 {
		t.Log("the client was answered before the end:", n)
	}
}

func TestADeadlineEndsAMove(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		p := make([]byte, 64<<10)
		var off int64
		for err == nil {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			var n int
			n, _, err = lane.Of(r.Context()).Move(f, off, p, r.Body.Read)
			off += int64(n)
		}
		ended <- err
	}))
	s.Listener = lane.Listen(s.Listener)
	s.Start()
	defer s.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, post(4<<20))
	_, _ = c.Write(content(1 << 20))
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a sender that stands still: %v", err)
	}
}
