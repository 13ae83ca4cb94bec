package hostile_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/app"
)

// TestUploadsAreTheirOwnersAlone is P11, H22 and H67: six actors, every verb of a
// session, in each state that a session can be in. Nothing is allowed.
func TestUploadsAreTheirOwnersAlone(t *testing.T) {
	t.Parallel()
	w := open(t)
	fresh := w.begin(admin, "cloudreve://my/fresh", 3)
	begun := w.begin(admin, "cloudreve://my/begun", 30<<20)
	if r := w.send(sent{who: admin, method: "POST", path: "/file/upload/" + begun + "/1", body: strings.NewReader(strings.Repeat("x", 5<<20))}); r.code != 0 {
		t.Log("the policy has other chunks than expected: ", r.body) // the session is open all the same
	}
	done := w.begin(admin, "cloudreve://my/done", 3)
	if r := w.send(sent{who: admin, method: "POST", path: "/file/upload/" + done + "/0", body: strings.NewReader("abc")}); r.code != 0 {
		t.Fatal(r.body)
	}
	canceled := w.begin(admin, "cloudreve://my/canceled", 3)
	w.must(admin, "DELETE", "/file/upload", map[string]any{"id": canceled, "uri": "cloudreve://my/canceled"}, nil)
	w.put(bob, "cloudreve://my/fresh", "bob's own")

	var me struct{ ID string }
	w.must(admin, "GET", "/user/me", nil, &me)
	var login struct {
		Token struct {
			RefreshToken string `json:"refresh_token"`
		}
	}
	w.must("", "POST", "/session/token", map[string]string{"email": admin, "password": password}, &login)
	link := w.link("cloudreve://my/done")
	check := w.unchanged()

	token := w.tokens[admin]
	dot := strings.LastIndexByte(token, '.')
	actors := map[string]map[string]string{
		"nobody":               {},
		"another user":         {"Authorization": "Bearer " + w.tokens[bob]},
		"a changed token":      {"Authorization": "Bearer " + token[:dot-1] + "x" + token[dot:]},
		"no signature":         {"Authorization": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(token, ".")[1] + "."},
		"the refresh token":    {"Authorization": "Bearer " + login.Token.RefreshToken},
		"a node's signature":   {"Authorization": "Bearer Cr " + token[dot+1:] + ":9999999999"},
		"a token of 20 KB":     {"Authorization": "Bearer " + strings.Repeat("a", 20_000)},
		"a link of a download": {"Authorization": "Bearer " + link[strings.Index(link, "sign=")+5:]},
		"basic":                {"Authorization": "Basic YWRtaW46YWRtaW4="},
		"two tokens":           {"Authorization": "Bearer " + w.tokens[bob] + ", Bearer " + token},
	}
	var cells int
	for who, header := range actors {
		for state, s := range map[string]struct{ id, uri string }{
			"fresh": {fresh, "fresh"}, "begun": {begun, "begun"}, "done": {done, "done"}, "canceled": {canceled, "canceled"}, "unknown": {"0c3f1a52-6f1e-4d0e-9a51-1b2c3d4e5f60", "none"},
		} {
			for verb, r := range map[string]sent{
				"send":   {method: "POST", path: "/file/upload/" + s.id + "/0", body: strings.NewReader("abc")},
				"resend": {method: "POST", path: "/file/upload/" + s.id + "/1", body: strings.NewReader("abc")},
				"show":   {method: "GET", path: "/file/upload/" + s.id},
				"cancel": {method: "DELETE", path: "/file/upload", body: strings.NewReader(`{"id":"` + s.id + `","uri":"cloudreve://` + me.ID + `@my/` + s.uri + `"}`)},
				"begin":  {method: "PUT", path: "/file/upload", body: strings.NewReader(`{"entity_type":"version","size":3,"uri":"cloudreve://` + me.ID + `@my/` + s.uri + `"}`)},
				"over":   {method: "PUT", path: "/file/content?uri=cloudreve://" + me.ID + "@my/" + s.uri, body: strings.NewReader("abc")},
				"delete": {method: "DELETE", path: "/file", body: strings.NewReader(`{"uris":["cloudreve://` + me.ID + `@my/` + s.uri + `"]}`)},
				"info":   {method: "GET", path: "/file/info?uri=cloudreve://" + me.ID + "@my/" + s.uri},
			} {
				r.header = header
				cells++
				got := w.send(r)
				if got.code == 0 || got.code < -499 {
					t.Errorf("%s may %s an upload that is %s: %s", who, verb, state, got.body)
				}
				if (verb == "send" || verb == "show") && who == "another user" && got.code != 40011 {
					t.Errorf("%s learns of an upload that is %s: %s", who, state, got.body)
				}
			}
		}
	}
	// The session of one with the file of another.
	want(t, "mixed cancel", w.call(bob, "DELETE", "/file/upload", map[string]any{"id": begun, "uri": "cloudreve://my/fresh"}), 404)
	check()
	if cells < 200 {
		t.Errorf("only %d cells", cells)
	}
}

