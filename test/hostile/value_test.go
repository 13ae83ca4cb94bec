package hostile_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestHostileNamesAreRefusedAndNothingIsStored is H1 to H8, H12 to H15.
func TestHostileNamesAreRefusedAndNothingIsStored(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.put(admin, "cloudreve://my/kept.txt", "kept")
	check := w.unchanged()

	for what, name := range map[string]string{
		"H3 NUL": "a%00b", "H4 LF": "a%0Ab", "H4 TAB": "a%09b", "H4 ESC": "a%1Bb", "H4 DEL": "a%7Fb", "H4 C1": "a%C2%9Bb",
		"H5 CRLF": "a%0D%0ASet-Cookie%3A%20x", "H6 RLO": "a%E2%80%AEb", "H6 LRM": "a%E2%80%8Eb", "H6 FSI": "a%E2%81%A8b",
		"H8 FF": "a%FFb", "H8 surrogate": "a%ED%A0%80b", "H8 overlong slash": "a%C0%AFb", "H12 dot": "a.", "H12 space": "a%20",
		"H12 dots": "...", "H13 stream": "f.txt%3A%3A%24DATA", "H13 colon": "a%3Ab", "H2 backslash": "..%5C..%5Cb", "H2 pipe": "a%7Cb",
		"H14 256 bytes": strings.Repeat("a", 256), "H14 code points": strings.Repeat("%F0%9F%98%80", 255), "H16 tag": "%3Cimg%20src%3Dx%3E",
		"H14 long folder": strings.Repeat("a", 256) + "/b",
	} {
		uri := "cloudreve://my/" + name
		want(t, what+" create", w.call(admin, "PUT", "/file/upload", map[string]any{"uri": uri, "size": 1}), 40052)
		want(t, what+" folder", w.call(admin, "POST", "/file/create", map[string]any{"uri": uri, "type": "folder"}), 40052)
		want(t, what+" content", w.send(sent{who: admin, method: "PUT", path: "/file/content?uri=" + url.QueryEscape(uri), body: strings.NewReader("x")}), 40052)
		want(t, what+" list", w.call(admin, "GET", "/file?uri="+url.QueryEscape(uri), nil), 40016)
		want(t, what+" info", w.call(admin, "GET", "/file/info?uri="+url.QueryEscape(uri), nil), 40016)
		want(t, what+" delete", w.call(admin, "DELETE", "/file", map[string]any{"uris": []string{uri}}), 40081)
		want(t, what+" cancel", w.call(admin, "DELETE", "/file/upload", map[string]any{"id": "x", "uri": uri}), 40016)
		plain, err := url.PathUnescape(name)
		if err != nil {
			t.Fatal(err)
		}
		want(t, what+" rename", w.call(admin, "POST", "/file/rename", map[string]any{"uri": "cloudreve://my/kept.txt", "new_name": plain}), 40052)
	}
	for _, name := range []string{".", "..", "../x", "a/b", `a\b`} {
		want(t, "H1 rename to "+name, w.call(admin, "POST", "/file/rename", map[string]any{"uri": "cloudreve://my/kept.txt", "new_name": name}), 40052)
	}
	want(t, "H8 lone surrogate", w.call(admin, "POST", "/file/rename", `{"uri":"cloudreve://my/kept.txt","new_name":"a\ud800b"}`), 40052)
	want(t, "rename to nothing", w.call(admin, "POST", "/file/rename", `{"uri":"cloudreve://my/kept.txt","new_name":""}`), 40001)
	check()
}

// TestPathsNeverLeaveTheirRoot is H1, H2 and P13: what is normalised lands inside.
func TestPathsNeverLeaveTheirRoot(t *testing.T) {
	t.Parallel()
	w := open(t)
	for raw, lands := range map[string]string{
		"cloudreve://my/../../one": "cloudreve://my/one", "cloudreve://my/a/../../../two": "cloudreve://my/two",
		"cloudreve://my/%2e%2e/three": "cloudreve://my/three", "cloudreve://my//four//": "cloudreve://my/four",
		"cloudreve://my/./five/.": "cloudreve://my/five", "cloudreve://my/%2e%2e%2fsix": "cloudreve://my/six",
		"cloudreve://my/%252e%252e%252fseven": "cloudreve://my/%252e%252e%252fseven",
	} {
		r := w.call(admin, "POST", "/file/create", map[string]any{"uri": raw, "type": "folder"})
		var f struct{ Path string }
		if err := json.Unmarshal(r.data, &f); err != nil || f.Path != lands {
			t.Errorf("%s is at %q, want %q: %s", raw, f.Path, lands, r.body)
		}
	}
}

