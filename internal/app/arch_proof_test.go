package app_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// TestEveryLawCanFail shows each law a tree that breaks it and one beside it that does
// not. A law that cannot fail is decoration.
func TestEveryLawCanFail(t *testing.T) {
	t.Parallel()

	imports := func(from string, to ...string) []pkg { return []pkg{{path: from, imports: to, hasGoFiles: true}} }
	code := func(body string) []pkg {
		return []pkg{{path: "internal/core", hasGoFiles: true, files: []source{{"internal/core/x.go", "package core\n" + body}}}}
	}
	doc := func(text string) []pkg {
		return []pkg{{path: "internal/core", hasGoFiles: true, files: []source{{"internal/core/doc.go", text}}}}
	}
	sql := func(text string) []string { return lawPortableSQL([]source{{"internal/store/query/x.sql", text}}) }
	words := func(text string) []string { return lawWords([]source{{"README.md", text}}, []string{"forbidden"}) }
	links := func(text string) []string {
		return lawLinks([]source{{"docs/a.md", text}}, []string{"docs/a.md", "x/y.go"})
	}
	named := func(text string) []string {
		return lawTestNames([]source{{"docs/a.md", text}, {"x/y_test.go", "package x\n\nfunc TestThere(t *testing.T) {}\n"}, {"test/wire/testdata/up.txtar", "-- one --\n> GET /\n"}})
	}
	table := "| `a.org/b` | v1 | MIT | we parse with it |\n| `a.org/c` | v1 | MIT | |\n# tools\n| `a.org/e` | v1 | MIT | a tool |\n"
	deps := func(name, version string) []string { return lawDependencies(map[string]string{name: version}, table) }

	tests := []struct {
		name string
		bad  []string
		good []string
		says string
	}{
		{"catalog must not know uploads", lawImports(imports("internal/catalog", "internal/upload")), lawImports(imports("internal/upload", "internal/catalog")), "may import only"},
		{"client knows the wire alone", lawImports(imports("client", "internal/core")), lawImports(imports("client", "api/wire")), "may import only"},
		{"leaves do not see each other", lawImports(imports("internal/blob/s3blob", "internal/blob/localblob")), lawImports(imports("internal/blob/s3blob", "internal/blob")), "may import only"},
		{"a leaf sees nothing above", lawImports(imports("internal/blob/localblob", "internal/store")), lawImports(imports("internal/blob/localblob", "internal/core")), "may import only"},
		{"doors do not see each other", lawImports(imports("internal/door/dav", "internal/door/rest")), lawImports(imports("internal/door/dav", "internal/upload")), "may import only"},
		{"doors do not see rows", lawImports(imports("internal/door/rest", "internal/store")), lawImports(imports("internal/door/rest", "api/wire")), "may import only"},
		{"auth, event and job do not meet", lawImports(imports("internal/auth", "internal/event")), lawImports(imports("internal/auth", "internal/core")), "may import only"},
		{"the store does not see app", lawImports(imports("internal/store", "internal/app")), lawImports(imports("internal/app", "internal/store")), "may import only"},
		{"app is above everything but commands", lawImports(imports("internal/app", "cmd/wharf")), lawImports(imports("cmd/wharf", "internal/app")), "imports go down"},
		{"errs stands on the ground", lawImports(imports("internal/errs", "internal/core")), lawImports(imports("internal/core", "internal/errs")), "nothing of ours"},
		{"the ground floor has no dependency", lawImports([]pkg{{path: "api/wire", outside: []string{"a.org/b"}}}), lawImports([]pkg{{path: "api/wire"}}), "standard library only"},
		{"a new room needs a record", lawImports(imports("internal/util")), lawImports(imports("internal/auth")), "in no room"},

		{"product code without test kits", lawTestKits(imports("internal/app", "internal/blob/blobtest")), lawTestKits(imports("test/e2e", "internal/blob/blobtest")), "test kit"},
		{"chain", lawChain(chainOf(9), 8), lawChain(chainOf(8), 8), "chain of 9"},
		{"fan-out", lawFanOut(imports("internal/door/rest", strings.Split("a b c d e f g h i", " ")...), 8), lawFanOut(imports("internal/app", strings.Split("a b c d e f g h i", " ")...), 8), "imports 9"},

		{"file lines", lawSizes(code(strings.Repeat("\n", 600))), lawSizes(code(strings.Repeat("\n", 599))), "601 lines"},
		{"package lines", lawSizes(manyFiles(6, 501)), lawSizes(manyFiles(6, 500)), "package internal/core has 3006"},
		{"function lines", lawShapes(code("func f() {\n" + strings.Repeat("\n", 101) + "}\n")), lawShapes(code("func f() {\n" + strings.Repeat("\n", 100) + "}\n")), "101 lines"},
		{"function lines, table", lawShapes(code("//nolint:funlen // because\nfunc f() {\n" + strings.Repeat("\n", 101) + "}\n")), lawShapes(code("//nolint:funlen // table\nfunc f() {\n" + strings.Repeat("\n", 101) + "}\n")), "101 lines"},
		{"interface methods", lawShapes(code("type I interface {" + methods(8) + "}\n")), lawShapes(code("type I interface {" + methods(7) + "}\n")), "8 methods"},
		{"parameters", lawShapes(code("func f(a, b, c, d, e, g int) {}\n")), lawShapes(code("func f(ctx context.Context, a, b, c, d, e int) {}\n")), "6 parameters"},
		{"parameters of a contract", lawShapes(code("type I interface { F(int, int, int, int, int, int) }\n")), lawShapes(code("type I interface { F(int, int, int, int, int) }\n")), "6 parameters"},
		{"a late context counts", lawShapes(code("func f(a, b, c, d, e int, ctx context.Context) {}\n")), lawShapes(code("func f(t *testing.T, a, b, c, d, e int) {}\n")), "6 parameters"},
		{"code that does not parse", lawShapes(code("func {\n")), lawShapes(code("")), "expected"},

		{"no doc.go", lawDocs(manyFiles(2, 1)), lawDocs(doc("// Package core holds the words that every room of the house uses.\npackage core\n")), "no doc.go"},
		{"an empty doc.go", lawDocs(doc("// Package core.\npackage core\n")), nil, "does not say"},

		{"cast by colons", sql("SELECT a::text"), sql("SELECT CAST(a AS TEXT)"), "::"},
		{"clock of the database", sql("SELECT now ( )"), sql("SELECT sqlc.arg(now_us)"), "now()"},
		{"jsonb", sql("SELECT jsonb_agg(a)"), sql("SELECT a -- jsonb would be a mistake"), "jsonb"},
		{"any", sql("WHERE id = ANY ($1)"), sql("WHERE many(1)"), "ANY("},
		{"ilike", sql("WHERE a ilike $1"), sql("WHERE a LIKE $1"), "ILIKE"},
		{"for update", sql("SELECT 1 FOR\nUPDATE"), sql("ON CONFLICT DO UPDATE"), "FOR UPDATE"},
		{"serial", sql("id SERIAL"), sql("SELECT serial, serialised FROM t"), "SERIAL"},
		{"bigserial", sql("id bigserial"), nil, "SERIAL"},

		{"dependency without a row", deps("a.org/d", "v1"), deps("a.org/b", "v1"), "a.org/d is used"},
		{"dependency without a reason", deps("a.org/c", "v1"), nil, "a.org/c is used"},
		{"dependency that is gone", deps("a.org/d", "v1"), nil, "a.org/b has a row"},
		{"dependency of another version", deps("a.org/b", "v2"), nil, "its row says v1"},
		{"dead link", links("see [it](b.md) and [this](../x/y.go#l)"), links("see [a](a.md), [top](../x), [web](https://a.org/b)"), "link to b.md"},
		{"dead picture", links(`<img src="no.png">`), links(`<img src="a.md">`), "link to no.png"},
		{"test that is gone", named("held by `TestGone`"), named("held by `TestThere/one row`"), "TestGone, which is no test"},
		{"golden case that is gone", named("held by `TestWire/up/two`"), named("held by `TestWire/up/one`"), "TestWire/up/two, which is no test"},
		{"forbidden word", words("one\nthe FORBIDDEN word\n"), words("one\n"), "README.md:2"},
	}

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if len(test.bad) == 0 {
				t.Error("the law accepts what it is there to refuse")
			} else if got := strings.Join(test.bad, "\n"); !strings.Contains(got, test.says) {
				t.Errorf("the law says %q, and should mention %q", got, test.says)
			}
			if len(test.good) > 0 {
				t.Errorf("the law refuses what is right: %s", strings.Join(test.good, "\n"))
			}
		})
	}
}

