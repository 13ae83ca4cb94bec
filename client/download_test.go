package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/test/fake"
)

// fetch downloads /x to a name in a new folder and compares.
func (b *bench) fetch(data []byte, in client.DownloadInput) (client.Downloaded, string) {
	b.t.Helper()
	name := filepath.Join(b.t.TempDir(), "x")
	out, err := b.c.DownloadFile(b.t.Context(), name, in)
	if err != nil {
		b.t.Fatal(err)
	}
	sameFile(b.t, name, data)
	return out, name
}

func sameFile(t testing.TB, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has other bytes than the server (%d, want %d)", name, len(got), len(want))
	}
}

// alone fails the test if there is anything but the named file in its folder.
func alone(t testing.TB, name string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != filepath.Base(name) {
			t.Errorf("%s is left over", e.Name())
		}
	}
}

var x = client.DownloadInput{URI: wire.MyURI("x")}

func TestADownloadHasTheBytesAndTheTime(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 300<<10 + 7} {
		b := newBench(t)
		data := randomBytes(size, 1)
		b.Put("x", data, modified)
		out, name := b.fetch(data, x)
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if !st.ModTime().Equal(modified) || !out.Verified || out.Outcome != client.Sent || out.Received != int64(size) {
			t.Errorf("time %v, %+v", st.ModTime(), out)
		}
		alone(t, name)
	}
}

func TestADownloadGoesOnAfterEachBreak(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fake.Fault{
		"cut before":      {Cut: true},
		"cut within":      {SendOnly: 100_000},
		"bad gateway":     {Status: http.StatusBadGateway},
		"address too old": {Code: wire.CodeSignatureExpired},
		"storage failed":  {Code: wire.CodeIOFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			data := randomBytes(1<<20, 2)
			b.Put("x", data, modified)
			choose := nth(contents, map[int]fake.Fault{1: f, 2: f, 4: {SendOnly: 300_000}})
			var ranges atomic.Int64
			b.Break(func(r *http.Request) fake.Fault {
				if contents(r) && r.Header.Get("Range") != "" && r.Header.Get("If-Range") != "" {
					ranges.Add(1)
				}
				return choose(r)
			})
			out, _ := b.fetch(data, x)
			if f.SendOnly > 0 && ranges.Load() == 0 {
				t.Error("the whole content was asked for again")
			}
			if out.Received != int64(len(data)) {
				t.Errorf("%d bytes came for a file of %d", out.Received, len(data))
			}
		})
	}
}

func TestAnInterruptedDownloadIsContinuedByTheNextOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(1<<20, 3)
	b.Put("x", data, modified)
	b.Break(nth(contents, map[int]fake.Fault{1: {SendOnly: 600_000}}))
	name := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancel(t.Context())
	in := x
	in.Progress = func(e client.Event) {
		if e.Kind == client.EventRetry {
			cancel()
		}
	}
	if _, err := b.c.DownloadFile(ctx, name, in); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted one says %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Error("an unfinished download has its final name")
	}
	out, err := b.c.DownloadFile(t.Context(), name, x)
	if err != nil {
		t.Fatal(err)
	}
	sameFile(t, name, data)
	alone(t, name)
	if out.Resumed == 0 || out.Resumed+out.Received != int64(len(data)) {
		t.Errorf("%+v", out)
	}
}

func TestADamagedPartIsFoundOutAndFetchedAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	data := randomBytes(1<<20, 4)
	b.Put("x", data, modified)
	b.Break(nth(contents, map[int]fake.Fault{1: {SendOnly: 600_000}}))
	name := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancel(t.Context())
	in := x
	in.Progress = func(e client.Event) {
		if e.Kind == client.EventRetry {
			cancel()
		}
	}
	_, _ = b.c.DownloadFile(ctx, name, in)
	parts, err := filepath.Glob(filepath.Join(filepath.Dir(name), ".wharf-*.part"))
	if err != nil || len(parts) != 1 {
		t.Fatalf("%v, %v", parts, err)
	}
	f, err := os.OpenFile(parts[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte{data[5] ^ 1}, 5)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.c.DownloadFile(t.Context(), name, x); err != nil {
		t.Fatal(err)
	}
	sameFile(t, name, data)
}

