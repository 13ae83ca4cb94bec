package hostile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// raw writes bytes to the server and returns the status of the answer, 0 for a
// closed connection, and whether the connection is closed afterwards.
func (w *world) raw(text string) (status int, answer string, closed bool) {
	w.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(conn, text) // the server may have closed already
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, "", true
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
	_, err = r.ReadByte()
	var late net.Error
	return resp.StatusCode, string(body), err != nil && !(errors.As(err, &late) && late.Timeout())
}

// TestFramingAttacks is H19 and H30: two readers of one connection must never
// disagree on where a request ends.
func TestFramingAttacks(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.begin(admin, "cloudreve://my/f", 3)
	check := w.unchanged()
	head := "POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.tokens[admin] + "\r\n"
	second := "GET /api/v4/site/ping HTTP/1.1\r\nHost: x\r\n\r\n"
	for what, c := range map[string]struct {
		rest     string
		statuses []int
	}{
		"two lengths":            {"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", []int{400}},
		"length with sign":       {"Content-Length: +3\r\n\r\nabc", []int{400}},
		"length with space":      {"Content-Length: 3 3\r\n\r\nabc", []int{400}},
		"length below zero":      {"Content-Length: -3\r\n\r\nabc", []int{400}},
		"length 2^63":            {"Content-Length: 9223372036854775808\r\n\r\nabc", []int{400}},
		"length list":            {"Content-Length: 3, 4\r\n\r\nabc", []int{400}},
		"chunked, identity":      {"Transfer-Encoding: chunked, identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n", []int{400, 501}},
		"identity":               {"Transfer-Encoding: identity\r\n\r\nabc", []int{400, 501}},
		"chunked twice":          {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", []int{400, 501}},
		"chunked with tab":       {"Transfer-Encoding: \x0bchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", []int{400, 501}},
		"space before colon":     {"Content-Length : 3\r\n\r\nabc", []int{400}},
		"NUL in header":          {"X: a\x00b\r\nContent-Length: 3\r\n\r\nabc", []int{400}},
		"bare CR":                {"X: a\rContent-Length: 3\r\n\r\n", []int{400}},
		"two hosts":              {"Host: y\r\nContent-Length: 3\r\n\r\nabc", []int{400}},
		"bare LF in chunk":       {"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", []int{200, 400}},
		"chunk of 2^64":          {"Transfer-Encoding: chunked\r\nX-Expected-Entity-Length: 3\r\n\r\n10000000000000000\r\nabc\r\n0\r\n\r\n", []int{200, 400}},
		"chunk below zero":       {"Transfer-Encoding: chunked\r\nX-Expected-Entity-Length: 3\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", []int{200, 400}},
		"chunk extension of 1MB": {"Transfer-Encoding: chunked\r\nX-Expected-Entity-Length: 3\r\n\r\n3;" + strings.Repeat("a", 1<<20) + "\r\nabc\r\n0\r\n\r\n", []int{0, 200, 400}},
		"length and chunked":     {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second, []int{200, 400}},
		"gzip, chunked":          {"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", []int{400, 501}},
		"headers of 64 KiB":      {"X: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", []int{431}},
		"expects something":      {"Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc", []int{417}},
		"not HTTP":               {"\x16\x03\x01\x00\r\n\r\n", []int{400}},
		"no host":                {"", nil},
	} {
		text := head + c.rest
		if what == "no host" {
			text, c.statuses = "GET /api/v4/site/ping HTTP/1.1\r\n\r\n", []int{400}
		}
		status, answer, closed := w.raw(text)
		ok := false
		for _, s := range c.statuses {
			ok = ok || s == status
		}
		if !ok {
			t.Errorf("%s: HTTP %d, want %v: %s", what, status, c.statuses, answer)
		}
		if strings.Contains(answer, `"code":0`) {
			t.Errorf("%s: succeeded: %s", what, answer)
		}
		if !closed {
			t.Errorf("%s: the connection lives on", what)
		}
	}
	check()
}

// TestBodiesAreNotReadBeforeTheCallerIsKnown: a sender that waits for permission
// is refused without it.
func TestBodiesAreNotReadBeforeTheCallerIsKnown(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.begin(admin, "cloudreve://my/f", 3)
	check := w.unchanged()
	mine := "Authorization: Bearer " + w.tokens[admin] + "\r\n"
	for what, c := range map[string]struct{ request, code string }{
		"chunk of nobody":      {"POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\nContent-Length: 3\r\n", "40011"},
		"chunk, bad token":     {"POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 3\r\n", "401"},
		"chunk of another":     {"POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\nAuthorization: Bearer " + w.tokens[bob] + "\r\nContent-Length: 3\r\n", "40011"},
		"chunk, wrong length":  {"POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\n" + mine + "Content-Length: 314572800\r\n", "40013"},
		"chunk, wrong index":   {"POST /api/v4/file/upload/" + id + "/7 HTTP/1.1\r\n" + mine + "Content-Length: 3\r\n", "40012"},
		"content of nobody":    {"PUT /api/v4/file/content?uri=cloudreve://my/a HTTP/1.1\r\nContent-Length: 3\r\n", "401"},
		"content, too large":   {"PUT /api/v4/file/content?uri=cloudreve://my/a HTTP/1.1\r\n" + mine + "Content-Length: 314572800\r\n", "40049"},
		"content, bad address": {"PUT /api/v4/file/content?uri=x HTTP/1.1\r\n" + mine + "Content-Length: 3\r\n", "40001"},
		"JSON, too large":      {"PUT /api/v4/file/upload HTTP/1.1\r\nContent-Length: 1048577\r\n", "40001"},
		"locks of nobody":      {"DELETE /api/v4/file/lock HTTP/1.1\r\nContent-Length: 3\r\n", "401"},
		"gzip":                 {"PUT /api/v4/file/upload HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n", "40001"},
	} {
		status, answer, closed := w.raw(c.request + "Host: x\r\nExpect: 100-continue\r\n\r\n")
		if status == http.StatusContinue || !strings.Contains(answer, `"code":`+c.code+",") {
			t.Errorf("%s: HTTP %d %s, want code %s and no body asked for", what, status, answer, c.code)
		}
		if !closed {
			t.Errorf("%s: the connection lives on, with a body that may still come", what)
		}
	}
	check()
}

// TestSlowSendersGoAndLeaveNothing is a part of H28: a thousand connections that
// stand still in their header or body hold nothing after they are gone, and others
// are served meanwhile. The deadlines themselves are tested in internal/door/rest
// with a clock that is moved.
func TestSlowSendersGoAndLeaveNothing(t *testing.T) {
	w := open(t)
	id := w.begin(admin, "cloudreve://my/f", 1<<20)
	before := descriptors(t)
	check := w.unchanged()
	var conns []net.Conn
	for i := range 1000 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, conn)
		text := "POST /api/v4/file/upload/" + id + "/0 HTTP/1.1\r\nHost: x\r\n"
		switch i % 3 {
		case 1: // in the body of somebody unknown
			text += "Content-Length: 1048576\r\n\r\na"
		case 2: // in JSON
			text = "POST /api/v4/session/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	want(t, "meanwhile", w.call(admin, "GET", "/file?uri=cloudreve://my", nil), 0)
	want(t, "the chunk itself", w.send(sent{who: bob, method: "PUT", path: "/file/content?uri=cloudreve://my/b", body: strings.NewReader("b")}), 0)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("others waited %v", took)
	}
	want(t, "gone again", w.call(bob, "DELETE", "/file", map[string]any{"uris": []string{"cloudreve://my/b"}}), 0)
	for _, c := range conns {
		_ = c.Close()
	}
	settles(t, "descriptors", before+20, func() int { return descriptors(t) })
	_ = check // the blob of b is unlinked by the sweep, later
	want(t, "the upload is open", w.call(admin, "GET", "/file/upload/"+id, nil), 0)
}

