package core

import (
	"strings"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// MaxDepth bounds the elements of a path, so that no walk is long (promise H15).
const MaxDepth = 256

// Path is an absolute, clean path in one user's tree: "/" or "/a/b", never with
// a trailing slash, an empty element, "." or "..". Whether its names are allowed
// is catalog's rule, not Path's.
type Path struct{ s string }

// Root is the path of the root folder.
var Root = Path{}

// ParsePath cleans s: repeated and trailing slashes, "." and ".." collapse and
// never climb above the root.
func ParsePath(s string) (Path, error) {
	return JoinPath(strings.Split(s, "/"))
}

// JoinPath makes a path of elements, cleaning them as ParsePath does.
func JoinPath(elems []string) (Path, error) {
	const op = "core.JoinPath"
	var clean []string
	for _, e := range elems {
		switch e {
		case "", ".":
		case "..":
			if len(clean) > 0 {
				clean = clean[:len(clean)-1]
			}
		default:
			if strings.Contains(e, "/") {
				return Path{}, errs.New(errs.Invalid, errs.BadURI).At(op)
			}
			clean = append(clean, e)
		}
	}
	if len(clean) > MaxDepth {
		return Path{}, errs.Newf(errs.Invalid, errs.BadURI, "The path is deeper than %d folders.", MaxDepth).At(op)
	}
	if len(clean) == 0 {
		return Root, nil
	}
	return Path{"/" + strings.Join(clean, "/")}, nil
}

// String returns "/" for the root and "/a/b" otherwise.
func (p Path) String() string {
	if p.s == "" {
		return "/"
	}
	return p.s
}

// IsRoot reports whether p is the root folder.
func (p Path) IsRoot() bool { return p.s == "" }

// Names returns the elements from the root down; none for the root.
func (p Path) Names() []string {
	if p.s == "" {
		return nil
	}
	return strings.Split(p.s[1:], "/")
}

// Name returns the last element, "" for the root.
func (p Path) Name() string { return p.s[strings.LastIndexByte(p.s, '/')+1:] }

// Dir returns the folder that holds p; the root holds itself.
func (p Path) Dir() Path {
	if i := strings.LastIndexByte(p.s, '/'); i > 0 {
		return Path{p.s[:i]}
	}
	return Root
}

// Join returns p with one more element, which must hold no slash.
func (p Path) Join(name string) Path { return Path{p.s + "/" + name} }

// Under reports whether p is dir or lies below it.
func (p Path) Under(dir Path) bool {
	return dir.s == "" || p.s == dir.s || strings.HasPrefix(p.s, dir.s+"/")
}
