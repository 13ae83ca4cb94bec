package rest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/api"
	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func TestEveryReasonHasAnAnswer(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "../../errs/reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found int
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) == 0 {
			return true
		}
		lit, ok := v.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		found++
		if _, ok := answers[errs.Reason(strings.Trim(lit.Value, `"`))]; !ok {
			t.Errorf("errs.%s (%s) has no line in the table of answers", v.Names[0].Name, lit.Value)
		}
		return true
	})
	if found < len(answers) {
		t.Errorf("%d reasons, %d answers: a line answers nothing", found, len(answers))
	}
}

func TestTheCauseOfAnInternalFailureIsNotTold(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New("secret"), errs.Newf(errs.Internal, errs.StoreFailed, "secret"), errs.Wrap("a.B", errs.Newf(errs.Internal, "unknown", "secret")),
	} {
		if a := answerTo(err); strings.Contains(a.msg, "secret") || a.msg == "" {
			t.Errorf("%v is told as %q", err, a.msg)
		}
	}
}

func TestRoutesAreThoseOfTheDescription(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(api.Description(), &doc); err != nil {
		t.Fatal(err)
	}
	described := map[string]string{}
	for path, ops := range doc.Paths {
		for method, raw := range ops {
			var op struct{ OperationID string }
			if json.Unmarshal(raw, &op) == nil && op.OperationID != "" {
				described[op.OperationID] = strings.ToUpper(method) + " " + strings.TrimPrefix(path, Prefix)
			}
		}
	}
	mounted := map[string]string{}
	for _, r := range Routes() {
		mounted[r.Operation] = r.Method + " " + r.Path
	}
	if diff := cmp.Diff(described, mounted); diff != "" {
		t.Errorf("the description and the table of routes differ (-described +mounted):\n%s", diff)
	}
}

func bindText(text string, v any) error {
	r := httptest.NewRequest("PUT", "/", strings.NewReader(text))
	w := httptest.NewRecorder()
	r.Body = http.MaxBytesReader(w, r.Body, jsonBody)
	return bind(&request{w: w, r: r}, v)
}

func TestBindTakesOneObjectAndNoSurprises(t *testing.T) {
	t.Parallel()
	for text, msg := range map[string]string{
		"": notJSON, "null": wrongType, "[]": wrongType, "1": wrongType, `"a"`: wrongType, "{": notJSON, "{}x": notJSON, "{}{}": notJSON, "{} \n": "",
		`{"size":null}`: wrongType, `{"SIZE":null}`: wrongType, "{\"\u017fize\":null}": wrongType, `{"last_modified":null}`: wrongType,
		`{"size":1.5}`: wrongType, `{"size":"10"}`: wrongType, `{"size":9223372036854775808}`: wrongType, `{"size":1e30}`: wrongType, `{"size":1e999}`: wrongType,
		`{"size":true}`: wrongType, `{"size":NaN}`: notJSON, `{"size":01}`: notJSON, `{"size":9223372036854775807}`: "", `{"size":-1}`: "",
		`{"a":1,"a":2}`: "The key a is given twice", `{"uri":"a","URI":"b"}`: "The key uri is given twice", `{"unknown":{"a":[1]}}`: "",
		"\xef\xbb\xbf{}": notJSON, "{\x00}\x00": notJSON, `{"metadata":[]}`: wrongType, `{"x":` + strings.Repeat("[", 1_000_000): notJSON,
		`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: "", `{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: notJSON,
		`{"x":"` + strings.Repeat("[", 100) + `\"["}`: "", strings.Repeat(" ", 1<<20+1): "The request is larger than 1 MiB",
	} {
		err := bindText(text, &wire.CreateUploadRequest{})
		var got string
		if err != nil {
			got = err.Error()
		}
		if got != msg {
			t.Errorf("%.60q: %q, want %q", text, got, msg)
		}
	}
}

func FuzzBind(f *testing.F) {
	f.Add(`{"uri":"cloudreve://my/a","size":1}`)
	f.Add(`{"a":{"b":[1,"\""]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var in wire.CreateUploadRequest
		err := bindText(text, &in)
		var m *malformed
		if err != nil && !errors.As(err, &m) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && !json.Valid([]byte(text)) {
			t.Errorf("%q was taken for JSON", text)
		}
	})
}

func door() *Door {
	return New(Options{IDs: core.NewIDs([32]byte{1}), Clock: func() time.Time { return time.Unix(1, 0) }, Stall: time.Minute})
}

func FuzzWhere(f *testing.F) {
	for _, s := range []string{"cloudreve://my/a/../b", "cloudreve://x@my/%2e%2e%2f", "cloudreve://my/a?b#c", "cloudreve://share/", "\x00"} {
		f.Add(s)
	}
	d := door()
	f.Fuzz(func(t *testing.T, text string) {
		at, err := d.where(text)
		if err != nil {
			if k := errs.KindOf(err); k == errs.Internal {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, name := range at.ref.Path.Names() {
			if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
				t.Errorf("%q leads through %q", text, name)
			}
		}
		again, err := d.where(uriOf(at.ref.Path))
		if err != nil || again.ref.Path != at.ref.Path {
			t.Errorf("%q is %s, which reads as %s (%v)", text, at.ref.Path, again.ref.Path, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursorOf(catalog.Node{ID: 7, Key: "a", Size: 1, Created: time.UnixMicro(5), Updated: time.UnixMicro(6)}))
	f.Add("W10")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := readCursor(text)
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && n != nil {
			again, err := readCursor(cursorOf(*n))
			if err != nil || !cmp.Equal(*n, *again) {
				t.Errorf("%q reads as %+v, then as %+v (%v)", text, n, again, err)
			}
		}
	})
}

func FuzzDisposition(f *testing.F) {
	for _, s := range []string{"a.txt", `a"b`, `a\b`, "a;b", "a b", "ёж", "\u202egpj.exe", "a\r\nX: y", "%41", "'", "", strings.Repeat("a", 10<<10)} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, name string, inline bool) {
		text := disposition(name, inline)
		if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Fatalf("%q: raw in a header: %q", name, text)
		}
		kind, params, err := mime.ParseMediaType(text)
		if err != nil {
			t.Fatalf("%q: %q: %v", name, text, err)
		}
		if want := map[bool]string{true: "inline", false: "attachment"}[inline]; kind != want {
			t.Errorf("%q is %s, want %s", name, kind, want)
		}
		if params["filename"] != name {
			t.Errorf("%q reads as %q", name, params["filename"])
		}
	})
}