// TestRanges is H32.
func TestRanges(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/r.txt", "0123456789")
	link := w.link("cloudreve://my/r.txt")
	many := "bytes=" + strings.TrimSuffix(strings.Repeat("0-0,", 1000), ",")
	for _, c := range []struct {
		ranges string
		status int
		body   string
	}{
		{"bytes=0-1", 206, "01"},
		{"bytes=-2", 206, "89"},
		{"bytes=9-", 206, "9"},
		{"bytes=10-", 416, ""},
		{many, 200, "0123456789"},
		{"bytes=-0", 200, "0123456789"},
		{"bytes=0-1,-0", 200, "0123456789"},
		{"bytes=0-9223372036854775807", 206, "0123456789"},
		{"bytes=9223372036854775808-", 416, ""},
		{"bytes=-9223372036854775807", 206, "0123456789"},
		{"bytes=5-2", 416, ""},
		{"bytes=--1", 416, ""},
		{"bytes=0-9,0-9,0-9,0-9", 200, "0123456789"},
		{"lines=1-2", 416, ""},
		{"bytes", 416, ""},
	} {
		r := w.send(sent{method: "GET", path: link, header: map[string]string{"Range": c.ranges}})
		if r.status != c.status || c.body != "" && r.body != c.body {
			t.Errorf("%.40s: HTTP %d %q, want %d %q", c.ranges, r.status, r.body, c.status, c.body)
		}
	}
}

