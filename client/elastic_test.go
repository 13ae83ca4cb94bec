package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/pace"
	"github.com/wharfinger/wharfinger/test/fake"
)

// small is a pace for the small chunks of these tests.
func small(o *client.Options) {
	o.Pace = pace.New(pace.Options{Start: 256 << 10, Least: 1 << 10, Now: o.Clock.Now})
}

// narrow refuses bodies of more than limit bytes as a proxy does, and counts them.
func narrow(limit int64, with fake.Fault) (choose func(*http.Request) fake.Fault, refused *atomic.Int64) {
	refused = new(atomic.Int64)
	return func(r *http.Request) fake.Fault {
		if chunks(r) && r.ContentLength > limit {
			refused.Add(1)
			return with
		}
		return fake.Fault{}
	}, refused
}

var tooLarge = fake.Fault{Status: http.StatusRequestEntityTooLarge}

func TestAnUploadOfLargeChunksGoesOnThroughASmallLimit(t *testing.T) {
	t.Parallel()
	for _, encrypt := range []bool{false, true} {
		b := newBench(t, small)
		b.Encrypt = encrypt
		data := randomBytes(9*chunk+777, 1)
		b.interrupted(data, 3, "x")
		before := len(b.Chunks())
		choose, refused := narrow(10_000, tooLarge)
		b.Break(choose)
		var notes []string
		in := input(data, "x")
		in.Progress = func(e client.Event) {
			if e.Kind == client.EventLimited {
				notes = append(notes, e.Note)
			}
		}
		out, err := b.c.Upload(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		b.holds("x", data)
		b.frugal()
		if out.Resumed < 3*chunk || out.Resumed+out.Sent != int64(len(data)) || !out.Verified {
			t.Errorf("says %+v", out)
		}
		var sent int64
		for _, c := range b.Chunks()[before:] {
			if c.Bytes > 10_000 {
				t.Errorf("a body of %d bytes came through", c.Bytes)
			}
			sent += c.Bytes
		}
		if sent != out.Sent {
			t.Errorf("%d bytes were sent for %d", sent, out.Sent)
		}
		if n := refused.Load(); n == 0 || n > 30 || b.slept != 0 {
			t.Errorf("%d bodies were refused, waited %v", n, b.slept)
		}
		if len(notes) == 0 || !strings.Contains(notes[len(notes)-1], "a proxy in front of the server") {
			t.Errorf("says about the limit: %q", notes)
		}
	}
}

func TestTheNextUploadKnowsTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, small)
	choose, refused := narrow(10_000, tooLarge)
	b.Break(choose)
	told := 0
	for i, name := range []string{"x", "y"} {
		data := randomBytes(4*chunk, uint64(i))
		in := input(data, name)
		told = 0
		in.Progress = func(e client.Event) {
			if e.Kind == client.EventLimited {
				told++
			}
		}
		refused.Store(0)
		if _, err := b.c.Upload(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		b.holds(name, data)
	}
	if n := refused.Load(); n > 0 || told != 1 {
		t.Errorf("%d bodies of the second upload were refused, its limit was told %d times", n, told)
	}
}

func TestLargeBodiesThatAreCutOrTakeTooLongGetSmaller(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fake.Fault{
		"reset":   {CutAfter: 300_000},
		"timeout": {Status: http.StatusRequestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.ChunkSize = 2 << 20
			choose, _ := narrow(300_000, f)
			b.Break(choose)
			data := randomBytes(5<<20+5, 1)
			if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
				t.Fatal(err)
			}
			b.holds("x", data)
			b.frugal()
		})
	}
}

func TestASmallFileThatIsTooLargeForTheProxyIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, small)
	b.PieceAlign = 0 // as for a file that comes whole, or by an older server
	choose, refused := narrow(10_000, tooLarge)
	b.Break(choose)
	_, err := b.c.Upload(t.Context(), input(randomBytes(chunk, 1), "x"))
	if !client.IsTooLarge(err) || refused.Load() != 1 {
		t.Errorf("says %v after %d tries", err, refused.Load())
	}
}

func TestAPieceThatCameInUnseenIsNotSentAgainInOtherPieces(t *testing.T) {
	t.Parallel()
	b := newBench(t, small)
	data := randomBytes(6*chunk, 1)
	choose, _ := narrow(20_000, tooLarge)
	lose := nth(chunks, map[int]fake.Fault{1: {LoseAnswer: true}})
	b.Break(func(r *http.Request) fake.Fault {
		if f := lose(r); f.LoseAnswer {
			return f
		}
		return choose(r)
	})
	if _, err := b.c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	b.frugal()
	var sent int64
	for _, c := range b.Chunks() {
		sent += c.Bytes
	}
	if sent != int64(len(data)) {
		t.Errorf("%d bytes came in for %d", sent, len(data))
	}
}

// TestAFlushDoesNotIdleTheLink holds back every answer until more bodies are over
// than there are streams.
func TestAFlushDoesNotIdleTheLink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	target, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	var over sync.WaitGroup
	over.Add(6)
	var n atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if chunks(r) {
			text, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			if n.Add(1) <= 6 {
				over.Done()
			}
			over.Wait()
			r.Body = io.NopCloser(strings.NewReader(string(text)))
		}
		forward.ServeHTTP(w, r)
	}))
	defer slow.Close()
	c := b.client(func(o *client.Options) { o.BaseURL = slow.URL })
	b.signIn(c)
	data := randomBytes(12*chunk, 1)
	if _, err := c.Upload(t.Context(), input(data, "x")); err != nil {
		t.Fatal(err)
	}
	b.holds("x", data)
	b.frugal()
	if b.slept != 0 {
		t.Errorf("waited %v", b.slept)
	}
}
