package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between client and server and writes down every chunk that passes and
// how it was answered. A dead server behind it looks like a dead server: the
// connection is cut, no answer is made up.
type proxy struct {
	url  string
	deaf atomic.Int64 // so many callbacks of clients are lost

	mu     sync.Mutex
	seq    int // orders starts and answers
	chunks []*sending
	events []event
	passed int64 // bytes of chunks and batches so far
	batch  int   // requests of many files
}

// sending is one POST of one chunk, or of a piece of it.
type sending struct {
	session, index string
	part           string // Content-Range
	started        int    // sequence number of its start
	bytes          int64  // of its body that passed
	answered       int    // sequence number of its answer; 0: none came
	code           int    // of the envelope
	status         int
}

func (s *sending) key() string { return strings.TrimSpace(s.session + "/" + s.index + " " + s.part) }

func (s *sending) acknowledged() bool {
	return s.answered > 0 && s.status == http.StatusOK && s.code == 0
}

// event happens when that many bytes of chunks have passed, in the middle of one.
type event struct {
	at int64
	do func()
}

var chunkPath = regexp.MustCompile(`^/api/v4/file/upload/([^/]+)/([0-9]+)$`)

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()

	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: 32}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
		},
		Transport: transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler) // cut the connection
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(forward, w, r) }),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); transport.CloseIdleConnections() })
	p.url = "http://" + l.Addr().String()
	return p
}

// at plans an event. Events are planned before the traffic begins.
func (p *proxy) at(bytes int64, do func()) { p.events = append(p.events, event{bytes, do}) }

func (p *proxy) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v4/file/batch" {
		p.mu.Lock()
		p.batch++
		p.mu.Unlock()
		r.Body = &counted{ReadCloser: r.Body, count: func(n int) { p.count(new(sending), n) }}
		forward.ServeHTTP(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/api/v4/callback/") && p.deaf.Add(-1) >= 0 {
		panic(http.ErrAbortHandler)
	}
	m := chunkPath.FindStringSubmatch(r.URL.Path)
	if m == nil || r.Method != http.MethodPost {
		forward.ServeHTTP(w, r)
		return
	}

	p.mu.Lock()
	p.seq++
	s := &sending{session: m[1], index: m[2], part: r.Header.Get("Content-Range"), started: p.seq}
	p.chunks = append(p.chunks, s)
	p.mu.Unlock()

	r.Body = &counted{ReadCloser: r.Body, count: func(n int) { p.count(s, n) }}
	forward.ServeHTTP(&answer{ResponseWriter: w, done: func(status int, body []byte) { p.answer(s, status, body) }}, r)
}

// count adds to what has passed and carries out the events that are due, while the
// body is on its way.
func (p *proxy) count(s *sending, n int) {
	p.mu.Lock()
	s.bytes += int64(n)
	p.passed += int64(n)
	var due []func()
	p.events = slices.DeleteFunc(p.events, func(e event) bool {
		if p.passed < e.at {
			return false
		}
		due = append(due, e.do)
		return true
	})
	p.mu.Unlock()
	for _, do := range due {
		do()
	}
}

func (p *proxy) answer(s *sending, status int, body []byte) {
	code := -1
	var envelope struct{ Code *int }
	if json.Unmarshal(body, &envelope) == nil && envelope.Code != nil {
		code = *envelope.Code
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq++
	s.answered, s.status, s.code = p.seq, status, code
}

// batches is how many requests of many files came.
func (p *proxy) batches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.batch
}

// sentAgain lists the chunks whose sending began after the server's success for the
// same chunk had come through.
func (p *proxy) sentAgain() []string {
	p.mu.Lock()
	defer p.mu.Unlock()

	acknowledged := map[string]int{}
	for _, s := range p.chunks {
		if first, ok := acknowledged[s.key()]; s.acknowledged() && (!ok || s.answered < first) {
			acknowledged[s.key()] = s.answered
		}
	}
	var again []string
	for _, s := range p.chunks {
		if at, ok := acknowledged[s.key()]; ok && s.started > at {
			again = append(again, fmt.Sprintf("chunk %s: acknowledged as event %d, sent again as event %d", s.key(), at, s.started))
		}
	}
	return again
}

// totals counts: chunks acknowledged (each once), POSTs, and bytes that passed.
func (p *proxy) totals() (acknowledged, posts int, passed int64) {
	p.mu.Lock()
	defer p.mu.Unlock()

	distinct := map[string]bool{}
	for _, s := range p.chunks {
		if s.acknowledged() {
			distinct[s.key()] = true
		}
	}
	return len(distinct), len(p.chunks), p.passed
}

// safe counts the bytes of what was acknowledged.
func (p *proxy) safe() (bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()

	for _, s := range p.chunks {
		if s.acknowledged() {
			bytes += s.bytes
		}
	}
	return bytes
}

// sessions counts the upload sessions that chunks were sent for.
func (p *proxy) sessions() int {
	p.mu.Lock()
	defer p.mu.Unlock()

	distinct := map[string]bool{}
	for _, s := range p.chunks {
		distinct[s.session] = true
	}
	return len(distinct)
}

// pending counts the planned events that have not happened.
func (p *proxy) pending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events)
}

func (p *proxy) history() string {
	p.mu.Lock()
	defer p.mu.Unlock()

	var b strings.Builder
	for _, s := range p.chunks {
		fmt.Fprintf(&b, "%5d chunk %s: %d bytes, ", s.started, s.key(), s.bytes)
		if s.answered == 0 {
			b.WriteString("no answer\n")
			continue
		}
		fmt.Fprintf(&b, "answered %d: HTTP %d, code %d\n", s.answered, s.status, s.code)
	}
	return b.String()
}

// counted reports every read.
type counted struct {
	io.ReadCloser
	count func(n int)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	if n > 0 {
		c.count(n)
	}
	return n, err
}

// answer keeps a copy of a small answer and reports it before it is passed on.
type answer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	done   func(status int, body []byte)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.body.Write(b)
	a.done(a.status, a.body.Bytes())
	return a.ResponseWriter.Write(b)
}