func TestAContentThatComesWrongTwiceIsNeverGivenItsName(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("x", randomBytes(1000, 5), modified)
	b.Break(func(r *http.Request) fake.Fault { return fake.Fault{Flip: contents(r)} })
	name := filepath.Join(t.TempDir(), "x")
	if _, err := b.c.DownloadFile(t.Context(), name, x); !errors.Is(err, client.ErrDigest) {
		t.Errorf("says %v", err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(name)); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	var w bytes.Buffer
	if _, err := b.c.Download(t.Context(), x, &w); !errors.Is(err, client.ErrDigest) {
		t.Errorf("to a writer: %v", err)
	}
}

func TestALocalFileInTheWayOfADownload(t *testing.T) {
	t.Parallel()
	old, data := []byte("old"), randomBytes(1000, 6)
	for _, k := range []struct {
		on      client.Conflict
		have    []byte
		outcome client.Outcome
		exists  bool
		first   []byte // what x has afterwards
		second  []byte // what "x (1)" has; nil: is not there
	}{
		{client.Fail, old, "", true, old, nil},
		{client.Fail, data, client.Unchanged, false, data, nil},
		{client.Overwrite, old, client.Sent, false, data, nil},
		{client.Rename, old, client.Sent, false, old, data},
		{client.Skip, old, client.Skipped, false, old, nil},
	} {
		t.Run(fmt.Sprint(k.on, " ", len(k.have)), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Put("x", data, modified)
			name := filepath.Join(t.TempDir(), "x")
			if err := os.WriteFile(name, k.have, 0o600); err != nil {
				t.Fatal(err)
			}
			in := x
			in.OnConflict = k.on
			out, err := b.c.DownloadFile(t.Context(), name, in)
			if client.IsExists(err) != k.exists || err != nil && !k.exists || out.Outcome != k.outcome {
				t.Errorf("%q, %v", out.Outcome, err)
			}
			sameFile(t, name, k.first)
			if k.second != nil {
				sameFile(t, name+" (1)", k.second)
			}
		})
	}
}

func TestADownloadCannotLeaveItsRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("x", []byte("bytes"), modified)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(dir, "in", "up")); err != nil {
		t.Skip(err)
	}
	root, err := os.OpenRoot(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range []string{"../x", "up/x", "/x"} {
		in := x
		in.Root = root
		if _, err := b.c.DownloadFile(t.Context(), name, in); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "x")); err == nil {
		t.Error("a file appeared outside")
	}
}

func TestATokenIsNotSentToTheAddressOfAContent(t *testing.T) {
	t.Parallel()
	b := newBench(t) // the fake refuses contents to requests with a token
	b.Put("x", []byte("bytes"), modified)
	b.fetch([]byte("bytes"), x)
}

func TestTokensAreRefreshedBeforeTheyEndAndOncePerRound(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.c.Capacity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.Count("POST session/token"); n != 1 {
		t.Errorf("a fresh token was replaced: %d calls", n)
	}
	_ = b.Sleep(t.Context(), 51*time.Minute) // nine are left of sixty
	if _, err := b.c.Capacity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.Count("POST session/token"); n != 2 {
		t.Errorf("%d calls for tokens, want 2", n)
	}
	_ = b.Sleep(t.Context(), time.Minute)
	if _, err := b.c.Capacity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := b.Count("POST session/token"); n != 2 {
		t.Errorf("%d calls for tokens after another minute, want 2", n)
	}
}

func TestShortLivedTokensAreNotRefreshedBeforeEachCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.TokenLife = time.Minute
	b.signIn(b.c)
	before := b.Count("POST session/token")
	for range 10 {
		if _, err := b.c.Capacity(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Count("POST session/token"); n != before {
		t.Errorf("%d refreshes in no time", n-before)
	}
}

func TestManyGoroutinesWithADeadTokenRefreshOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ForgetAccess()
	errs := make(chan error)
	for range 32 {
		go func() {
			_, err := b.c.Capacity(t.Context())
			errs <- err
		}()
	}
	for range 32 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := b.Count("POST session/token"); n != 2 {
		t.Errorf("%d calls for tokens, want the signing in and one refresh", n)
	}
}