// link is the path of an address that opens a file.
func (w *world) link(uri string) string {
	w.t.Helper()
	var urls struct{ URLs []struct{ URL string } }
	w.must(admin, "POST", "/file/url", map[string]any{"uris": []string{uri}}, &urls)
	return strings.TrimPrefix(urls.URLs[0].URL, w.url)
}

// TestActiveContentsAreSavedAndNotShown is H33, H34, H37 and H38.
func TestActiveContentsAreSavedAndNotShown(t *testing.T) {
	t.Parallel()
	w := open(t)
	for i, name := range []string{
		"x.html", "x.svg", "x.xhtml", "x.xml", "x.mhtml", "x.pdf", "x.swf", "x.htc", "x", "x.png.html", "x.HTML", "x.js", "x.gif;.html",
		"quote'.bin", "a;b=c.bin", "%25.bin", "ёж.bin", "x.png",
	} {
		uri := "cloudreve://my/" + strings.ReplaceAll(name, "%25", "%2525")
		r := w.send(sent{
			who: admin, method: "PUT", path: "/file/content?uri=" + strings.ReplaceAll(strings.ReplaceAll(uri, "%", "%25"), ";", "%3B"),
			body: strings.NewReader("GIF89a<script>alert(1)</script>"), header: map[string]string{"Content-Type": "text/html"},
		})
		want(t, name, r, 0)
		link := w.link(uri)
		r = w.send(sent{method: "GET", path: link})
		if got := r.header.Get("Content-Disposition"); name != "x.png" && !strings.HasPrefix(got, "attachment; ") {
			t.Errorf("%d %s: %q", i, name, got)
		}
		if kind := r.header.Get("Content-Type"); kind != "application/octet-stream" && kind != "image/png" {
			t.Errorf("%s is sent as %s", name, kind)
		}
		for field, has := range map[string]string{
			"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff", "Cache-Control": "private", "X-Robots-Tag": "noindex", "Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(r.header.Get(field), has) {
				t.Errorf("%s: %s is %q", name, field, r.header.Get(field))
			}
		}
		for _, forged := range []string{strings.Replace(link, "sign=", "sign=x", 1), link + "&download=true", strings.Replace(link, "/0/", "/0/y", 1), strings.Split(link, "?")[0]} {
			if r := w.send(sent{method: "GET", path: forged}); strings.Contains(r.body, "GIF89a") {
				t.Errorf("%s opens the file", forged)
			}
		}
	}
}