func TestDirectDependenciesAreFoundByLongestModule(t *testing.T) {
	t.Parallel()

	pkgs := []pkg{{path: "internal/x", outside: []string{"a.org/b/v2/c"}, testImports: []string{"t.org/x"}}}
	got := direct(map[string]string{"a.org/b": "v1", "a.org/b/v2": "v2", "a.org/bb": "v3", "t.org/x": "v4", "z.org/z": "v5"}, pkgs)
	if want := map[string]string{"a.org/b/v2": "v2", "t.org/x": "v4"}; !maps.Equal(got, want) {
		t.Errorf("direct dependencies are %v, want %v", got, want)
	}
}

func TestGeneratedFilesAreKnownByTheirMark(t *testing.T) {
	t.Parallel()

	if !isGenerated([]byte("// Code generated by sqlc. DO NOT EDIT.\n\npackage query\n")) {
		t.Error("a generated file is not recognised")
	}
	if isGenerated([]byte("package query\n\nvar s = \"// Code generated by hand. DO NOT EDIT.\"\n")) {
		t.Error("a string that looks like the mark is taken for it")
	}
}

// chainOf gives a command on top of n-1 packages, each importing the next.
func chainOf(n int) []pkg {
	pkgs := []pkg{{path: "cmd/wharf", imports: []string{"p1"}}}
	for i := 1; i < n; i++ {
		p := pkg{path: fmt.Sprintf("p%d", i)}
		if i < n-1 {
			p.imports = []string{fmt.Sprintf("p%d", i+1)}
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func manyFiles(n, lines int) []pkg {
	p := pkg{path: "internal/core", hasGoFiles: true}
	for i := range n {
		p.files = append(p.files, source{fmt.Sprintf("internal/core/f%d.go", i), strings.Repeat("\n", lines)})
	}
	return []pkg{p}
}

func methods(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "M%d();", i)
	}
	return b.String()
}