func TestWithoutARefreshTokenTheCredentialsSignInAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var asked atomic.Int64
	c := b.client(func(o *client.Options) {
		o.Credentials = func(context.Context) (client.Credentials, error) {
			asked.Add(1)
			return client.Credentials{Email: fake.Email, Password: fake.Password}, nil
		}
	})
	for range 2 {
		if _, err := c.Capacity(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.ForgetTokens()
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times, want 2", asked.Load())
	}
	b.ForgetTokens()
	if _, err := b.c.Capacity(t.Context()); !client.IsAuth(err) {
		t.Errorf("without credentials: %v", err)
	}
	if _, err := b.client().Capacity(t.Context()); !client.IsAuth(err) {
		t.Errorf("never signed in: %v", err)
	}
}

func TestListYieldsEveryPageAndStopsWhenAsked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for i := range 25 {
		b.Put(fmt.Sprintf("d/%02d", i), nil, modified)
	}
	n := 0
	for f, err := range b.c.List(t.Context(), wire.MyURI("d"), client.ListOptions{PageSize: 10}) {
		if err != nil || f.Name != fmt.Sprintf("%02d", n) {
			t.Fatalf("%d: %q, %v", n, f.Name, err)
		}
		n++
	}
	if n != 25 {
		t.Errorf("%d files, want 25", n)
	}
	before := b.Count("GET file")
	for _, err := range b.c.List(t.Context(), wire.MyURI("d"), client.ListOptions{PageSize: 10}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if got := b.Count("GET file") - before; got != 1 {
		t.Errorf("%d pages were asked for one file", got)
	}
	for _, err := range b.c.List(t.Context(), wire.MyURI("no"), client.ListOptions{}) {
		if !client.IsNotFound(err) {
			t.Errorf("says %v", err)
		}
	}
}

func TestFailuresCarryTheIDOfTheRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, err := b.c.Stat(t.Context(), wire.MyURI("no"))
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.CorrelationID == "" || e.Code != wire.CodePathNotFound {
		t.Errorf("says %#v", err)
	}
	b.Break(func(*http.Request) fake.Fault { return fake.Fault{Cut: true} })
	_, err = b.c.Stat(t.Context(), wire.MyURI("no"))
	if e, ok := errors.AsType[*client.Error](err); !ok || e.CorrelationID == "" || !client.IsRetryable(err) {
		t.Errorf("without an answer: %#v", err)
	}
}

func TestRemoveTellsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Put("a", nil, modified)
	if err := b.c.Remove(t.Context(), wire.MyURI("no")); !client.IsNotFound(err) {
		t.Errorf("one that is not there: %v", err)
	}
	err := b.c.Remove(t.Context(), wire.MyURI("no"), wire.MyURI("a"))
	if e, ok := errors.AsType[*client.Error](err); !ok || len(e.Items) != 1 {
		t.Errorf("one of two: %v", err)
	}
	if _, _, ok := b.Data("a"); ok {
		t.Error("the other one is still there")
	}
	b.Put("a", nil, modified)
	b.Break(nth(func(r *http.Request) bool { return r.Method == http.MethodDelete }, map[int]fake.Fault{1: {LoseAnswer: true}}))
	if err := b.c.Remove(t.Context(), wire.MyURI("a")); err != nil {
		t.Errorf("after a lost answer: %v", err)
	}
}

func TestAddressesOfSites(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.example":      "https://a.example",
		"https://a.example/":     "https://a.example",
		"http://a:1/sub/api/v4/": "http://a:1/sub",
		"ftp://a":                "",
		"a.example":              "",
		"https://u:p@a.example":  "",
		"https://a.example/?x=1": "",
		"":                       "",
	} {
		c, err := client.New(client.Options{BaseURL: in})
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is accepted", in)
		case want != "" && (err != nil || c.Site() != want):
			t.Errorf("%q: %v", in, err)
		}
	}
}
