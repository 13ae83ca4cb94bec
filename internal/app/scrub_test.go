package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
)

// scrubbed is what one scrub of a ward did.
type scrubbed struct {
	found []catalog.Finding
	slept time.Duration
}

// scrub runs until the pass is over, or until stop says so of a finding.
func (w *ward) scrub(b *Base, stop func(catalog.Finding) bool) (did scrubbed) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	err := b.catalog.Scrub(ctx, catalog.ScrubOptions{
		Every: 30 * 24 * time.Hour,
		Load:  func(ctx context.Context) (string, error) { return b.store.Site(ctx, scrubKey) },
		Save:  func(ctx context.Context, place string) error { return b.store.SetSite(ctx, scrubKey, place) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			if d > 24*time.Hour { // until the next pass
				cancel()
				return ctx.Err()
			}
			did.slept += d
			return nil
		},
		Found: func(f catalog.Finding) {
			did.found = append(did.found, f)
			if stop != nil && stop(f) {
				cancel()
			}
		},
		Failed: func(err error) { w.Error(err) },
	})
	must(w, err)
	return did
}

func paths(found []catalog.Finding) (out []string) {
	for _, f := range found {
		out = append(out, f.Path)
	}
	return out
}

func TestTheScrubberFindsEachDamagedContentAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWard(t, 100)
	w.flip("/f3", 0)
	w.flip("/f77", 1000)
	did := w.scrub(w.base, nil)
	if !slices.Equal(paths(did.found), []string{"/f3", "/f77"}) {
		t.Fatalf("%+v", did.found)
	}
	for path, want := range map[string]bool{"/f3": true, "/f77": true, "/f4": false} {
		if got := w.version(path).Damage != ""; got != want {
			t.Errorf("%s: damaged %v, want %v", path, got, want)
		}
	}
}

func TestTheScrubberGoesOnWhereItWasAfterARestart(t *testing.T) {
	t.Parallel()
	w := newWard(t, 30)
	w.flip("/f5", 1)
	w.flip("/f20", 1)
	did := w.scrub(w.open(), func(f catalog.Finding) bool { return f.Path == "/f5" })
	if !slices.Equal(paths(did.found), []string{"/f5"}) {
		t.Fatalf("%+v", did.found)
	}
	if did = w.scrub(w.open(), nil); !slices.Equal(paths(did.found), []string{"/f20"}) {
		t.Fatalf("%+v", did.found)
	}
	if did = w.scrub(w.open(), nil); len(did.found) != 0 {
		t.Fatalf("a pass that is done was done again: %+v", did.found)
	}
}

func TestTheScrubberReadsAtABoundedRate(t *testing.T) {
	t.Parallel()
	w := newWard(t, 0)
	w.put("/big", make([]byte, 8<<20))
	did := w.scrub(w.base, nil)
	// 8 MiB in 30 days: the slowest rate, 1 MiB a second.
	if len(did.found) != 0 || did.slept < 7*time.Second || did.slept > 9*time.Second {
		t.Fatalf("slept %v, found %+v", did.slept, did.found)
	}
}

func TestADamagedFileIsListedAndToldAndAnswers404(t *testing.T) {
	t.Parallel()
	w := newWard(t, 2)
	a, err := Open(t.Context(), Config{Data: w.dir, Listen: "127.0.0.1:0", Clock: later})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx) }()
	defer func() {
		stop()
		must(t, <-served)
		must(t, a.Close())
	}()
	var token string
	call := func(method, path, body string) (status int, answer string) {
		t.Helper()
		url := path
		if !strings.HasPrefix(path, "http") {
			url = a.URL() + "/api/v4" + path
		}
		q, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
		must(t, err)
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		}
		r, err := http.DefaultClient.Do(q)
		must(t, err)
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		must(t, err)
		return r.StatusCode, string(text)
	}
	var login struct {
		Data struct {
			Token struct {
				AccessToken string `json:"access_token"`
			} `json:"token"`
		} `json:"data"`
	}
	_, text := call("POST", "/session/token", `{"email":"a@example.test","password":"correct horse battery"}`)
	must(t, json.Unmarshal([]byte(text), &login))
	if token = login.Data.Token.AccessToken; token == "" {
		t.Fatal(text)
	}
	content := func(i int) (int, string) {
		var urls struct {
			Data struct {
				URLs []struct {
					URL string `json:"url"`
				} `json:"urls"`
			} `json:"data"`
		}
		_, text := call("POST", "/file/url", fmt.Sprintf(`{"uris":["cloudreve://my/f%d"]}`, i))
		must(t, json.Unmarshal([]byte(text), &urls))
		if len(urls.Data.URLs) != 1 {
			t.Fatal(text)
		}
		return call("GET", urls.Data.URLs[0].URL, "")
	}
	w.flip("/f0", 3)
	w.scrub(w.base, nil)
	if status, body := content(0); status != 404 || strings.TrimSpace(body) != "Entity data does not exist." {
		t.Errorf("damaged: %d %.50q", status, body)
	}
	if status, body := content(1); status != 200 || body != string(bytes.Repeat([]byte{1}, ownFile+1)) {
		t.Errorf("sound: %d %.50q", status, body)
	}
	if _, list := call("GET", "/file?uri=cloudreve%3A%2F%2Fmy", ""); !strings.Contains(list, `"f0"`) {
		t.Errorf("not listed: %s", list)
	}
	if _, info := call("GET", "/file/info?uri=cloudreve%3A%2F%2Fmy%2Ff0&extended=true", ""); !strings.Contains(info, `"damaged":true`) {
		t.Errorf("not told: %s", info)
	}
}
