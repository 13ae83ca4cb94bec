package client_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/test/fake"
)

// clock passes at once: whoever sleeps has slept.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.slept = c.now.Add(d), c.slept+d
	return nil
}

// bench is a server, a signed-in client and the clock of both.
type bench struct {
	*fake.Server
	*clock
	c *client.Client
	t testing.TB
}

func newBench(t testing.TB, change ...func(*client.Options)) *bench {
	t.Helper()
	b := &bench{Server: fake.New(t), clock: newClock(), t: t}
	b.Server.Now = b.clock.Now
	b.c = b.client(change...)
	b.signIn(b.c)
	return b
}

func (b *bench) client(change ...func(*client.Options)) *client.Client {
	b.t.Helper()
	o := client.Options{BaseURL: b.URL, Clock: b.clock, StallAfter: 10 * time.Second}
	for _, f := range change {
		f(&o)
	}
	c, err := client.New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bench) signIn(c *client.Client) {
	b.t.Helper()
	if _, err := c.SignIn(b.t.Context(), client.Credentials{Email: fake.Email, Password: fake.Password}); err != nil {
		b.t.Fatal(err)
	}
}

// holds fails the test unless the server has these bytes under that name.
func (b *bench) holds(name string, want []byte) {
	b.t.Helper()
	got, _, ok := b.Data(name)
	switch {
	case !ok:
		b.t.Errorf("%s is not on the server", name)
	case !bytes.Equal(got, want):
		b.t.Errorf("%s: the server has other bytes than were sent (%d, want %d)", name, len(got), len(want))
	}
}

// frugal fails the test if an acknowledged chunk came twice.
func (b *bench) frugal() {
	b.t.Helper()
	for _, c := range b.SentAgain() {
		b.t.Errorf("chunk %d of session %s was sent again after it had been acknowledged", c.Index, c.Session)
	}
}

var modified = time.Date(2029, 5, 6, 7, 8, 9, 123e6, time.UTC)

func randomBytes(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
	_, _ = r.Read(b)
	return b
}

func input(data []byte, path ...string) client.UploadInput {
	return client.UploadInput{Source: bytes.NewReader(data), Size: int64(len(data)), URI: wire.MyURI(path...), Modified: modified}
}

// nth makes a fault of the n-th request (from 1) that matches.
func nth(match func(*http.Request) bool, faults map[int]fake.Fault) func(*http.Request) fake.Fault {
	var mu sync.Mutex
	n := 0
	return func(r *http.Request) fake.Fault {
		if !match(r) {
			return fake.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		return faults[n]
	}
}

func chunks(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/file/upload/")
}

func begins(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/file/upload")
}

func contents(r *http.Request) bool { return strings.Contains(r.URL.Path, "/file/content/") }
