package batch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/batch"
	"github.com/wharfinger/wharfinger/test/fake"
)

func setup(t *testing.T) (*fake.Server, *client.Client) {
	t.Helper()
	srv := fake.New(t)
	c, err := client.New(client.Options{BaseURL: srv.URL, Credentials: func(context.Context) (client.Credentials, error) {
		return client.Credentials{Email: fake.Email, Password: fake.Password}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return srv, c
}

func content(i, size int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, size/2) }

// files are n of one size. opened counts those that were read.
func files(n, size int, opened *atomic.Int64) iter.Seq[batch.File] {
	return func(yield func(batch.File) bool) {
		for i := range n {
			f := batch.File{URI: fmt.Sprintf("cloudreve://my/d/%d", i), Size: int64(size), Open: func() (io.ReadCloser, error) {
				opened.Add(1)
				return io.NopCloser(bytes.NewReader(content(i, size))), nil
			}}
			if !yield(f) {
				return
			}
		}
	}
}

// put sends files and fails the test unless each has one result, and is there.
func put(t *testing.T, srv *fake.Server, o batch.Options, n, size int) (same int) {
	t.Helper()
	seen := map[string]int{}
	err := batch.Put(t.Context(), o, files(n, size, new(atomic.Int64)), func(r batch.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File.URI, r.Err)
		}
		if r.Same {
			same++
			if !r.Again {
				t.Errorf("%s is the same, and was sent for the first time", r.File.URI)
			}
		}
		seen[r.File.URI]++
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if seen[fmt.Sprintf("cloudreve://my/d/%d", i)] != 1 {
			t.Errorf("file %d has %d results", i, seen[fmt.Sprintf("cloudreve://my/d/%d", i)])
		}
		if data, _, _ := srv.Data(fmt.Sprintf("d/%d", i)); !bytes.Equal(data, content(i, size)) {
			t.Fatalf("file %d has %d other bytes", i, len(data))
		}
	}
	return same
}

func isBatch(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/file/batch") }

func TestRequestsGrowFromBelowAMebibyteToTheMost(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	var lengths []int64
	srv.Break(func(r *http.Request) fake.Fault {
		if isBatch(r) {
			lengths = append(lengths, r.ContentLength) // one at a time
		}
		return fake.Fault{}
	})
	put(t, srv, batch.Options{Client: c, Most: 2 << 20}, 100, 64<<10)
	if len(lengths) < 3 || lengths[0] > 1<<20 || lengths[1] < 1<<20 {
		t.Errorf("lengths %v", lengths)
	}
	for i, n := range lengths {
		if n > 2<<20 || n < 512<<10 && i < len(lengths)-1 {
			t.Errorf("request %d has %d bytes", i, n)
		}
	}
}

func TestA413HalvesRequestsAndNoFileIsLost(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	const limit = 200 << 10
	refused := 0
	srv.Break(func(r *http.Request) (f fake.Fault) {
		if isBatch(r) && r.ContentLength > limit {
			refused++
			f.Status = http.StatusRequestEntityTooLarge
		}
		return f
	})
	put(t, srv, batch.Options{Client: c, Waiting: func(err error, _ time.Duration) { t.Errorf("it waited: %v", err) }}, 300, 4<<10)
	if refused == 0 || refused > 4 {
		t.Errorf("%d requests were too large; it must learn, and remember", refused)
	}
}

func TestALimitBelowAllItCanDoEndsAtOnce(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	tries := 0
	srv.Break(func(r *http.Request) (f fake.Fault) {
		if isBatch(r) {
			tries++
			f.Status = http.StatusRequestEntityTooLarge
		}
		return f
	})
	err := batch.Put(t.Context(), batch.Options{Client: c}, files(300, 4<<10, new(atomic.Int64)), func(batch.Result) { t.Error("a result") })
	if !client.IsTooLarge(err) || tries > 6 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

func TestOnlyFilesWithoutAnAnswerAreSentAgain(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	var lengths []int64
	srv.Break(func(r *http.Request) (f fake.Fault) {
		if isBatch(r) {
			if lengths = append(lengths, r.ContentLength); len(lengths) == 1 {
				f.SendOnly = 2000 // some lines, and part of one
			}
		}
		return f
	})
	const n = 50
	same := put(t, srv, batch.Options{Client: c}, n, 4<<10)
	if same == 0 || same == n {
		t.Errorf("%d of %d files were sent twice", same, n)
	}
	var second int64
	for _, l := range lengths[1:] {
		second += l
	}
	if second >= lengths[0] {
		t.Errorf("requests of %v bytes: what was answered was sent again", lengths)
	}
}

func TestItGivesUpInTheEndAndSaysWhy(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	srv.Break(func(r *http.Request) (f fake.Fault) {
		if isBatch(r) {
			f.Status = http.StatusBadGateway
		}
		return f
	})
	waits := 0
	err := batch.Put(t.Context(), batch.Options{Client: c, GiveUpAfter: time.Nanosecond, Waiting: func(error, time.Duration) { waits++ }},
		files(3, 10, new(atomic.Int64)), func(batch.Result) { t.Error("a result") })
	if !client.IsRetryable(err) || waits > 1 {
		t.Errorf("%v after %d waits", err, waits)
	}
}

func TestAnOlderServerIsToldFromAFailure(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	srv.Break(func(r *http.Request) (f fake.Fault) {
		if isBatch(r) {
			f.Status = http.StatusNotFound
		}
		return f
	})
	err := batch.Put(t.Context(), batch.Options{Client: c}, files(3, 10, new(atomic.Int64)), func(batch.Result) { t.Error("a result") })
	if !errors.Is(err, batch.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestNoMoreIsReadThanOneRequestTakes(t *testing.T) {
	t.Parallel()
	srv, c := setup(t)
	var opened, stored atomic.Int64
	const most, size = 1 << 20, 64 << 10
	srv.Break(func(r *http.Request) fake.Fault {
		if ahead := (opened.Load() - stored.Load()) * size; isBatch(r) && ahead > most+batch.MaxFile {
			t.Errorf("%d bytes are in memory", ahead)
		}
		return fake.Fault{}
	})
	err := batch.Put(t.Context(), batch.Options{Client: c, Most: most}, files(200, size, &opened), func(batch.Result) { stored.Add(1) })
	if err != nil || stored.Load() != 200 {
		t.Errorf("%d files, %v", stored.Load(), err)
	}
}

func TestAFileThatCannotBeReadFailsAlone(t *testing.T) {
	t.Parallel()
	_, c := setup(t)
	broken := errors.New("broken")
	results := map[string]error{}
	err := batch.Put(t.Context(), batch.Options{Client: c}, func(yield func(batch.File) bool) {
		for name, f := range map[string]batch.File{
			"good":    {Size: 2, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("ab")), nil }},
			"shorter": {Size: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("ab")), nil }},
			"longer":  {Size: 1, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("ab")), nil }},
			"broken":  {Size: 2, Open: func() (io.ReadCloser, error) { return nil, broken }},
			"large":   {Size: batch.MaxFile + 1},
		} {
			if f.URI = "cloudreve://my/" + name; !yield(f) {
				return
			}
		}
	}, func(r batch.Result) { results[strings.TrimPrefix(r.File.URI, "cloudreve://my/")] = r.Err })
	if err != nil || results["good"] != nil || len(results) != 5 {
		t.Fatalf("%v, %v", err, results)
	}
	if !errors.Is(results["shorter"], client.ErrSourceChanged) || !errors.Is(results["longer"], client.ErrSourceChanged) ||
		!errors.Is(results["broken"], broken) || results["large"] == nil {
		t.Errorf("%v", results)
	}
}