// TestForgedHostsAndOrigins is H31, H68, H69 and H71.
func TestForgedHostsAndOrigins(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/f", "f")
	for _, host := range []string{"evil.test/x", "evil.test?", "a b", "evil\"onload=", "user@evil.test", "evil.test#", "<x>"} {
		status, answer, _ := w.raw("POST /api/v4/file/url HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\nAuthorization: Bearer " + w.tokens[admin] +
			"\r\nContent-Length: 32\r\n\r\n" + fmt.Sprintf("%-32s", `{"uris":["cloudreve://my/f"]}`))
		if status == 200 && !strings.Contains(answer, "http://localhost/") {
			t.Errorf("Host %s: %s", host, answer)
		}
	}
	r := w.send(sent{
		who: admin, method: "POST", path: "/file/url", body: strings.NewReader(`{"uris":["cloudreve://my/f"]}`),
		header: map[string]string{"X-Forwarded-Host": "evil.test", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.test"},
	})
	if strings.Contains(r.body, "evil") || strings.Contains(r.body, "https://") {
		t.Errorf("forwarded headers of anybody are believed: %s", r.body)
	}
	for _, origin := range []string{"null", "https://evil.test", w.url + ".evil.test"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := w.send(sent{who: admin, method: method, path: "/file?uri=cloudreve://my", header: map[string]string{"Origin": origin, "Access-Control-Request-Method": "GET"}})
			if got := r.header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("%s of %s is allowed: %q", method, origin, got)
			}
		}
		if r := w.send(sent{method: "GET", path: w.link("cloudreve://my/f"), header: map[string]string{"Origin": origin}}); r.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials are allowed")
		}
	}
	for _, path := range []string{"//evil.test/..", "//evil.test//", "/api/v4//evil.test/.."} {
		if l := w.send(sent{method: "GET", path: path}).header.Get("Location"); strings.HasPrefix(l, "//") || strings.Contains(l, ":") || strings.Contains(l, `\`) {
			t.Errorf("%s leads to %s", path, l)
		}
	}
	if r := w.send(sent{method: "POST", path: "/file/create", body: strings.NewReader(`{"uri":"cloudreve://my/c","type":"folder"}`), header: map[string]string{"Cookie": "token=" + w.tokens[admin], "Content-Type": "text/plain"}}); r.code != 401 {
		t.Errorf("a cookie signs in: %s", r.body)
	}
}

// TestLogsHoldNoSecretsAndNoForgedLines is H72.
func TestLogsHoldNoSecretsAndNoForgedLines(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/f", "f")
	link := w.link("cloudreve://my/f")
	w.send(sent{method: "GET", path: link})
	w.send(sent{method: "GET", path: strings.Replace(link, "sign=", "sign=bad", 1)})
	w.call(admin, "POST", "/session/token", map[string]string{"email": admin, "password": "a wrong secret of mine"})
	w.call(admin, "PUT", "/file/upload", map[string]any{"uri": "cloudreve://id:share-secret@share/%zz", "size": 1})
	w.call(admin, "PUT", "/file/upload", map[string]any{"uri": "cloudreve://id:share-secret@share/a", "size": 1})
	w.call(admin, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/a%0A%7B%22forged%22%3A1%7D", "type": "folder"})
	w.call("", "POST", "/session/token/refresh", map[string]string{"refresh_token": "secret-refresh"})
	w.raw("GET /api/v4/site/ping%1B%0A HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: a\x1b[31m\r\n\r\n")
	log := w.log.String()
	sign := link[strings.Index(link, "sign=")+5:]
	for what, secret := range map[string]string{
		"password": password, "wrong password": "a wrong secret of mine", "access token": w.tokens[admin], "signature": sign[:12],
		"share password": "share-secret", "refresh token": "secret-refresh", "escape": "\x1b",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, `{"time":`) {
			t.Errorf("a line of the log was forged: %s", line)
		}
	}
}