// TestHostileURIs is H2 and H15.
func TestHostileURIs(t *testing.T) {
	t.Parallel()
	w := open(t)
	check := w.unchanged()
	for uri, code := range map[string]int{
		"":     40001,
		"/etc": 40001, "file:///etc/passwd": 40001, "http://my/a": 40001, "cloudreve:my/a": 40001, "cloudreve://": 40001,
		"cloudreve://my/%": 40001, "cloudreve://my/%zz": 40001, "cloudreve://my/\x00": 40001, "cloudreve://my:99999999/a": -1,
		"cloudreve://nowhere/a": -1, "cloudreve://share/a": 403, "cloudreve://shared_with_me": 403,
		"cloudreve://nobody@my/a": 40016, "cloudreve://" + strings.Repeat("a", 500) + "@my/a": 40016,
		"cloudreve://my/" + strings.Repeat("a/", 10_000):  40001,
		"cloudreve://my/" + strings.Repeat("b", 1<<20-99): 40001,
		"cloudreve://my/" + strings.Repeat("a/", 300):     40001,
	} {
		codes := []int{code, 40001}
		if strings.HasPrefix(uri, "cloudreve://share") {
			codes = append(codes, 404) // reading asks for a share of no id
		}
		body, _ := json.Marshal(map[string]any{"uri": uri, "size": 1})
		want(t, "create "+uri, w.call(admin, "PUT", "/file/upload", string(body)), codes...)
		want(t, "folder "+uri, w.call(admin, "POST", "/file/create", map[string]any{"uri": uri, "type": "folder"}), codes...)
		want(t, "view "+uri, w.call(admin, "PATCH", "/file/view", map[string]any{"uri": uri, "view": map[string]any{}}), codes...)
		want(t, "url "+uri, w.call(admin, "POST", "/file/url", map[string]any{"uris": []string{uri}}), codes...)
		if len(uri) < 16<<10 {
			want(t, "list "+uri, w.call(admin, "GET", "/file?uri="+url.QueryEscape(uri), nil), codes...)
			want(t, "content "+uri, w.send(sent{who: admin, method: "PUT", path: "/file/content?uri=" + url.QueryEscape(uri), body: strings.NewReader("x")}), codes...)
		}
	}
	trash := "cloudreve://trash/a"
	want(t, "upload to the trash", w.call(admin, "PUT", "/file/upload", map[string]any{"uri": trash, "size": 1}), 403)
	want(t, "folder in the trash", w.call(admin, "POST", "/file/create", map[string]any{"uri": trash, "type": "folder"}), 403)
	want(t, "view in the trash", w.call(admin, "PATCH", "/file/view", map[string]any{"uri": trash, "view": map[string]any{"gallery_width": 60}}), 403)
	want(t, "url of the trash", w.call(admin, "POST", "/file/url", map[string]any{"uris": []string{trash}}), 40081)
	want(t, "list in the trash", w.call(admin, "GET", "/file?uri="+url.QueryEscape(trash), nil), 40016)
	want(t, "1 MiB in a header", w.call(admin, "GET", "/file?uri="+strings.Repeat("a", 1<<20), nil), -431)
	check()
}

// TestHostileNumbers is H17: sizes, and P12.
func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	w := open(t)
	check := w.unchanged()
	for _, size := range []string{
		"-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e30", "1e400", "1.5", "1e2",
		`"10"`, "null", "true", "[]", "{}", "NaN", "Infinity", "0x10", "01", "+1", "", "-", "9007199254740993",
	} {
		want(t, "size "+size, w.call(admin, "PUT", "/file/upload", `{"uri":"cloudreve://my/n","size":`+size+`}`), 40001)
		want(t, "last_modified "+size, w.call(admin, "PUT", "/file/upload", `{"uri":"cloudreve://my/../..%00","size":0,"last_modified":`+size+`}`), 40001, 40052)
	}
	want(t, "over the quota", w.call(admin, "PUT", "/file/upload", `{"uri":"cloudreve://my/n","size":9007199254740992}`), 40051)
	want(t, "long s", w.call(admin, "PUT", "/file/upload", `{"uri":"cloudreve://my/n","ſize":null}`), 40001)
	want(t, "size twice", w.call(admin, "PUT", "/file/upload", `{"uri":"cloudreve://my/n","size":1,"ſize":2}`), 40001)
	check()
}

