package policies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/test/rig"
)

// line notes what our client sends, and may break.
type line struct {
	*place
	way http.RoundTripper

	mu     sync.Mutex
	parts  []string // paths that were PUT to at the store and taken
	bearer int      // requests to the store that had a token
	chunks int      // that went through the server
	after  int      // parts after which the line ends; 0: never
	cut    context.CancelFunc
	away   bool // the store cannot be reached
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	server := r.URL.Host == l.config.Listen
	l.mu.Lock()
	if !server && l.away {
		l.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Err: errors.New("no route")}
	}
	if !server && r.Header.Get("Authorization") != "" {
		l.bearer++
	}
	if server && r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/file/upload/") {
		l.chunks++
	}
	l.mu.Unlock()
	resp, err := l.way.RoundTrip(r)
	if err == nil && !server && r.Method == http.MethodPut && resp.StatusCode == http.StatusOK {
		l.mu.Lock()
		l.parts = append(l.parts, r.URL.RawQuery[:min(40, len(r.URL.RawQuery))]+" "+r.URL.Query().Get("partNumber"))
		if len(l.parts) == l.after {
			l.cut()
		}
		l.mu.Unlock()
	}
	return resp, err
}

// sent is how many parts were taken, and how many of them twice.
func (l *line) sent() (n, twice int) {
	seen := map[string]bool{}
	for _, p := range l.parts {
		number := p[strings.LastIndex(p, " "):]
		if seen[number] {
			twice++
		}
		seen[number] = true
	}
	return len(l.parts), twice
}

func (l *line) client() *client.Client {
	l.Helper()
	c, err := client.New(client.Options{
		BaseURL: "http://" + l.config.Listen, HTTPClient: &http.Client{Transport: l},
		Credentials: func(context.Context) (client.Credentials, error) {
			return client.Credentials{Email: rig.AdminEmail, Password: rig.AdminPassword}, nil
		},
	})
	if err != nil {
		l.Fatal(err)
	}
	return c
}

func input(data []byte, change func(*client.UploadInput)) client.UploadInput {
	at, err := wire.ParseURI(uri("f"))
	if err != nil {
		panic(err) // it is constant
	}
	in := client.UploadInput{Source: bytes.NewReader(data), Size: int64(len(data)), URI: at, Modified: time.Unix(1e9, 0), Chunks: 2}
	if change != nil {
		change(&in)
	}
	return in
}

// TestOurClientSendsStraightToEachStore: whole, again after a break without what the
// store has, and through the server where the store cannot be reached.
func TestOurClientSendsStraightToEachStore(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real stores; left out in short mode")
	}
	data := noise(4*(5<<20) + 7)
	for _, w := range worlds {
		open := func(t *testing.T) *line {
			p := newPlace(t, w.start, false)
			return &line{place: p, way: p.way()}
		}
		t.Run(w.kind, func(t *testing.T) {
			t.Parallel()
			t.Run("whole", func(t *testing.T) {
				l := open(t)
				out, err := l.client().Upload(t.Context(), input(data, nil))
				if err != nil || out.Sent != int64(len(data)) {
					t.Fatalf("%d bytes were sent: %v", out.Sent, err)
				}
				l.one("f", data)
				if n, twice := l.sent(); n != 5 || twice != 0 || l.chunks != 0 || l.bearer != 0 {
					t.Errorf("%d parts went straight, %d twice, %d with our token; %d through the server", n, twice, l.bearer, l.chunks)
				}
			})
			t.Run("broken", func(t *testing.T) {
				l := open(t)
				ctx, cancel := context.WithCancel(t.Context())
				l.after, l.cut = 2, cancel
				if _, err := l.client().Upload(ctx, input(data, nil)); !errors.Is(err, context.Canceled) {
					t.Fatalf("the break is said to be %v", err)
				}
				l.after = 0
				out, err := l.client().Upload(t.Context(), input(data, nil))
				if err != nil || out.Resumed < 2*(5<<20) {
					t.Fatalf("%d bytes were there: %v", out.Resumed, err)
				}
				l.one("f", data)
				if n, twice := l.sent(); twice > 1 { // one may have been answered into the break
					t.Errorf("%d of %d parts were sent twice", twice, n)
				}
			})
			t.Run("another_file_of_that_name", func(t *testing.T) {
				l := open(t)
				ctx, cancel := context.WithCancel(t.Context())
				l.after, l.cut = 2, cancel
				other := bytes.Clone(data)
				for i := range other {
					other[i] ^= 1
				}
				if _, err := l.client().Upload(ctx, input(other, nil)); !errors.Is(err, context.Canceled) {
					t.Fatalf("the break is said to be %v", err)
				}
				l.after = 0
				if _, err := l.client().Upload(t.Context(), input(data, nil)); err != nil {
					t.Fatal(err)
				}
				l.one("f", data)
			})
			t.Run("away", func(t *testing.T) {
				l := open(t)
				l.away = true
				var notes []string
				in := input(data, func(in *client.UploadInput) {
					in.Progress = func(e client.Event) {
						if e.Note != "" {
							notes = append(notes, e.Note)
						}
					}
				})
				if _, err := l.client().Upload(t.Context(), in); err != nil {
					t.Fatal(err)
				}
				l.one("f", data)
				if l.chunks == 0 || len(notes) == 0 || !strings.Contains(fmt.Sprint(notes), "through the server") {
					t.Errorf("%d chunks went through the server, and it was said: %v", l.chunks, notes)
				}
			})
			t.Run("away_and_told_to_go_straight", func(t *testing.T) {
				l := open(t)
				l.away = true
				in := input(data, func(in *client.UploadInput) { in.Way, in.GiveUpAfter = client.Straight, time.Millisecond })
				if _, err := l.client().Upload(t.Context(), in); err == nil || !strings.Contains(err.Error(), "no route") {
					t.Errorf("it says %v", err)
				}
				if l.chunks != 0 {
					t.Errorf("%d chunks went through the server", l.chunks)
				}
			})
		})
	}
}
