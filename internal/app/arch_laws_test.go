package app_test

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	modulePath = "github.com/wharfinger/wharfinger"

	maxChain        = 8
	maxSiblings     = 8
	maxPackageLines = 3000
	maxFileLines    = 600
	maxFuncLines    = 100
	maxMethods      = 7
	maxParams       = 5
)

// room is a line of the table "who may import whom". A package belongs to the first
// room whose pattern matches its path.
type room struct {
	pattern string
	level   int
	imports []string // patterns; only packages of lower levels, or those named here
}

// xmlLeaf is what the driver of a store with an XML API may import.
var xmlLeaf = []string{"internal/blob", "internal/blob/xmlstore", "internal/core", "internal/errs"}

// rooms is the whole house. A package that matches no room is a new room, and a new
// room needs a decision record first.
var rooms = []room{
	{"api/wire", 0, nil},
	{"api", 0, nil},
	{"web", 0, nil},
	{"internal/errs", 0, nil},
	{"internal/core", 0, []string{"internal/errs"}},
	{"internal/lane", 0, nil},
	{"client/pace", 0, nil},
	{"client/plan", 0, nil},
	{"client/seal", 1, []string{"api/wire"}},
	{"client/flow", 0, nil},
	{"client/straight", 0, nil},
	{"client/fail", 1, []string{"api/wire", "client/pace"}},
	{"client", 2, []string{"api/wire", "client/fail", "client/flow", "client/pace", "client/plan", "client/seal", "client/straight"}},
	{"client/keep", 3, []string{"client", "client/pace", "api/wire"}},
	{"client/tree", 3, []string{"client", "api/wire"}},
	{"client/batch", 3, []string{"client", "api/wire"}},
	{"internal/blob", 1, []string{"internal/core", "internal/errs"}},
	{"internal/auth", 1, []string{"internal/core", "internal/errs"}},
	{"internal/account", 2, []string{"internal/auth", "internal/core", "internal/errs"}},
	{"internal/event", 1, []string{"internal/core", "internal/errs"}},
	{"internal/job", 1, []string{"internal/core", "internal/errs"}},
	{"internal/blob/blobtest", testKit, []string{"internal/blob", "internal/core", "internal/errs"}},
	{"internal/blob/blobtest/*", testKit, []string{"internal/blob", "internal/blob/localblob", "internal/blob/blobtest", "internal/core", "internal/errs"}},
	{"internal/blob/xmlstore", 2, []string{"internal/blob", "internal/core", "internal/errs"}},
	{"internal/blob/cosblob", 2, xmlLeaf},
	{"internal/blob/obsblob", 2, xmlLeaf},
	{"internal/blob/ossblob", 2, xmlLeaf},
	{"internal/blob/*blob", 2, []string{"internal/blob", "internal/core", "internal/errs"}},
	{"internal/catalog", 3, []string{"internal/blob", "internal/event", "internal/core", "internal/errs"}},
	{"internal/arrange", 4, []string{"internal/catalog", "internal/job", "internal/core", "internal/errs"}},
	{"internal/upload", 4, []string{"internal/catalog", "internal/blob", "internal/event", "internal/job", "internal/core", "internal/errs"}},
	{"internal/direct", 5, []string{"internal/upload", "internal/catalog", "internal/blob", "internal/core", "internal/errs"}},
	{"internal/share", 4, []string{"internal/catalog", "internal/core", "internal/errs"}},
	{"internal/trial", 4, []string{"internal/blob", "internal/core", "internal/errs"}},
	{"internal/address", 4, []string{"internal/catalog", "internal/core", "internal/errs"}},
	{"internal/thumb", 4, []string{"internal/catalog", "internal/core", "internal/errs"}},
	{"internal/search", 4, []string{"internal/catalog", "internal/core", "internal/errs"}},
	{"internal/admin", 4, []string{"internal/auth", "internal/catalog", "internal/blob", "internal/core", "internal/errs"}},
	{"internal/store/query", 4, nil}, // generated: the statements as Go functions
	{"internal/store/migrations", 4, nil},
	{"internal/store/dialect", 4, []string{"internal/errs"}},
	{"internal/store/serial", 4, []string{"internal/store/dialect", "internal/core", "internal/errs"}},
	{"internal/store/part", 4, []string{"internal/store/query", "internal/store/dialect", "internal/errs"}},
	{"internal/store/storetest", testKit, []string{
		"internal/store", "internal/account", "internal/address", "internal/admin", "internal/store/*", "internal/direct", "internal/catalog", "internal/share", "internal/upload", "internal/auth",
		"internal/event", "internal/job", "internal/blob", "internal/core", "internal/errs",
	}},
	{"internal/store", 5, []string{
		"internal/store/query", "internal/store/migrations", "internal/store/dialect", "internal/store/serial", "internal/store/part", "internal/catalog", "internal/upload", "internal/auth",
		"internal/event", "internal/job", "internal/blob", "internal/core", "internal/errs",
	}},
	{"internal/store/*", 5, []string{ // a subject each, over part.Base; not store itself
		"internal/store/part", "internal/account", "internal/address", "internal/admin", "internal/store/query", "internal/store/dialect", "internal/catalog", "internal/share", "internal/upload", "internal/auth",
		"internal/event", "internal/job", "internal/blob", "internal/core", "internal/errs",
	}},
	{"internal/door/batch", 4, []string{"internal/errs", "api/wire"}}, // a part of rest's wire
	{"internal/door/desk", 4, []string{ // what all doors of the v4 API share: envelope, codes, bodies, how things look
		"internal/event", "internal/catalog", "internal/blob", "internal/auth", "internal/core", "internal/errs", "api/wire",
	}},
	{"internal/door/rest", 5, []string{
		"internal/door/desk", "internal/door/batch", "internal/upload", "internal/catalog", "internal/blob", "internal/auth", "internal/core", "internal/errs",
		"api/wire", "api",
	}},
	{"internal/door/organise", 5, []string{"internal/door/desk", "internal/arrange", "internal/catalog", "internal/core", "internal/errs", "api/wire"}},
	{"internal/door/thumb", 5, []string{"internal/door/desk", "internal/thumb", "internal/auth", "internal/catalog", "internal/core", "internal/errs", "api/wire"}},
	{"internal/door/*", 5, []string{ // blob for its values alone (ranges, digests): they are in the engine's signatures
		"internal/door/desk", "internal/event", "internal/job", "internal/account", "internal/address", "internal/admin", "internal/share", "internal/trial", "internal/upload", "internal/catalog", "internal/blob", "internal/auth", "internal/core", "internal/errs", "api/wire", "api",
	}},
	{"internal/app", 6, []string{"**"}},
	{"cmd/**", 7, []string{"**"}},
	{"test/**", 8, []string{"**"}},
}