func FuzzChunkIndex(f *testing.F) {
	for _, s := range []string{"0", "-1", "+1", "9223372036854775808", "0x0", "１", "-0", " 1"} {
		f.Add(s)
	}
	plain := regexp.MustCompile(`^[0-9]+$`)
	d := door()
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.SetPathValue("index", text)
		r.SetPathValue("sessionId", "x")
		// A token that does not count is looked at after the index.
		err := d.sendChunk(&request{r: r, badToken: errs.New(errs.Unauthenticated, errs.BadToken)})
		if got, want := errs.Has(err, errs.TokenExpired), plain.MatchString(text); got != want {
			t.Errorf("index %q is taken: %v, want %v (%v)", text, got, want, err)
		}
	})
}

// FuzzRange: whatever is asked for, the answer is a part of the content.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-0", "bytes=-2", "bytes=0-0,2-3", "bytes=9223372036854775807-", "bytes=1-0"} {
		f.Add(s)
	}
	d := door()
	const content = "0123456789"
	f.Fuzz(func(t *testing.T, ranges string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Range", ranges)
		w := httptest.NewRecorder()
		d.send(&request{w: w, r: r}, catalog.Body{ReadSeekCloser: nopCloser{strings.NewReader(content)}}, "a", false)
		switch {
		case w.Code == 200 && w.Body.String() == content, w.Code == 416:
		case w.Code == 206 && w.Body.Len() > 0 && w.Body.Len() < 8<<10:
		default:
			t.Errorf("%q: HTTP %d, %d bytes", ranges, w.Code, w.Body.Len())
		}
	})
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func TestLinksAreOfTheSiteAndNeverOfAForgedHost(t *testing.T) {
	t.Parallel()
	d := door()
	for host, want := range map[string]string{
		"files.test": "http://files.test", "files.test:8080": "http://files.test:8080", "[::1]:80": "http://[::1]:80", "127.0.0.1:1": "http://127.0.0.1:1",
		"": "http://localhost", "a b": "http://localhost", "evil/x": "http://localhost", "u@evil": "http://localhost", "evil?x": "http://localhost",
		"evil#": "http://localhost", `evil\`: "http://localhost", "evil:port": "http://localhost", "a\r\nb": "http://localhost", strings.Repeat("a", 300): "http://localhost",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "evil.test")
		if got := d.origin(r); got != want {
			t.Errorf("Host %q: %s, want %s", host, got, want)
		}
		d := door()
		d.Site.URL = &url.URL{Scheme: "https", Host: "site.test"}
		if got := d.origin(r); got != "https://site.test" {
			t.Errorf("with a site address, Host %q: %s", host, got)
		}
	}
}

func TestRoomIsBoundedForEachAndForAll(t *testing.T) {
	t.Parallel()
	r := newRoom(3, 2)
	var leave []func()
	for _, c := range []struct {
		who core.UserID
		ok  bool
	}{{1, true}, {1, true}, {1, false}, {2, true}, {2, false}, {3, false}} {
		l, err := r.enter(c.who)
		if (err == nil) != c.ok || err != nil && !errs.Has(err, errs.Overload) {
			t.Fatalf("user %d: %v, want room: %v", c.who, err, c.ok)
		}
		if l != nil {
			leave = append(leave, l)
		}
	}
	for _, l := range leave {
		l()
	}
	if r.all != 0 || len(r.each) != 0 {
		t.Errorf("left behind: %d, %v", r.all, r.each)
	}
}

// paced is a connection whose deadline is looked at.
type paced struct {
	http.ResponseWriter
	until []time.Time
}

func (p *paced) SetReadDeadline(t time.Time) error {
	p.until = append(p.until, t)
	return nil
}

// TestSlowBodiesEnd is the body of H28: half a minute is free, then a KiB a second.
func TestSlowBodiesEnd(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	d := New(Options{Clock: func() time.Time { return now }, Stall: time.Minute})
	p := &paced{ResponseWriter: httptest.NewRecorder()}
	b := d.body(p, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 100<<10))))
	begin := now
	read := func(n int) {
		t.Helper()
		if _, err := io.ReadFull(b, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Second)
	}
	read(1)
	read(1)
	read(70 << 10)
	read(1)
	want := []time.Time{begin.Add(30 * time.Second), begin.Add(30 * time.Second), begin.Add(30 * time.Second), begin.Add(30*time.Second + time.Minute)}
	if !slices.Equal(p.until, want) {
		t.Errorf("deadlines are %v, want %v", p.until, want)
	}
	if _, err := io.ReadAll(b); err != nil {
		t.Fatal(err)
	}
	if last := p.until[len(p.until)-1]; !last.IsZero() {
		t.Errorf("a deadline of %v is left after the end: net/http would end the request then", last)
	}
	b.end()
	before := len(p.until)
	if b.stop(); len(p.until) != before {
		t.Error("a request that is over stops the next one of its connection")
	}
}
