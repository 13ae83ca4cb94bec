package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
)

// site is the whole server in this process, on one address over restarts.
type site struct {
	t      *testing.T
	config app.Config
	a      *app.App
	cancel context.CancelFunc
	served chan error
}

const sitePassword = "correct horse battery"

func newSite(t *testing.T, patch app.PolicyPatch) *site {
	t.Helper()
	s := &site{t: t, config: app.Config{
		Data: t.TempDir(), Listen: freeAddress(t), AdminEmail: "ann@example.test", AdminPassword: core.Secret(sitePassword),
		Grace: time.Second,
	}}
	s.start()
	if _, err := s.a.SetPolicy(t.Context(), "default", patch); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *site) start() {
	s.t.Helper()
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	a, err := app.Open(ctx, s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.a, s.served = a, make(chan error, 1)
	go func() { s.served <- a.Serve(ctx) }()
}

func (s *site) stop() {
	s.cancel()
	if err := errors.Join(<-s.served, s.a.Close()); err != nil {
		s.t.Error(err)
	}
}

func (s *site) restart() {
	s.stop()
	s.start()
}

func (s *site) client() *client.Client {
	s.t.Helper()
	c, err := client.New(client.Options{BaseURL: s.a.URL()})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.SignIn(s.t.Context(), client.Credentials{Email: s.config.AdminEmail, Password: s.config.AdminPassword.Reveal()}); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func pointer[T any](v T) *T { return &v }

func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = src.Read(b)
	return b
}

func upload(data []byte, path ...string) client.UploadInput {
	return client.UploadInput{
		Source: bytes.NewReader(data), Size: int64(len(data)), URI: wire.MyURI(path...), Modified: time.UnixMilli(1_900_000_000_123),
	}
}

func TestTheSDKAndTheServerAgree(t *testing.T) {
	t.Parallel()
	for name, patch := range map[string]app.PolicyPatch{
		"plain":     {ChunkSize: pointer(int64(1 << 20))},
		"in one":    {ChunkSize: pointer(int64(0))},
		"encrypted": {ChunkSize: pointer(int64(1 << 20)), Encrypt: pointer(true)},
		"sha256":    {ChunkSize: pointer(int64(1 << 20)), SHA256: pointer(true)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, patch)
			c := s.client()
			for _, size := range []int{0, 1, 1 << 20, 1<<20 + 1, 5<<20 + 333} {
				data := noise(size, uint64(size))
				uri := wire.MyURI("a folder", "ä #%(1)+&.bin")
				in := upload(data, uri.Path...)
				in.OnConflict = client.Version
				up, err := c.Upload(t.Context(), in)
				if err != nil {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if up.Outcome != client.Sent || !up.Verified || up.Sent != int64(size) {
					t.Errorf("%d bytes: %+v", size, up)
				}
				if again, err := c.Upload(t.Context(), in); err != nil || again.Outcome != client.Unchanged {
					t.Errorf("%d bytes, again: %+v, %v", size, again, err)
				}
				local := filepath.Join(t.TempDir(), "x")
				down, err := c.DownloadFile(t.Context(), local, client.DownloadInput{URI: uri})
				if err != nil || !down.Verified {
					t.Fatalf("%d bytes: %+v, %v", size, down, err)
				}
				got, err := os.ReadFile(local)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
				}
				if st, err := os.Stat(local); err != nil || st.ModTime().UnixMilli() != 1_900_000_000_123 {
					t.Errorf("%d bytes: time is %v, %v", size, st.ModTime(), err)
				}
			}
		})
	}
}

func TestAnInterruptedSDKUploadGoesOnAfterARestartOfTheServer(t *testing.T) {
	t.Parallel()
	for _, encrypt := range []bool{false, true} {
		s := newSite(t, app.PolicyPatch{ChunkSize: pointer(int64(1 << 20)), Encrypt: &encrypt})
		data := noise(9<<20+5, 7)
		ctx, cancel := context.WithCancel(t.Context())
		in := upload(data, "x")
		in.Chunks = 1
		in.Progress = func(e client.Event) {
			if e.Confirmed >= 4<<20 {
				cancel()
			}
		}
		if _, err := s.client().Upload(ctx, in); !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		s.restart()
		c := s.client()
		out, err := c.Upload(t.Context(), upload(data, "x"))
		if err != nil || out.Resumed < 4<<20 || !out.Verified {
			t.Errorf("%+v, %v", out, err)
		}
		var back bytes.Buffer
		if _, err := c.Download(t.Context(), client.DownloadInput{URI: wire.MyURI("x")}, &back); err != nil || !bytes.Equal(back.Bytes(), data) {
			t.Errorf("%d bytes came back, %v", back.Len(), err)
		}
	}
}