// TestEveryAnswerHasItsHeaders is the linter of the headers (H38, H69, H70): each
// route of the table, with and without a token, refused or not, and the page.
func TestEveryAnswerHasItsHeaders(t *testing.T) {
	t.Parallel()
	w := open(t)
	fill := strings.NewReplacer("{sessionId}", "x", "{index}", "0", "{entity}", "x", "{speed}", "0", "{name}", "x", "{id}", "x", "{section}", "basic", "{archiveId}", "x")
	api := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "private, no-cache",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy": "same-origin",
	}
	page := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Security-Policy": "default-src 'self'; script-src 'self';",
	}
	lint := func(what string, r reply, fields map[string]string) {
		t.Helper()
		for k, v := range fields {
			if !strings.HasPrefix(r.header.Get(k), v) {
				t.Errorf("%s (HTTP %d): %s is %q, want %q", what, r.status, k, r.header.Get(k), v)
			}
		}
		for _, k := range []string{"Server", "X-Powered-By", "Set-Cookie", "Access-Control-Allow-Credentials"} {
			if v := r.header.Get(k); v != "" {
				t.Errorf("%s: %s: %s", what, k, v)
			}
		}
	}
	for _, route := range app.Routes() {
		for _, who := range []string{"", admin} {
			r := w.send(sent{who: who, method: route.Method, path: fill.Replace(route.Path)})
			lint(route.Method+" "+route.Path, r, api)
			kind := r.header.Get("Content-Type")
			if r.body != "" && r.code > -300 && kind != "application/json; charset=utf-8" {
				t.Errorf("%s %s is sent as %q", route.Method, route.Path, kind)
			}
		}
	}
	for _, path := range []string{"/", "/setup", "/home?path=x", "/assets/none.js", "/theme.js", "/../../etc/passwd", "/%2e%2e/wharf.db", "/.keep", "/healthz"} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := w.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		fields := page
		if path == "/healthz" || resp.StatusCode >= 300 && resp.StatusCode < 400 {
			fields = map[string]string{"X-Content-Type-Options": "nosniff"}
		}
		lint(path, reply{status: resp.StatusCode, header: resp.Header}, fields)
	}
	for _, path := range []string{"/docs", "/docs.js", "/nothing", "/file/nothing"} {
		lint(path, w.send(sent{method: "GET", path: path}), map[string]string{"X-Content-Type-Options": "nosniff"})
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"} {
		if r := w.send(sent{method: method, path: "//index.html"}); r.status < 300 {
			t.Errorf("%s of the page: HTTP %d", method, r.status)
		}
	}
}

// TestGuessesAreBoundedOverTheWire is H61 and H62.
func TestGuessesAreBoundedOverTheWire(t *testing.T) {
	t.Parallel()
	w := open(t)
	for what, p := range map[string]string{"short": "abc", "10 MB": "", "129": strings.Repeat("x", 129)} {
		body := `{"email":"` + bob + `","password":"` + p + `"}`
		if what == "10 MB" {
			body = strings.Repeat(" ", 10<<20)
		}
		want(t, what, w.call("", "POST", "/session/token", body), 40001)
	}
	unknown := w.call("", "POST", "/session/token", map[string]string{"email": "nobody@h.test", "password": "wrong password"})
	for i := range 10 {
		r := w.call("", "POST", "/session/token", map[string]string{"email": bob, "password": "wrong password"})
		want(t, "guess", r, 40080)
		if i == 0 && strings.Split(r.body, "correlation")[0] != strings.Split(unknown.body, "correlation")[0] {
			t.Errorf("who exists is told: %s and %s", r.body, unknown.body)
		}
	}
	want(t, "the 11th, right", w.call("", "POST", "/session/token", map[string]string{"email": bob, "password": password}), 403)
	for _, email := range []string{"", "a", "a@b\x00c", "<a@b>", strings.Repeat("a", 1000) + "@b", "a@b\r\nBcc: c@d"} {
		r := w.call("", "POST", "/session/token", map[string]string{"email": email, "password": password})
		want(t, "e-mail "+email, r, 40001, 40080)
	}
	for _, token := range []string{"", "x", w.tokens[admin], strings.Repeat("a", 1<<19)} {
		want(t, "refresh", w.call("", "POST", "/session/token/refresh", map[string]string{"refresh_token": token}), 40020, 40001)
	}
}