// testKit marks packages that only tests may import. They stand outside the levels.
const testKit = -1

func roomOf(pkgPath string) (room, bool) {
	for _, r := range rooms {
		if matches(r.pattern, pkgPath) {
			return r, true
		}
	}
	return room{}, false
}

// matches knows one star more than path.Match: "test/**" is everything below test.
func matches(pattern, pkgPath string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "**"); ok {
		return strings.HasPrefix(pkgPath, prefix)
	}
	ok, err := path.Match(pattern, pkgPath)
	return err == nil && ok
}

func lawImports(pkgs []pkg) (broken []string) {
	for _, p := range pkgs {
		from, ok := roomOf(p.path)
		if !ok {
			broken = append(broken, fmt.Sprintf("package %s is in no room: write a decision record, then add it to the table in arch_laws_test.go", p.path))
			continue
		}
		for _, imp := range p.imports {
			to, known := roomOf(imp)
			switch {
			case !known:
				continue // said once, for the package itself
			case !slices.ContainsFunc(from.imports, func(pattern string) bool { return matches(pattern, imp) }):
				broken = append(broken, fmt.Sprintf("%s imports %s; it may import only: %s", p.path, imp, list(from.imports)))
			case from.level != testKit && to.level != testKit && to.level > from.level:
				broken = append(broken, fmt.Sprintf("%s (level %d) imports %s (level %d): imports go down", p.path, from.level, imp, to.level))
			}
		}
		if ground(p.path) && len(p.outside) > 0 {
			broken = append(broken, fmt.Sprintf("%s imports %s: the ground floor uses the standard library only", p.path, list(p.outside)))
		}
	}
	return broken
}

