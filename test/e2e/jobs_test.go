package e2e_test

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/client/batch"
	"github.com/wharfinger/wharfinger/test/rig"
)

// open returns how many tasks have not ended.
func open(api *rig.API) (n int) {
	var page struct {
		Tasks []struct{ Status string }
	}
	api.Call(http.MethodGet, "/workflow?page_size=100", nil, &page)
	for _, task := range page.Tasks {
		switch task.Status {
		case "completed", "error", "canceled":
		default:
			n++
		}
	}
	return n
}

// TestLargeCopiesAndDeletionsGoOnAfterKill9 kills the server while it copies a tree, and
// again while it removes the copy. What was begun is finished by the next process: the
// copy is whole or was never begun, and the ledger says the same as the files.
func TestLargeCopiesAndDeletionsGoOnAfterKill9(t *testing.T) {
	long(t)
	const n, rounds = 3000, 6
	srv := rig.NewServer(t)
	srv.Start()
	files, _ := manyFiles(n, seed(t), false)
	err := batch.Put(t.Context(), batch.Options{Client: batchClient(t, srv.URL())}, files, func(r batch.Result) {
		if r.Err != nil {
			t.Errorf("%s: %v", r.File.URI, r.Err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	api := rig.NewAPI(t, srv.URL())
	size, _ := api.Capacity()
	api.Call(http.MethodPost, "/file/create", map[string]string{"uri": "cloudreve://my/to", "type": "folder"}, nil)

	interrupted := 0
	// during kills the server at some moment of a request, whose answer may be lost.
	during := func(method, path string, in any) {
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_ = api.Try(method, path, in, nil)
		}()
		time.Sleep(time.Duration(20+rand.IntN(250)) * time.Millisecond)
		srv.Kill()
		<-sent
		srv.Start()
		if open(api) > 0 {
			interrupted++
		}
		for end := time.Now().Add(2 * time.Minute); open(api) > 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the work does not end")
			}
		}
	}
	holds := func(what string, copies int64) {
		if used, reserved := api.Capacity(); used != copies*size || reserved != 0 {
			t.Errorf("after %s: %d used and %d reserved, want %d times %d", what, used, reserved, copies, size)
		}
	}
	for range rounds {
		during(http.MethodPost, "/file/move", map[string]any{"uris": []string{"cloudreve://my/many"}, "dst": "cloudreve://my/to", "copy": true})
		if len(api.List("cloudreve://my/to")) == 0 {
			holds("a copy that was never begun", 1)
			continue
		}
		holds("a copy", 2)
		gone := map[string]any{"uris": []string{"cloudreve://my/to/many"}, "skip_soft_delete": true}
		during(http.MethodDelete, "/file", gone)
		if len(api.List("cloudreve://my/to")) > 0 { // it was killed before it was begun
			api.Call(http.MethodDelete, "/file", gone, nil)
			for open(api) > 0 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		holds("a deletion", 1)
	}
	if interrupted == 0 {
		t.Error("no work was under way at any kill: this proves nothing")
	}
	t.Logf("%d kills, %d of them in the middle of work", srv.Kills(), interrupted)
}
