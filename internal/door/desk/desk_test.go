package desk

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func fresh() *Desk {
	return New(Options{IDs: core.NewIDs([32]byte{1}), Clock: func() time.Time { return time.Unix(1, 0) }, Stall: time.Minute})
}

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

func bindText(text string, v any) error {
	r := httptest.NewRequest("PUT", "/", strings.NewReader(text))
	w := httptest.NewRecorder()
	r.Body = http.MaxBytesReader(w, r.Body, jsonBody)
	return Bind(&Call{W: w, R: r}, v)
}

func TestBindTakesOneObjectAndNoSurprises(t *testing.T) {
	t.Parallel()
	for text, msg := range map[string]string{
		"": NotJSON, "null": wrongType, "[]": wrongType, "1": wrongType, `"a"`: wrongType, "{": NotJSON, "{}x": NotJSON, "{}{}": NotJSON, "{} \n": "",
		`{"size":null}`: wrongType, `{"SIZE":null}`: wrongType, "{\"\u017fize\":null}": wrongType, `{"last_modified":null}`: wrongType,
		`{"size":1.5}`: wrongType, `{"size":"10"}`: wrongType, `{"size":9223372036854775808}`: wrongType, `{"size":1e30}`: wrongType, `{"size":1e999}`: wrongType,
		`{"size":true}`: wrongType, `{"size":NaN}`: NotJSON, `{"size":01}`: NotJSON, `{"size":9223372036854775807}`: "", `{"size":-1}`: "",
		`{"a":1,"a":2}`: "The key a is given twice", `{"uri":"a","URI":"b"}`: "The key uri is given twice", `{"unknown":{"a":[1]}}`: "",
		"\xef\xbb\xbf{}": NotJSON, "{\x00}\x00": NotJSON, `{"metadata":[]}`: wrongType, `{"x":` + strings.Repeat("[", 1_000_000): NotJSON,
		`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: "", `{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: NotJSON,
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
		var m *Malformed
		if err != nil && !errors.As(err, &m) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && !json.Valid([]byte(text)) {
			t.Errorf("%q was taken for JSON", text)
		}
	})
}

func FuzzWhere(f *testing.F) {
	for _, s := range []string{"cloudreve://my/a/../b", "cloudreve://x@my/%2e%2e%2f", "cloudreve://my/a?b#c", "cloudreve://share/", "\x00"} {
		f.Add(s)
	}
	d := fresh()
	f.Fuzz(func(t *testing.T, text string) {
		at, err := d.Where(text)
		if err != nil {
			if k := errs.KindOf(err); k == errs.Internal {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, name := range at.Ref.Path.Names() {
			if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
				t.Errorf("%q leads through %q", text, name)
			}
		}
		again, err := d.Where(URIOf(at.Ref.Path))
		if err != nil || again.Ref.Path != at.Ref.Path {
			t.Errorf("%q is %s, which reads as %s (%v)", text, at.Ref.Path, again.Ref.Path, err)
		}
	})
}

func TestLinksAreOfTheSiteAndNeverOfAForgedHost(t *testing.T) {
	t.Parallel()
	d := fresh()
	for host, want := range map[string]string{
		"files.test": "http://files.test", "files.test:8080": "http://files.test:8080", "[::1]:80": "http://[::1]:80", "127.0.0.1:1": "http://127.0.0.1:1",
		"": "http://localhost", "a b": "http://localhost", "evil/x": "http://localhost", "u@evil": "http://localhost", "evil?x": "http://localhost",
		"evil#": "http://localhost", `evil\`: "http://localhost", "evil:port": "http://localhost", "a\r\nb": "http://localhost", strings.Repeat("a", 300): "http://localhost",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", "evil.test")
		if got := d.Origin(r); got != want {
			t.Errorf("Host %q: %s, want %s", host, got, want)
		}
		d := fresh()
		d.URL = &url.URL{Scheme: "https", Host: "site.test"}
		if got := d.Origin(r); got != "https://site.test" {
			t.Errorf("with a site address, Host %q: %s", host, got)
		}
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
	if b.Stop(); len(p.until) != before {
		t.Error("a request that is over stops the next one of its connection")
	}
}