// ground names the rooms that everyone imports, or that are public and must not hand
// their dependencies on.
func ground(pkgPath string) bool {
	return slices.Contains([]string{"api/wire", "internal/errs", "internal/core"}, pkgPath)
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing of ours"
	}
	return strings.Join(names, ", ")
}

func lawTestKits(pkgs []pkg) (broken []string) {
	for _, p := range pkgs {
		self, _ := roomOf(p.path)
		if self.level == testKit || strings.HasPrefix(p.path, "test/") {
			continue
		}
		for _, imp := range p.imports {
			if to, _ := roomOf(imp); to.level == testKit {
				broken = append(broken, fmt.Sprintf("%s imports the test kit %s outside its tests", p.path, imp))
			}
		}
	}
	return broken
}

func lawChain(pkgs []pkg, limit int) (broken []string) {
	imports := map[string][]string{}
	for _, p := range pkgs {
		if !strings.HasPrefix(p.path, "test/") {
			imports[p.path] = p.imports
		}
	}
	known := map[string][]string{}
	var longest func(string) []string
	longest = func(p string) []string {
		if c, ok := known[p]; ok {
			return c
		}
		var best []string
		for _, imp := range imports[p] {
			if c := longest(imp); len(c) > len(best) {
				best = c
			}
		}
		known[p] = append([]string{p}, best...)
		return known[p]
	}
	for _, p := range pkgs {
		if c := longest(p.path); len(c) > limit && strings.HasPrefix(p.path, "cmd/") {
			broken = append(broken, fmt.Sprintf("a chain of %d packages, at most %d: %s", len(c), limit, strings.Join(c, " → ")))
		}
	}
	return broken
}

func lawFanOut(pkgs []pkg, limit int) (broken []string) {
	for _, p := range pkgs {
		if matches("internal/app", p.path) || matches("cmd/**", p.path) || matches("test/**", p.path) {
			continue
		}
		if r, _ := roomOf(p.path); r.level == testKit {
			continue
		}
		// Parts of the store are the store, and errors are everybody's: neither is
		// counted as a neighbour.
		n := 0
		for _, imp := range p.imports {
			if !strings.HasPrefix(imp, p.path+"/") && imp != "internal/errs" {
				n++
			}
		}
		if n > limit {
			broken = append(broken, fmt.Sprintf("%s imports %d packages of ours, at most %d: %s", p.path, n, limit, list(p.imports)))
		}
	}
	return broken
}

func lawSizes(pkgs []pkg) (broken []string) {
	for _, p := range pkgs {
		sum := 0
		for _, f := range p.files {
			n := strings.Count(f.text, "\n")
			sum += n
			if n > maxFileLines {
				broken = append(broken, fmt.Sprintf("%s has %d lines, at most %d", f.path, n, maxFileLines))
			}
		}
		if sum > maxPackageLines {
			broken = append(broken, fmt.Sprintf("package %s has %d lines, at most %d", p.path, sum, maxPackageLines))
		}
	}
	return broken
}

func lawShapes(pkgs []pkg) (broken []string) {
	for _, p := range pkgs {
		for _, f := range p.files {
			broken = append(broken, shapes(f)...)
		}
	}
	return broken
}

func shapes(f source) (broken []string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	say := func(at token.Pos, format string, args ...any) {
		broken = append(broken, fmt.Sprintf("%s:%d: ", f.path, fset.Position(at).Line)+fmt.Sprintf(format, args...))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				lines := fset.Position(n.Body.Rbrace).Line - fset.Position(n.Body.Lbrace).Line - 1
				if lines > maxFuncLines && !isTable(n) {
					say(n.Pos(), "func %s has %d lines, at most %d (a table may say //nolint:funlen // table)", n.Name.Name, lines, maxFuncLines)
				}
			}
			if k := params(n.Type); k > maxParams {
				say(n.Pos(), "func %s has %d parameters, at most %d: make it a struct", n.Name.Name, k, maxParams)
			}
		case *ast.InterfaceType:
			// Embedded contracts are counted where they are written.
			k := 0
			for _, m := range n.Methods.List {
				ft, ok := m.Type.(*ast.FuncType)
				if !ok {
					continue
				}
				k += len(m.Names)
				if q := params(ft); q > maxParams {
					say(m.Pos(), "method %s has %d parameters, at most %d: make it a struct", m.Names[0].Name, q, maxParams)
				}
			}
			if k > maxMethods {
				say(n.Pos(), "an interface of %d methods, at most %d: it is two contracts", k, maxMethods)
			}
		}
		return true
	})
	return broken
}

