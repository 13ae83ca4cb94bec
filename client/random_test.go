package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/pace"
	"github.com/wharfinger/wharfinger/test/fake"
)

// TestNoFaultsOnTheWayChangeAFileOrSendAChunkTwice draws a file, a list of
// faults that hit one request after the other whatever it is, and interruptions
// of the client itself. The file must be equal at the end, and no chunk may
// come after it was acknowledged.
func TestNoFaultsOnTheWayChangeAFileOrSendAChunkTwice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		srv := fake.Start()
		defer srv.Close()
		clk := newClock()
		srv.Now = clk.Now
		srv.ChunkSize = rapid.SampledFrom([]int64{1000, 4096, 0}).Draw(rt, "chunk size")
		srv.Encrypt = rapid.Bool().Draw(rt, "encrypt")
		srv.PieceAlign = rapid.SampledFrom([]int64{0, 64, 100}).Draw(rt, "pieces at")
		limit := int64(1 << 30)
		if srv.PieceAlign > 0 {
			limit = rapid.SampledFrom([]int64{300, 2000, 1 << 30}).Draw(rt, "limit of a proxy")
		}
		data := randomBytes(rapid.IntRange(0, 12_000).Draw(rt, "size"), rapid.Uint64Range(0, 1000).Draw(rt, "seed"))
		faults := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fake.Fault {
			return rapid.SampledFrom([]fake.Fault{
				{},
				{},
				{},
				{Cut: true},
				{CutAfter: 500},
				{LoseAnswer: true},
				{LoseAnswer: true},
				{Status: http.StatusBadGateway},
				{Status: http.StatusServiceUnavailable, RetryAfter: "3"},
				{Code: wire.CodeIOFailed},
				{Code: wire.CodeDatabaseFailed},
			}).Draw(t, "fault")
		}), 0, 40).Draw(rt, "faults")
		stops := rapid.SliceOfN(rapid.IntRange(0, 12), 0, 4).Draw(rt, "interruptions after so many events")

		watched := &acknowledged{next: client.NewTransport(), seen: map[string]bool{}}
		defer watched.next.CloseIdleConnections()
		c, err := client.New(client.Options{
			BaseURL: srv.URL, Clock: clk, HTTPClient: &http.Client{Transport: watched},
			Pace: pace.New(pace.Options{Start: 1000, Least: 64, Now: clk.Now}),
		})
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := c.SignIn(t.Context(), client.Credentials{Email: fake.Email, Password: fake.Password}); err != nil {
			rt.Fatal(err)
		}
		var mu sync.Mutex
		srv.Break(func(r *http.Request) (f fake.Fault) {
			if chunks(r) && r.ContentLength > limit {
				return tooLarge
			}
			mu.Lock()
			defer mu.Unlock()
			if len(faults) > 0 {
				f, faults = faults[0], faults[1:]
			}
			return f
		})
		in := input(data, "d", "x")
		in.Chunks, in.GiveUpAfter = rapid.IntRange(0, 4).Draw(rt, "at once"), -1
		for done := false; !done; {
			ctx, cancel := context.WithCancel(t.Context())
			left := -1
			if len(stops) > 0 {
				left, stops = stops[0], stops[1:]
			}
			in.Progress = func(client.Event) {
				if left--; left == -1 {
					cancel()
				}
			}
			if left == 0 {
				cancel()
			}
			out, err := c.Upload(ctx, in)
			cancel()
			switch {
			case err == nil:
				done = true
				if out.Size != int64(len(data)) || out.Outcome == client.Sent && out.Sent+out.Resumed != out.Size {
					rt.Errorf("says %+v of %d bytes", out, len(data))
				}
			case !errors.Is(err, context.Canceled):
				rt.Fatalf("gave up: %v", err)
			}
		}
		got, at, ok := srv.Data("d/x")
		if !ok || string(got) != string(data) || !at.Equal(modified) {
			rt.Errorf("the server has %d bytes of %v, want %d of %v", len(got), at, len(data), modified)
		}
		for _, path := range watched.again {
			rt.Errorf("%s was sent again after it had been acknowledged", path)
		}
	})
}

// acknowledged is a transport that notes which chunks the client has seen
// acknowledged. The server's own view will not do here: it also answers clients
// that have just been interrupted.
type acknowledged struct {
	next *http.Transport

	mu    sync.Mutex
	seen  map[string]bool
	again []string
}

func (a *acknowledged) RoundTrip(r *http.Request) (*http.Response, error) {
	if !chunks(r) {
		return a.next.RoundTrip(r)
	}
	key := r.URL.Path + " " + r.Header.Get("Content-Range")
	a.mu.Lock()
	if a.seen[key] {
		a.again = append(a.again, key)
	}
	a.mu.Unlock()
	resp, err := a.next.RoundTrip(r)
	if err != nil {
		return resp, err
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(text))
	if bytes.HasPrefix(text, []byte(`{"code":0,`)) {
		a.mu.Lock()
		a.seen[key] = true
		a.mu.Unlock()
	}
	return resp, nil
}
