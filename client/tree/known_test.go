package tree_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/tree"
)

var noon = time.Date(2024, 5, 6, 12, 0, 0, 123_000_000, time.UTC)

// drive answers listings and counts them by folder.
type drive struct {
	mu      sync.Mutex
	folders map[string][]wire.File
	asked   map[string]int
}

func (d *drive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	uri := strings.TrimSuffix(r.URL.Query().Get("uri"), "/")
	d.asked[uri]++
	files, ok := d.folders[uri]
	var reply any = wire.OK(wire.FileList{Files: files, Pagination: wire.Pagination{IsCursor: true}})
	if !ok {
		reply = wire.Refuse(wire.CodePathNotFound, "Path not exist", nil)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply)
}

// signedIn is a token that lives long enough.
type signedIn struct{}

func (signedIn) Load(context.Context) (wire.Token, error) {
	until := time.Now().Add(time.Hour)
	return wire.Token{AccessToken: "a", AccessExpires: until, RefreshToken: "r", RefreshExpires: until}, nil
}

func (s signedIn) Update(ctx context.Context, _ func(wire.Token) (wire.Token, error)) (wire.Token, error) {
	return s.Load(ctx)
}

func open(t *testing.T, folders map[string][]wire.File) (*drive, *tree.Known) {
	t.Helper()
	d := &drive{folders: folders, asked: map[string]int{}}
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	cl, err := client.New(client.Options{BaseURL: srv.URL, Tokens: signedIn{}})
	if err != nil {
		t.Fatal(err)
	}
	return d, tree.New(cl)
}

func file(name string, change func(*wire.File)) wire.File {
	f := wire.File{Name: name, Type: wire.IsFile, Size: 3, UpdatedAt: noon, PrimaryEntity: "e"}
	if change != nil {
		change(&f)
	}
	return f
}

func TestAFileIsThereOnlyIfNothingSpeaksAgainstIt(t *testing.T) {
	t.Parallel()
	_, k := open(t, map[string][]wire.File{"cloudreve://my": {
		file("same", nil),
		file("other size", func(f *wire.File) { f.Size++ }),
		file("other time", func(f *wire.File) { f.UpdatedAt = f.UpdatedAt.Add(time.Millisecond) }),
		file("finer time", func(f *wire.File) { f.UpdatedAt = f.UpdatedAt.Add(time.Microsecond) }),
		file("folder", func(f *wire.File) { f.Type = wire.IsFolder }),
		file("unfinished", func(f *wire.File) { f.Metadata = map[string]string{"sys:upload_session_id": "x"} }),
		file("damaged", func(f *wire.File) { f.Damaged = true }),
	}})
	for name, want := range map[string]bool{
		"same": true, "finer time": true, "other size": false, "other time": false, "folder": false, "unfinished": false, "damaged": false, "none": false, "SAME": false,
	} {
		if got := k.Has(t.Context(), wire.MyURI(name), tree.File{Size: 3, Modified: noon}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name, f := range map[string]tree.File{"no time": {Size: 3}, "before 1970": {Size: 3, Modified: time.Unix(-1, 0)}} {
		if k.Has(t.Context(), wire.MyURI("same"), f) {
			t.Errorf("a file with %s is taken for the same", name)
		}
	}
}

func TestEachFolderIsAskedForOnceAndNoneBelowAMissingOne(t *testing.T) {
	t.Parallel()
	d, k := open(t, map[string][]wire.File{
		"cloudreve://my/a":   {file("x", nil), file("b", func(f *wire.File) { f.Type = wire.IsFolder })},
		"cloudreve://my/a/b": {file("x", nil)},
	})
	for range 3 {
		for _, path := range [][]string{{"a", "x"}, {"a", "b", "x"}, {"a", "none", "x"}, {"a", "none", "below", "x"}} {
			want := path[1] != "none"
			if got := k.Has(t.Context(), wire.MyURI(path...), tree.File{Size: 3, Modified: noon}); got != want {
				t.Errorf("%v: %v, want %v", path, got, want)
			}
		}
	}
	want := map[string]int{"cloudreve://my/a": 1, "cloudreve://my/a/b": 1}
	if fmt.Sprint(d.asked) != fmt.Sprint(want) {
		t.Errorf("asked %v, want %v", d.asked, want)
	}
}
