package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/batch"
	"github.com/wharfinger/wharfinger/test/rig"
)

// manyFiles are n files of up to 8 KiB whose content follows from their number.
func manyFiles(n int, seed uint64, version bool) (iter.Seq[batch.File], func(i int) []byte) {
	content := func(i int) []byte {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		b := make([]byte, r.IntN(8<<10))
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		return b
	}
	return func(yield func(batch.File) bool) {
		for i := range n {
			f := batch.File{
				URI: fmt.Sprintf("cloudreve://my/many/%d/%d.bin", i%17, i), Size: int64(len(content(i))), Version: version,
				Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content(i))), nil },
			}
			if !yield(f) {
				return
			}
		}
	}, content
}

func batchClient(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{BaseURL: url, Credentials: func(context.Context) (client.Credentials, error) {
		return client.Credentials{Email: rig.AdminEmail, Password: rig.AdminPassword}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func checkMany(t *testing.T, api *rig.API, n int, content func(int) []byte) {
	t.Helper()
	var size int64
	for i := range n {
		want := content(i)
		size += int64(len(want))
		sum := sha256.Sum256(want)
		got, err := api.Sum(fmt.Sprintf("cloudreve://my/many/%d/%d.bin", i%17, i))
		if err != nil || got != hex.EncodeToString(sum[:]) {
			t.Fatalf("file %d: %v, SHA-256 %s", i, err, got)
		}
	}
	if used, reserved := api.Capacity(); used != size || reserved != 0 {
		t.Errorf("the ledger says %d used and %d reserved, the files have %d bytes", used, reserved, size)
	}
}

// TestABatchSurvivesKill9 sends many small files while the server is killed again and
// again. Each file is reported once and is there with its bytes; what was acknowledged
// before a kill is there after it.
func TestABatchSurvivesKill9(t *testing.T) {
	long(t)
	const n, kills = 3000, 6
	srv := rig.NewServer(t)
	srv.Start()
	files, content := manyFiles(n, seed(t), false)
	reported, same, results := 0, 0, map[string]int{}
	err := batch.Put(t.Context(), batch.Options{Client: batchClient(t, srv.URL())}, files, func(r batch.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File.URI, r.Err)
		}
		if r.Same {
			same++
		}
		results[r.File.URI]++
		if reported++; reported%(n/(kills+1)) == 0 && srv.Kills() < kills {
			srv.Bounce(10 * time.Millisecond)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != n || reported != n {
		t.Errorf("%d results of %d files, want %d", reported, len(results), n)
	}
	if srv.Kills() != kills {
		t.Errorf("%d kills, want %d", srv.Kills(), kills)
	}
	t.Logf("%d kills; %d files were stored before their answer was lost", srv.Kills(), same)
	srv.Kill()
	srv.Start()
	checkMany(t, rig.NewAPI(t, srv.URL()), n, content)
}

// TestABatchFindsTheLimitOfAProxy sends through a proxy that keeps requests back until
// it has all of them and takes only small ones.
func TestABatchFindsTheLimitOfAProxy(t *testing.T) {
	long(t)
	const n, limit = 600, 300 << 10
	srv := rig.NewServer(t)
	srv.Start()
	target, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	var refused, passed atomic.Int64
	to := httputil.NewSingleHostReverseProxy(target)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if err != nil {
			refused.Add(1)
			http.Error(w, "<html>413", http.StatusRequestEntityTooLarge)
			return
		}
		passed.Add(1)
		r.Body = io.NopCloser(bytes.NewReader(body))
		to.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	files, content := manyFiles(n, seed(t), true)
	err = batch.Put(t.Context(), batch.Options{Client: batchClient(t, proxy.URL)}, files, func(r batch.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File.URI, r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests were too large, %d went through", refused.Load(), passed.Load())
	if refused.Load() == 0 || refused.Load() > 4 {
		t.Errorf("%d requests were too large", refused.Load())
	}
	checkMany(t, rig.NewAPI(t, srv.URL()), n, content)
}

// TestABatchSaysWhenTheServerKnowsNone tells an older server from a failure.
func TestABatchSaysWhenTheServerKnowsNone(t *testing.T) {
	long(t)
	srv := rig.NewServer(t)
	srv.Start()
	target, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	to := httputil.NewSingleHostReverseProxy(target)
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v4/file/batch" {
			http.Error(w, "404 page not found", http.StatusNotFound)
			return
		}
		to.ServeHTTP(w, r)
	}))
	defer old.Close()
	files, _ := manyFiles(3, 1, false)
	err = batch.Put(t.Context(), batch.Options{Client: batchClient(t, old.URL)}, files, func(batch.Result) { t.Error("a result") })
	if !errors.Is(err, batch.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}
