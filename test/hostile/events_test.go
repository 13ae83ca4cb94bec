package hostile_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Ids of clients.
const (
	mine   = "8f8a7f0e-9c52-4d1e-9a51-0f8f3f5f6f10"
	theirs = "1b0e9d54-62a7-4cf0-8d3c-6a7c7f0f2e11"
)

// listen opens the stream of a folder; the answer ends with the test.
func (w *world) listen(token, uri, client string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/api/v4/file/events?uri="+url.QueryEscape(uri), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("X-Cr-Client-Id", client)
	resp, err := w.http.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// events reads a stream: name and data of each event.
func events(t *testing.T, body io.Reader) (next func() (string, string)) {
	t.Helper()
	lines := bufio.NewScanner(body)
	return func() (name, data string) {
		for lines.Scan() {
			switch line := lines.Text(); {
			case line == "" && name != "":
				return name, data
			case strings.HasPrefix(line, "event:"):
				name = strings.TrimPrefix(line, "event:")
			case strings.HasPrefix(line, "data:"):
				data = strings.TrimPrefix(line, "data:")
			}
		}
		return "end", ""
	}
}

func TestASecondWindowLearnsOfWhatTheFirstDoes(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.must(admin, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/d/in", "type": "folder"}, nil)
	resp := w.listen(w.tokens[admin], "cloudreve://my/d", mine)
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream;charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	next := events(t, resp.Body)
	if name, data := next(); name != "subscribed" || data != "<nil>" {
		t.Fatalf("it begins with %q %q", name, data)
	}
	expect := func(want ...string) {
		t.Helper()
		name, data := next()
		for _, part := range want {
			if name != "event" || !strings.Contains(data, part) {
				t.Errorf("heard %s %s, want %s", name, data, part)
			}
		}
	}
	w.put(admin, "cloudreve://my/elsewhere/secret", "x")
	w.put(bob, "cloudreve://my/d/bobs", "x")
	w.put(admin, "cloudreve://my/d/in/a.txt", "hello")
	expect(`"type":"create"`, `"from":"/in/a.txt","to":"/in/a.txt"`)
	w.must(admin, "POST", "/file/rename", map[string]any{"uri": "cloudreve://my/d/in/a.txt", "new_name": "b.txt"}, nil)
	expect(`"type":"rename"`, `"from":"/in/a.txt","to":"/in/b.txt"`)
	w.must(admin, "POST", "/file/move", map[string]any{"uris": []string{"cloudreve://my/d/in/b.txt"}, "dst": "cloudreve://my/elsewhere"}, nil)
	expect(`"type":"delete"`, `"from":"/in/b.txt"`)
	w.must(admin, "DELETE", "/file", map[string]any{"uris": []string{"cloudreve://my/d/in"}}, nil)
	expect(`"type":"delete"`, `"from":"/in","to":"/in"`)
	w.must(admin, "POST", "/file/rename", map[string]any{"uri": "cloudreve://my/d", "new_name": "e"}, nil)
	if name, _ := next(); name != "reconnect-required" {
		t.Errorf("after the folder itself moved: %s", name)
	}
	if name, _ := next(); name != "end" {
		t.Errorf("then: %s", name)
	}
}

// TestAWindowIsNotToldOfWhatItDoesItself in any way that files change; others are, also
// another user's that calls itself the same.
func TestAWindowIsNotToldOfWhatItDoesItself(t *testing.T) {
	t.Parallel()
	w := open(t)
	own := events(t, w.listen(w.tokens[admin], "cloudreve://my", mine).Body)
	other := events(t, w.listen(w.tokens[admin], "cloudreve://my", theirs).Body)
	own()
	other()

	w.client = mine
	session := w.begin(admin, "cloudreve://my/sent.txt", 2)
	if r := w.send(sent{who: admin, method: "POST", path: "/file/upload/" + session + "/0", body: strings.NewReader("ab")}); r.code != 0 {
		t.Fatal(r.body)
	}
	w.put(admin, "cloudreve://my/put.txt", "x")
	w.must(admin, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/d", "type": "folder"}, nil)
	w.must(admin, "POST", "/file/rename", map[string]any{"uri": "cloudreve://my/put.txt", "new_name": "named.txt"}, nil)
	w.must(admin, "POST", "/file/move", map[string]any{"uris": []string{"cloudreve://my/named.txt"}, "dst": "cloudreve://my/d", "copy": true}, nil)
	w.must(admin, "DELETE", "/file", map[string]any{"uris": []string{"cloudreve://my/d"}}, nil)
	heard := ""
	for !strings.Contains(heard, `"type":"delete"`) {
		_, data := other()
		heard += data
	}
	for _, part := range []string{"/sent.txt", "/put.txt", "/named.txt", "/d/named.txt"} {
		if !strings.Contains(heard, part) {
			t.Errorf("the other window heard nothing of %s: %s", part, heard)
		}
	}
	w.must(bob, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/bobs", "type": "folder"}, nil)

	w.client = theirs
	w.put(admin, "cloudreve://my/theirs.txt", "x")
	w.client = strings.Repeat("x", 4096) // nobody's
	w.put(admin, "cloudreve://my/long.txt", "x")
	w.client = ""
	w.put(admin, "cloudreve://my/nameless.txt", "x")
	heard = ""
	for !strings.Contains(heard, "nameless.txt") {
		_, data := own()
		heard += data
	}
	if !strings.Contains(heard, "theirs.txt") || !strings.Contains(heard, "long.txt") || strings.Count(heard, `"type"`) != 3 {
		t.Errorf("the window heard %s", heard)
	}
}

func TestAStreamOfEventsEndsWithTheSignIn(t *testing.T) {
	t.Parallel()
	w := open(t)
	next := events(t, w.listen(w.tokens[bob], "cloudreve://my", mine).Body)
	next()
	w.signIn(bob) // and from this device all others are signed out
	w.must(bob, "PATCH", "/user/setting", map[string]any{"current_password": password, "new_password": password + "2"}, nil)
	w.put(bob, "cloudreve://my/after", "x")
	if name, data := next(); name != "end" {
		t.Errorf("a sign-in that has ended heard %s %s", name, data)
	}
}

func TestListenersDoNotKeepAServerFromStopping(t *testing.T) {
	t.Parallel()
	w := open(t)
	next := events(t, w.listen(w.tokens[admin], "cloudreve://my", mine).Body)
	next()
	began := time.Now()
	w.stop()
	if name, _ := next(); name != "reconnect-required" {
		t.Errorf("it ended with %s", name)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the server took %v to stop", took)
	}
}
