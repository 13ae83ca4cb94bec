package wire_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestURIReadsAndPrints(t *testing.T) {
	t.Parallel()
	my := func(path ...string) wire.URI { return wire.MyURI(path...) }
	cases := []struct {
		in          string
		want        wire.URI
		listed, raw string
	}{
		{"cloudreve://my", my(), "cloudreve://my/", "cloudreve://my/"},
		{"cloudreve://my/", my(), "cloudreve://my/", "cloudreve://my/"},
		{"CloudReve://MY/A", my("A"), "cloudreve://my/A", "cloudreve://my/A"},
		{"cloudreve://my/d 1/e/a(1).txt", my("d 1", "e", "a(1).txt"), "cloudreve://my/d%201/e/a(1).txt", "cloudreve://my/d%201/e/a%281%29.txt"},
		{"cloudreve://my/d%201/e/a(1).txt", my("d 1", "e", "a(1).txt"), "cloudreve://my/d%201/e/a(1).txt", "cloudreve://my/d%201/e/a%281%29.txt"},
		{"cloudreve://my/Grüße/文", my("Grüße", "文"), "cloudreve://my/Gr%C3%BC%C3%9Fe/%E6%96%87", "cloudreve://my/Gr%C3%BC%C3%9Fe/%E6%96%87"},
		{"cloudreve://my//a///b/", my("a", "b"), "cloudreve://my/a/b", "cloudreve://my/a/b"},
		{"cloudreve://my/a/./b/../c", my("a", "c"), "cloudreve://my/a/c", "cloudreve://my/a/c"},
		{"cloudreve://my/../../etc/passwd", my("etc", "passwd"), "cloudreve://my/etc/passwd", "cloudreve://my/etc/passwd"},
		{"cloudreve://my/%2e%2e/x", my("x"), "cloudreve://my/x", "cloudreve://my/x"},
		{"cloudreve://my/%252e%252e/x", my("%2e%2e", "x"), "cloudreve://my/%252e%252e/x", "cloudreve://my/%252e%252e/x"},
		{"cloudreve://my/a%2Fb", my("a", "b"), "cloudreve://my/a/b", "cloudreve://my/a/b"},
		{"cloudreve://my/a+b", my("a+b"), "cloudreve://my/a%2Bb", "cloudreve://my/a+b"},
		{"cloudreve://my/a#b", my("a"), "cloudreve://my/a", "cloudreve://my/a"},
		{"cloudreve://my/a%23b%3Fc", my("a#b?c"), "cloudreve://my/a%23b%3Fc", "cloudreve://my/a%23b%3Fc"},
		{"cloudreve://my/x;y=1:2@z&$,", my("x;y=1:2@z&$,"), "cloudreve://my/x%3By%3D1%3A2%40z%26%24%2C", "cloudreve://my/x;y=1:2@z&$,"},
		{"cloudreve://my/a%00b", my("a\x00b"), "cloudreve://my/a%00b", "cloudreve://my/a%00b"},
		{"cloudreve://my/%ff", my("\xff"), "cloudreve://my/%FF", "cloudreve://my/%FF"},
		{
			"cloudreve://my/d?name=x&name=y&case_folding=",
			wire.URI{FS: "my", Path: []string{"d"}, Query: url.Values{"name": {"x", "y"}, "case_folding": {""}}},
			"cloudreve://my/d?case_folding=&name=x&name=y", "cloudreve://my/d?case_folding=&name=x&name=y",
		},
		{"cloudreve://R7sK@my/a", wire.URI{FS: "my", User: "R7sK", Path: []string{"a"}}, "cloudreve://R7sK@my/a", "cloudreve://R7sK@my/a"},
		{"cloudreve://Zx9:p%40ss@share", wire.URI{FS: "share", User: "Zx9", Password: "p@ss"}, "cloudreve://Zx9:p%40ss@share/", "cloudreve://Zx9:p%40ss@share/"},
		{"cloudreve://shared_with_me/R7sK", wire.URI{FS: "shared_with_me", Path: []string{"R7sK"}}, "cloudreve://shared_with_me/R7sK", "cloudreve://shared_with_me/R7sK"},
		{"cloudreve://nope/a", wire.URI{FS: "nope", Path: []string{"a"}}, "cloudreve://nope/a", "cloudreve://nope/a"},
	}
	for _, c := range cases {
		t.Run(c.in, func(t *testing.T) {
			t.Parallel()
			u, err := wire.ParseURI(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, u); d != "" {
				t.Error(d)
			}
			if got := u.String(); got != c.listed {
				t.Errorf("listed as %s, want %s", got, c.listed)
			}
			if got := u.Raw(); got != c.raw {
				t.Errorf("raw is %s, want %s", got, c.raw)
			}
		})
	}
}

func TestURIRefuses(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":             "",
		"a path":            "/a/b",
		"another scheme":    "file:///etc/passwd",
		"no file system":    "cloudreve:///a",
		"opaque":            "cloudreve:my/a",
		"bare percent":      "cloudreve://my/50%",
		"bad escape":        "cloudreve://my/%zz",
		"control character": "cloudreve://my/a\nb",
		"too long":          "cloudreve://my/" + strings.Repeat("a", wire.MaxURILength),
		"too deep":          "cloudreve://my" + strings.Repeat("/a", wire.MaxURIDepth+1),
	} {
		if u, err := wire.ParseURI(in); !errors.Is(err, wire.ErrURI) {
			t.Errorf("%s: %v, %v", name, u, err)
		}
	}
	if u, err := wire.ParseURI("cloudreve://my" + strings.Repeat("/a", wire.MaxURIDepth)); err != nil || len(u.Path) != wire.MaxURIDepth {
		t.Errorf("just deep enough: %d names, %v", len(u.Path), err)
	}
	if u, err := wire.ParseURI("cloudreve://my" + strings.Repeat("/a/..", 10_000)); err != nil || len(u.Path) != 0 {
		t.Errorf("up and down: %d names, %v", len(u.Path), err)
	}
}

func TestURIChildKeepsTheDriveAndNotTheSearch(t *testing.T) {
	t.Parallel()
	dir, err := wire.ParseURI("cloudreve://id:pw@share/a?name=x")
	if err != nil {
		t.Fatal(err)
	}
	b, c := dir.Child("b"), dir.Child("c d")
	if b.String() != "cloudreve://id:pw@share/a/b" || c.String() != "cloudreve://id:pw@share/a/c%20d" || c.Name() != "c d" {
		t.Errorf("%s and %s", b, c)
	}
	if wire.MyURI().Name() != "" {
		t.Error("the root has a name")
	}
}

func FuzzURIReadsWhatItPrints(f *testing.F) {
	for _, s := range []string{
		"cloudreve://my", "cloudreve://my/d 1/e/a(1).txt", "cloudreve://id:p%40@share/a%2Fb?name=x&meta_a=b#c",
		"cloudreve://MY:80/%ff//../ü", "cloudreve://[::1]/a", "cloudreve://@/?;", "cloudreve://a%C3%BC/*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := wire.ParseURI(s)
		if err != nil {
			return
		}
		for _, printed := range []string{u.String(), u.Raw()} {
			if len(printed) > wire.MaxURILength {
				continue // escapes made it longer than what is read
			}
			again, err := wire.ParseURI(printed)
			if err != nil {
				t.Fatalf("%q printed %q: %v", s, printed, err)
			}
			if d := cmp.Diff(u, again); d != "" {
				t.Fatalf("%q printed %q:\n%s", s, printed, d)
			}
		}
		for _, name := range u.Path {
			if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
				t.Fatalf("%q has the name %q", s, name)
			}
		}
	})
}
