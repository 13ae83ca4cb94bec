package policies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/flow"
	"github.com/wharfinger/wharfinger/test/rig"
)

// line notes what our client sends, and may break.
type line struct {
	*place
	way http.RoundTripper

	mu     sync.Mutex
	parts  []string // paths that were PUT to at the store and taken
	bearer int      // requests to the store that had a token or a cookie
	chunks int      // that went through the server
	after  int      // parts after which the line ends; 0: never
	cut    context.CancelFunc
	away   bool // the store cannot be reached
	hours  clock
}

// clock is the client's, which can be put forward.
type clock struct {
	flow.Clock
	later time.Duration
}

func (c *clock) Now() time.Time { return c.Clock.Now().Add(c.later) }

// cookies gives one to whoever is asked.
type cookies struct{}

func (cookies) SetCookies(*url.URL, []*http.Cookie) {}

func (cookies) Cookies(*url.URL) []*http.Cookie {
	return []*http.Cookie{{Name: "session", Value: "secret"}}
}

func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	server := r.URL.Host == l.config.Listen
	l.mu.Lock()
	if !server && l.away {
		l.mu.Unlock()
		return nil, &net.OpError{Op: "dial", Err: errors.New("no route")}
	}
	if !server && (r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "") {
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
		BaseURL: "http://" + l.config.Listen, HTTPClient: &http.Client{Transport: l, Jar: cookies{}}, Clock: &l.hours,
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

// TestAStoreThatCouldNotBeReachedIsTriedAgainAfterAWhile, and not for each file before.
func TestAStoreThatCouldNotBeReachedIsTriedAgainAfterAWhile(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a store; left out in short mode")
	}
	t.Parallel()
	p := newPlace(t, startEmulator("cos", cosUses), false)
	l := &line{place: p, way: p.way(), away: true}
	c := l.client()
	data := noise(5<<20 + 7)
	for i, want := range []struct {
		name  string
		later time.Duration
		parts int
	}{{"a", 0, 0}, {"b", 5 * time.Minute, 0}, {"c", 11 * time.Minute, 2}} {
		l.hours.later = want.later
		before := l.chunks
		in := input(data, nil)
		at, err := wire.ParseURI(uri(want.name))
		if err != nil {
			t.Fatal(err)
		}
		in.URI = at
		if _, err := c.Upload(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		l.away = false // from the second file on it could be reached
		if n, _ := l.sent(); n != want.parts || (l.chunks > before) != (want.parts == 0) {
			t.Errorf("file %d: %d parts went straight, %d chunks through the server", i, n, l.chunks-before)
		}
		if _, got := p.download(want.name, nil); !bytes.Equal(got, data) {
			t.Errorf("file %d: %d other bytes came back", i, len(got))
		}
	}
}