// TestHostileIndexesAndSessions is H18 and H23.
func TestHostileIndexesAndSessions(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.begin(admin, "cloudreve://my/f", 3)
	check := w.unchanged()
	for index, code := range map[string]int{
		"-1": 40001, "-0": 40001, "1": 40012, "2147483648": 40012, "17592186044416": 40012, "4611686018427387904": 40012,
		"9223372036854775807": 40012, "9223372036854775808": 40012, "99999999999999999999999": 40012, "-99999999999999999999999": 40001,
		"0x0": 40001, "1e3": 40001, "%201": 40001, "1%20": 40001, "+1": 40001, "%EF%BC%90": 40001, "1_0": 40001, "%00": 40001, "0%2F1": 40001, "a": 40001,
	} {
		want(t, "index "+index, w.send(sent{who: admin, method: "POST", path: "/file/upload/" + id + "/" + index, body: strings.NewReader("abc")}), code)
	}
	for what, session := range map[string]string{
		"dots": "%2e%2e%2f" + id[9:], "upper": strings.ToUpper(id), "SQL": "'%20OR%20'1'='1", "short": "x", "NUL": strings.Repeat("%00", 36),
		"not UTF-8": strings.Repeat("%FF", 36), "wild": "%25" + id[1:], "long": strings.Repeat("a", 20_000), "joined": id + "%2F0",
	} {
		if session == id { // a UUID without letters
			continue
		}
		want(t, "session "+what, w.send(sent{who: admin, method: "POST", path: "/file/upload/" + session + "/0", body: strings.NewReader("abc")}), 40011)
		want(t, "show "+what, w.call(admin, "GET", "/file/upload/"+session, nil), 40011)
	}
	want(t, "session of 1 MB", w.call(admin, "GET", "/file/upload/"+strings.Repeat("a", 1<<20), nil), -431)
	want(t, "trailing slash", w.send(sent{who: admin, method: "POST", path: "/file/upload/" + id + "/0/", body: strings.NewReader("abc")}), -404)
	check()
}

// TestHostileLengths is H19: nothing is written past the end, or short.
func TestHostileLengths(t *testing.T) {
	t.Parallel()
	w := open(t)
	id, empty := w.begin(admin, "cloudreve://my/f", 3), w.begin(admin, "cloudreve://my/empty", 0)
	check := w.unchanged()
	for _, body := range []string{"", "ab", "abcd", strings.Repeat("x", 1<<20)} {
		want(t, fmt.Sprintf("%d bytes", len(body)), w.send(sent{who: admin, method: "POST", path: "/file/upload/" + id + "/0", body: strings.NewReader(body)}), 40013)
		chunked := sent{who: admin, method: "POST", path: "/file/upload/" + id + "/0", body: strings.NewReader(body), length: -1}
		want(t, fmt.Sprintf("%d bytes, chunked", len(body)), w.send(chunked), 40013)
		chunked.body = strings.NewReader(body)
		chunked.header = map[string]string{"X-Expected-Entity-Length": "3"}
		want(t, fmt.Sprintf("%d bytes, said to be 3", len(body)), w.send(chunked), 40013, 50004)
	}
	for _, said := range []string{"-3", "3.0", "9223372036854775808", "0x3", "3, 3"} {
		want(t, "said "+said, w.send(sent{
			who: admin, method: "POST", path: "/file/upload/" + id + "/0", body: strings.NewReader("abc"), length: -1,
			header: map[string]string{"X-Expected-Entity-Length": said},
		}), 40013)
	}
	want(t, "bytes for an empty file", w.send(sent{who: admin, method: "POST", path: "/file/upload/" + empty + "/0", body: strings.NewReader("abc"), length: -1}), 40013)
	check()
}

