package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture holds the laws of the house on the tree as it is. Each law is a
// function in arch_laws_test.go that takes plain values and returns what breaks it;
// arch_proof_test.go shows of each one that it can fail.
func TestArchitecture(t *testing.T) {
	t.Parallel()

	tree := loadTree(t)

	laws := []struct {
		name  string
		why   string
		check func() []string
	}{
		{
			"imports go only to the rooms listed",
			"a room that knows too much cannot be replaced, tested alone, or understood alone",
			func() []string { return lawImports(tree.pkgs) },
		},
		{
			"product code does not import test kits",
			"blobtest and storetest link the testing package and faulty disks into whoever imports them",
			func() []string { return lawTestKits(tree.pkgs) },
		},
		{
			"the longest chain of imports is short",
			"from the command to the ground in eight steps, so that a reader can hold the path in mind",
			func() []string { return lawChain(tree.pkgs, maxChain) },
		},
		{
			"a package imports few siblings",
			"only app and the commands may see everything",
			func() []string { return lawFanOut(tree.pkgs, maxSiblings) },
		},
		{
			"packages and files are of readable size",
			"past that size they hold two things",
			func() []string { return lawSizes(tree.pkgs) },
		},
		{
			"functions, interfaces and parameter lists are short",
			"what does not fit on a screen hides a second thing",
			func() []string { return lawShapes(tree.pkgs) },
		},
		{
			"every package says what lives in it",
			"doc.go: what lives here, who may come in, one example",
			func() []string { return lawDocs(tree.pkgs) },
		},
		{
			"queries are one text for both databases",
			"SQLite and PostgreSQL run the same statements, so both are tested by one suite",
			func() []string { return lawPortableSQL(tree.queries) },
		},
		{
			"every direct dependency has its line in docs/DEPENDENCIES.md",
			"a library is a promise made by others; somebody must have said why we believe it",
			func() []string { return lawDependencies(tree.dependencies, tree.dependencyDoc) },
		},
		{
			"links between documents lead somewhere",
			"a reader who follows a dead link does not follow the next",
			func() []string { return lawLinks(tree.tracked, tree.names) },
		},
		{
			"tests that documents name are there",
			"a promise that says which test holds it must not outlive the test",
			func() []string { return lawTestNames(tree.tracked) },
		},
		{
			"committed text speaks of the product only",
			"paths and words of one workplace mean nothing to a reader",
			func() []string { return lawWords(tree.tracked, forbiddenWords()) },
		},
	}

	for _, law := range laws {
		t.Run(strings.ReplaceAll(law.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for _, broken := range law.check() {
				t.Errorf("%s\n\t(%s: %s)", broken, law.name, law.why)
			}
		})
	}
}

// tree is everything the laws look at.
type tree struct {
	pkgs          []pkg
	queries       []source
	tracked       []source          // committed text, commit messages included
	names         []string          // of all files, pictures too
	dependencies  map[string]string // name to version
	dependencyDoc string
}

// source is one file: its path from the root of the repository, and its text.
type source struct {
	path string
	text string
}

// pkg is one package of this module, with hand-written, non-test files only.
type pkg struct {
	path        string   // import path below the module; "" is the root
	imports     []string // the same form, product files
	outside     []string // import paths of other modules, product files
	testImports []string // import paths of other modules, test files
	files       []source
	hasGoFiles  bool // false for a folder of tests alone
}

func loadTree(t *testing.T) tree {
	t.Helper()

	root := repositoryRoot(t)
	tr := tree{pkgs: loadPackages(t, root), names: walk(t, root)}
	tr.tracked = loadTracked(t, root, tr.names)

	for _, s := range tr.tracked {
		switch {
		case strings.HasPrefix(s.path, "internal/store/query/") && strings.HasSuffix(s.path, ".sql"):
			tr.queries = append(tr.queries, s)
		case s.path == "docs/DEPENDENCIES.md":
			tr.dependencyDoc = s.text
		}
	}

	tr.dependencies = goDependencies(t, root, tr.pkgs)
	maps.Copy(tr.dependencies, npmDependencies(t, root))
	return tr
}

func repositoryRoot(t *testing.T) string {
	t.Helper()

	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatalf("no go.mod above internal/app: %v", err)
	}
	return root
}

func loadPackages(t *testing.T, root string) []pkg {
	t.Helper()

	dec := json.NewDecoder(bytes.NewReader(command(t, root, "go", "list", "-e", "-json", "./...")))
	var pkgs []pkg
	for {
		var l struct {
			Dir, ImportPath                     string
			GoFiles, Imports                    []string
			TestImports, XTestImports, CgoFiles []string
		}
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(l.Dir, "node_modules") {
			continue
		}

		p := pkg{path: below(l.ImportPath), hasGoFiles: len(l.GoFiles)+len(l.CgoFiles) > 0}
		p.imports, p.outside = split(l.Imports)
		_, p.testImports = split(append(l.TestImports, l.XTestImports...))
		for _, name := range l.GoFiles {
			text, err := os.ReadFile(filepath.Join(l.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if !isGenerated(text) {
				p.files = append(p.files, source{filepath.ToSlash(filepath.Join(p.path, name)), string(text)})
			}
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list found no package: the laws would hold of nothing")
	}
	return pkgs
}

// split tells imports of this module from those of others; the standard library is neither.
func split(paths []string) (ours, others []string) {
	for _, p := range paths {
		switch {
		case p == modulePath || strings.HasPrefix(p, modulePath+"/"):
			ours = append(ours, below(p))
		case strings.Contains(strings.SplitN(p, "/", 2)[0], "."):
			others = append(others, p)
		}
	}
	return ours, others
}

func below(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
}

// loadTracked reads what git tracks, as it is in the working tree, and what commits
// say. In a tree without git (a release archive) it reads all names instead.
func loadTracked(t *testing.T, root string, names []string) []source {
	t.Helper()

	var files []source
	if out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output(); err == nil {
		names = strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
		files = append(files, source{"commit messages", string(command(t, root, "git", "log", "--format=%B"))})
	}

	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) < 0 {
			files = append(files, source{name, string(text)})
		}
	}
	if len(files) == 0 {
		t.Fatal("no committed text found")
	}
	return files
}

// walk names all files. Reading the folders is also how the test cache learns that a
// new file makes this test worth running again.
func walk(t *testing.T, root string) []string {
	t.Helper()

	var names []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".tools", "bin", "coverage", "data", "dist", "node_modules", "out"}, d.Name()):
			return filepath.SkipDir
		case d.Type().IsRegular():
			name, err := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// goDependencies names the modules that our own packages import, tests included.
// The "// indirect" remarks of go.mod are not asked: they may be out of date.
func goDependencies(t *testing.T, root string, pkgs []pkg) map[string]string {
	t.Helper()

	var mod struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(command(t, root, "go", "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	modules := map[string]string{}
	for _, r := range mod.Require {
		modules[r.Path] = r.Version
	}
	return direct(modules, pkgs)
}

func npmDependencies(t *testing.T, root string) map[string]string {
	t.Helper()

	text, err := os.ReadFile(filepath.Join(root, "web", "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Dependencies, DevDependencies map[string]string }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for name, version := range file.Dependencies {
		all[name] = strings.TrimLeft(version, "^~")
	}
	for name, version := range file.DevDependencies {
		all[name] = strings.TrimLeft(version, "^~")
	}
	return all
}

func command(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()

	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return out
}
