package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// TestTheProxySeesChunksThatAreSentAgain shows that the witness of the kill tests can
// testify against a client: a repeat after success is told, a repeat after a cut line
// or a refusal is not.
func TestTheProxySeesChunksThatAreSentAgain(t *testing.T) {
	t.Parallel()

	var calls atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/1") && calls.Add(1) == 1:
			panic(http.ErrAbortHandler)
		case strings.HasSuffix(r.URL.Path, "/2") && calls.Add(1) == 3:
			fmt.Fprint(w, `{"code":50004,"msg":"Failed to upload file"}`)
		default:
			fmt.Fprint(w, `{"code":0,"msg":""}`)
		}
	}))
	defer srv.Close()

	line := newProxy(t, srv.URL)
	var happened atomic.Bool
	line.at(5, func() { happened.Store(true) })
	post := func(index int) error {
		resp, err := http.Post(fmt.Sprintf("%s/api/v4/file/upload/s/%d", line.url, index), "", strings.NewReader("1234")) //nolint:noctx // a test
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
	must := func(index int) {
		t.Helper()
		if err := post(index); err != nil {
			t.Fatal(err)
		}
	}

	must(0)
	if happened.Load() {
		t.Error("an event planned for byte 5 happened before it")
	}
	if err := post(1); err == nil {
		t.Error("the proxy made up an answer for a cut connection")
	}
	must(1) // the first was not answered: no repeat
	must(2)
	must(2) // the first was refused: no repeat
	if again := line.sentAgain(); len(again) != 0 {
		t.Errorf("nothing was sent again after its success, but: %v", again)
	}
	if !happened.Load() || line.pending() != 0 {
		t.Error("the planned event did not happen")
	}

	must(0) // acknowledged before
	if again := line.sentAgain(); len(again) != 1 || !strings.Contains(again[0], "chunk s/0") {
		t.Errorf("chunk 0 was sent again after its success, but: %v", again)
	}
	if acknowledged, posts, passed := line.totals(); acknowledged != 3 || posts != 6 || passed != 24 {
		t.Errorf("totals are %d acknowledged, %d POSTs, %d bytes; want 3, 6, 24", acknowledged, posts, passed)
	}
}