// TestHostileJSON is H26 and H75: on every route that reads JSON.
func TestHostileJSON(t *testing.T) {
	t.Parallel()
	w := open(t)
	check := w.unchanged()
	deep := strings.Repeat("[", 1_000_000)
	bodies := map[string]string{
		"empty": "", "null": "null", "list": "[]", "text": `"a"`, "number": "1", "open": `{"uri":"cloudreve://my/a"`, "deep": `{"uri":` + deep, "deep objects": strings.Repeat(`{"a":`, 100_000),
		"closed deep": `{"x":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`, "trailing": `{"uri":"cloudreve://my/a"}{}`, "trailing text": `{"id":"a"} x`,
		"twice":                 `{"uri":"cloudreve://my/a","uri":"cloudreve://my/b","email":"a@b","email":"c@d","uris":[],"uris":[],"refresh_token":"a","refresh_token":"b","tokens":[],"tokens":[]}`,
		"twice in another case": `{"uri":"cloudreve://my/a","URI":"cloudreve://my/b","email":"a@b","EMAIL":"c@d","uris":[],"URIS":[],"refresh_token":"a","REFRESH_TOKEN":"b","tokens":[],"TOKENS":[]}`,
		"BOM":                   "\xef\xbb\xbf{}", "UTF-16": "\xff\xfe{\x00}\x00", "NaN": `{"size":NaN}`, "wrong types": `{"uri":1,"uris":1,"email":1,"token":1,"refresh_token":1,"tokens":1,"id":1,"type":1}`,
		"comment": `{/**/}`, "single quotes": `{'uri':'a'}`,
	}
	routes := [][2]string{
		{"PUT", "/file/upload"},
		{"DELETE", "/file/upload"},
		{"POST", "/file/create"},
		{"POST", "/file/rename"},
		{"DELETE", "/file"},
		{"DELETE", "/file/lock"},
		{"PATCH", "/file/view"},
		{"POST", "/file/url"},
		{"POST", "/session/token"},
		{"POST", "/session/token/refresh"},
		{"DELETE", "/session/token"},
		{"POST", "/site/setup"},
	}
	for _, route := range routes {
		for what, body := range bodies {
			if len(body) > 1<<20 {
				body = body[:1<<20]
			}
			want(t, route[0]+" "+route[1]+" "+what, w.call(admin, route[0], route[1], body), 40001)
		}
		want(t, route[1]+" in gzip", w.send(sent{
			who: admin, method: route[0], path: route[1], body: strings.NewReader("\x1f\x8b"), header: map[string]string{"Content-Encoding": "gzip"},
		}), 40001) // HTTP 415, below
		want(t, route[1]+" over 1 MiB", w.send(sent{who: admin, method: route[0], path: route[1], body: strings.NewReader(strings.Repeat(" ", 1<<20+1))}), 40001)
		want(t, route[1]+" over 1 MiB, chunked", w.send(sent{who: admin, method: route[0], path: route[1], body: strings.NewReader(strings.Repeat(" ", 1<<20+1)), length: -1}), 40001)
	}
	if r := w.send(sent{who: admin, method: "PUT", path: "/file/upload", body: strings.NewReader(strings.Repeat(" ", 2<<20))}); r.status != 413 {
		t.Errorf("2 MiB: HTTP %d, want 413", r.status)
	}
	if r := w.send(sent{who: admin, method: "PUT", path: "/file/upload", body: strings.NewReader("x"), header: map[string]string{"Content-Encoding": "gzip"}}); r.status != 415 {
		t.Errorf("gzip: HTTP %d, want 415", r.status) // H27
	}
	want(t, "H75 set-up again, with more", w.call("", "POST", "/site/setup", map[string]any{"token": "x", "email": "e@x.test", "password": password, "group_id": 1, "is_admin": true}), 403)
	check()
}

// TestHostileMetadataAndViews is H24 and H73.
func TestHostileMetadataAndViews(t *testing.T) {
	t.Parallel()
	w := open(t)
	check := w.unchanged()
	many := map[string]string{}
	for i := range 10_000 {
		many[fmt.Sprint("props:", i)] = "x"
	}
	large := map[string]string{}
	for i := range 200 {
		large[fmt.Sprint("props:", i)] = strings.Repeat("x", 1000)
	}
	for what, meta := range map[string]any{
		"10,000 keys": many, "200 KB": large, "sys": map[string]string{"sys:upload_session_id": "x"}, "no category": map[string]string{"a": "b"},
		"empty name": map[string]string{"props:": "b"}, "colour": map[string]string{"tag:x": "red;background:url(//evil)"}, "list": []string{"a"}, "null value type": map[string]any{"props:a": 1},
	} {
		want(t, what, w.call(admin, "PUT", "/file/upload", map[string]any{"uri": "cloudreve://my/m", "size": 1, "metadata": meta}), 40001)
		want(t, what, w.call(admin, "POST", "/file/create", map[string]any{"uri": "cloudreve://my/m", "type": "file", "metadata": meta}), 40001)
	}
	for _, token := range []string{"x", "%%%", "eyJ", "bnVsbA==", strings.Repeat("A", 10_000), "W10", "eyJpZCI6MWUzMH0"} {
		want(t, "cursor "+token, w.call(admin, "GET", "/file?uri=cloudreve://my&next_page_token="+url.QueryEscape(token), nil), 40001)
	}
	want(t, "order", w.call(admin, "GET", "/file?uri=cloudreve://my&order_by=name;DROP%20TABLE%20nodes&order_direction=x&page_size=-5", nil), 0, -400)
	want(t, "page size", w.call(admin, "GET", "/file?uri=cloudreve://my&page_size=99999999999999999999", nil), 0)
	want(t, "lock of nobody", w.call(admin, "DELETE", "/file/lock", map[string]any{"tokens": []string{"%", "' OR 1=1", "\x00"}}), 40001)
	check()
}