func TestAResumedUploadOfAnotherContentEndsWithTheRightOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, app.PolicyPatch{ChunkSize: pointer(int64(1 << 20))})
	c := s.client()
	data := noise(5<<20, 1)
	ctx, cancel := context.WithCancel(t.Context())
	in := upload(data, "x")
	in.Chunks = 1
	in.Progress = func(e client.Event) {
		if e.Confirmed >= 2<<20 {
			cancel()
		}
	}
	if _, err := c.Upload(ctx, in); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	other := bytes.Clone(data)
	other[0] ^= 1
	if out, err := c.Upload(t.Context(), upload(other, "x")); err != nil || !out.Verified {
		t.Fatalf("%+v, %v", out, err)
	}
	var back bytes.Buffer
	if _, err := c.Download(t.Context(), client.DownloadInput{URI: wire.MyURI("x")}, &back); err != nil || !bytes.Equal(back.Bytes(), other) {
		t.Errorf("%d bytes came back, %v", back.Len(), err)
	}
}

// rough is a line that breaks at random: before a request is sent, within it,
// or before its answer is read.
type rough struct {
	next http.RoundTripper
	mu   sync.Mutex
	rnd  *rand.Rand

	acked map[string]bool
	again []string
}

var errRough = errors.New("the line broke")

func (r *rough) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	dice, at := r.rnd.IntN(12), r.rnd.Int64N(1<<20)
	isChunk := q.Method == http.MethodPost && strings.Contains(q.URL.Path, "/file/upload/")
	if isChunk && r.acked[q.URL.Path] {
		r.again = append(r.again, q.URL.Path)
	}
	r.mu.Unlock()
	switch {
	case dice == 0:
		if q.Body != nil {
			_ = q.Body.Close()
		}
		return nil, errRough
	case dice == 1 && q.Body != nil && isChunk:
		q = q.Clone(q.Context())
		q.Body, q.GetBody = &short{q.Body, at}, nil
	}
	resp, err := r.next.RoundTrip(q)
	if err != nil {
		return nil, err
	}
	if dice == 2 && !strings.Contains(q.URL.Path, "/content/") {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return nil, errRough
	}
	if strings.Contains(q.URL.Path, "/content/") && dice < 6 {
		resp.Body = &short{resp.Body, at}
	}
	if isChunk {
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.acked[q.URL.Path] = r.acked[q.URL.Path] || bytes.HasPrefix(text, []byte(`{"code":0,`))
		r.mu.Unlock()
		resp.Body = io.NopCloser(bytes.NewReader(text))
	}
	return resp, nil
}

// short breaks off after so many bytes.
type short struct {
	io.ReadCloser
	left int64
}

func (s *short) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errRough
	}
	n, err := s.ReadCloser.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}

// hasty sleeps a hundredth of what it is asked to.
type hasty struct{}

func (hasty) Now() time.Time { return time.Now() }

func (hasty) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d / 100):
		return nil
	}
}

func TestARoughLineChangesNothingOverManyFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, app.PolicyPatch{ChunkSize: pointer(int64(256 << 10))})
	seed := seed(t)
	line := &rough{next: client.NewTransport(), rnd: rand.New(rand.NewPCG(seed, 2)), acked: map[string]bool{}}
	c := s.client()
	onRough := roughly(t, s, line)
	r := rand.New(rand.NewPCG(seed, 3))
	for i := range 20 {
		data := noise(r.IntN(3<<20), uint64(i))
		name := string(rune('a' + i))
		if out, err := onRough.Upload(t.Context(), upload(data, "r", name)); err != nil {
			t.Fatalf("%s: %+v, %v", name, out, err)
		}
		var back bytes.Buffer
		if _, err := c.Download(t.Context(), client.DownloadInput{URI: wire.MyURI("r", name)}, &back); err != nil || !bytes.Equal(back.Bytes(), data) {
			t.Errorf("%s: the server has %d bytes, sent were %d, %v", name, back.Len(), len(data), err)
		}
		local := filepath.Join(t.TempDir(), name)
		if _, err := onRough.DownloadFile(t.Context(), local, client.DownloadInput{URI: wire.MyURI("r", name)}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(local); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes came back, %v", name, len(got), err)
		}
	}
	for _, path := range line.again {
		t.Errorf("%s was sent again after it had been acknowledged", path)
	}
	if open, err := c.Uploads(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("%d uploads are unfinished, %v", len(open), err)
	}
}

// roughly is a client on a rough line, its signing in included.
func roughly(t *testing.T, s *site, line *rough) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{
		BaseURL: s.a.URL(), Clock: hasty{}, HTTPClient: &http.Client{Transport: line},
		Credentials: func(context.Context) (client.Credentials, error) {
			return client.Credentials{Email: s.config.AdminEmail, Password: s.config.AdminPassword.Reveal()}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