func isTable(f *ast.FuncDecl) bool {
	if f.Doc == nil {
		return false
	}
	return slices.ContainsFunc(f.Doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//nolint:funlen // table")
	})
}

// params counts parameters; a leading context and a *testing.T come free.
func params(f *ast.FuncType) int {
	n := 0
	for i, field := range f.Params.List {
		if typ := typeName(field.Type); (i == 0 && typ == "context.Context") || typ == "*testing.T" || typ == "testing.TB" {
			continue
		}
		n += max(1, len(field.Names))
	}
	return n
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + typeName(e.X)
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func lawDocs(pkgs []pkg) (broken []string) {
	for _, p := range pkgs {
		if !p.hasGoFiles || len(p.files) == 0 { // tests alone, or generated alone
			continue
		}
		name := "doc.go"
		if matches("cmd/*", p.path) {
			name = "main.go" // where a command says what it is
		}
		doc := slices.IndexFunc(p.files, func(f source) bool { return path.Base(f.path) == name })
		if doc < 0 && len(p.files) == 1 {
			doc = 0 // a package of one file is introduced there
		}
		if doc < 0 {
			broken = append(broken, fmt.Sprintf("package %s has no doc.go", p.path))
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), "doc.go", p.files[doc].text, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil || file.Doc == nil || len(strings.Fields(file.Doc.Text())) < 8 {
			broken = append(broken, fmt.Sprintf("%s does not say what lives in its package", p.files[doc].path))
		}
	}
	return broken
}

var (
	generatedRE  = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
	sqlCommentRE = regexp.MustCompile(`--[^\n]*`)
	bannedSQL    = map[string]*regexp.Regexp{
		"::":         regexp.MustCompile(`::`),
		"now()":      regexp.MustCompile(`(?i)\bnow\s*\(\s*\)`),
		"jsonb":      regexp.MustCompile(`(?i)\bjsonb`),
		"ANY(":       regexp.MustCompile(`(?i)\bany\s*\(`),
		"ILIKE":      regexp.MustCompile(`(?i)\bilike\b`),
		"FOR UPDATE": regexp.MustCompile(`(?i)\bfor\s+update\b`),
		"SERIAL":     regexp.MustCompile(`\bSERIAL\b|(?i:\b(big|small)serial\b)`), // a column may be called serial,
	}
)

func isGenerated(text []byte) bool { return generatedRE.Match(text) }

func lawPortableSQL(queries []source) (broken []string) {
	for _, q := range queries {
		text := sqlCommentRE.ReplaceAllString(q.text, "")
		for word, re := range bannedSQL {
			if at := re.FindStringIndex(text); at != nil {
				line := 1 + strings.Count(text[:at[0]], "\n")
				broken = append(broken, fmt.Sprintf("%s:%d: %s is not understood by both databases; what must differ stands in store/sqlite.go and store/postgres.go", q.path, line, word))
			}
		}
	}
	slices.Sort(broken)
	return broken
}

// direct picks the modules that provide a package imported by one of ours.
func direct(modules map[string]string, pkgs []pkg) map[string]string {
	used := map[string]string{}
	for _, p := range pkgs {
		for _, imp := range slices.Concat(p.outside, p.testImports) {
			best := ""
			for m := range modules {
				if (imp == m || strings.HasPrefix(imp, m+"/")) && len(m) > len(best) {
					best = m
				}
			}
			if best != "" {
				used[best] = modules[best]
			}
		}
	}
	return used
}

// lawDependencies wants each name at the start of a table row, with its version, its
// licence and a reason beside it.
func lawDependencies(used map[string]string, doc string) (broken []string) {
	rows := map[string]string{}
	tools := false // tools are built outside the module: nothing imports them
	for line := range strings.Lines(doc) {
		if strings.HasPrefix(line, "#") {
			tools = strings.Contains(line, "tools")
		}
		cells := strings.Split(line, "|")
		if len(cells) != 6 || tools {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		if cells[3] != "" && cells[4] != "" {
			rows[cells[1]] = cells[2]
		}
	}
	for name, version := range used {
		switch rows[name] {
		case version:
		case "":
			broken = append(broken, fmt.Sprintf("%s is used: give it a row \"| `%s` | %s | licence | why |\"", name, name, version))
		default:
			broken = append(broken, fmt.Sprintf("%s is used at %s, but its row says %s", name, version, rows[name]))
		}
	}
	for name := range rows {
		if _, ok := used[name]; !ok && strings.ContainsAny(name, "./@") {
			broken = append(broken, fmt.Sprintf("%s has a row, but nothing of ours imports it", name))
		}
	}
	slices.Sort(broken)
	return broken
}

var (
	linkRE     = regexp.MustCompile(`(?:\]\(|src(?:set)?=")([^)"#:\s]+)[)"#]`)
	testNameRE = regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*(?:/[^`]*)?)`")
	testFuncRE = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	wireCaseRE = regexp.MustCompile(`(?m)^-- (\S+) --$`)
)

// lawLinks follows the links of Markdown files to other files.
func lawLinks(files []source, names []string) (broken []string) {
	there := map[string]bool{".": true}
	for _, name := range names {
		for ; name != "."; name = path.Dir(name) {
			there[name] = true
		}
	}
	for _, f := range files {
		if path.Ext(f.path) != ".md" || strings.HasPrefix(f.path, "web/") {
			continue
		}
		for _, m := range linkRE.FindAllStringSubmatch(f.text, -1) {
			if to := path.Join(path.Dir(f.path), m[1]); !there[to] {
				broken = append(broken, fmt.Sprintf("%s: the link to %s leads nowhere", f.path, m[1]))
			}
		}
	}
	return broken
}

// lawTestNames looks for every test that a document names in backquotes. Of subtests it
// knows the golden cases: TestWire/theme/case.
func lawTestNames(files []source) (broken []string) {
	tests := map[string]bool{}
	for _, f := range files {
		switch path.Ext(f.path) {
		case ".go":
			for _, m := range testFuncRE.FindAllStringSubmatch(f.text, -1) {
				tests[m[1]] = true
			}
		case ".txtar":
			theme := strings.TrimSuffix(path.Base(f.path), ".txtar")
			for _, m := range wireCaseRE.FindAllStringSubmatch(f.text, -1) {
				tests["TestWire/"+theme+"/"+m[1]] = true
			}
		}
	}
	for _, f := range files {
		if path.Ext(f.path) != ".md" {
			continue
		}
		for _, m := range testNameRE.FindAllStringSubmatch(f.text, -1) {
			name := m[1]
			if !strings.HasPrefix(name, "TestWire/") {
				name, _, _ = strings.Cut(name, "/")
			}
			if !tests[name] {
				broken = append(broken, fmt.Sprintf("%s names %s, which is no test", f.path, m[1]))
			}
		}
	}
	return broken
}

// forbiddenWords are put together here, so that this file does not break its own law.
func forbiddenWords() []string {
	return []string{"/wo" + "rk/", "sub" + "agent", "/tmp/" + "brief"}
}

func lawWords(files []source, words []string) (broken []string) {
	for _, f := range files {
		lines := bufio.NewScanner(strings.NewReader(f.text))
		lines.Buffer(nil, 64<<20)
		for n := 1; lines.Scan(); n++ {
			for _, w := range words {
				if strings.Contains(strings.ToLower(lines.Text()), w) {
					broken = append(broken, fmt.Sprintf("%s:%d: says %q", f.path, n, w))
				}
			}
		}
		if err := lines.Err(); err != nil {
			broken = append(broken, fmt.Sprintf("%s: %v", f.path, err))
		}
	}
	return broken
}
