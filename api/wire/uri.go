package wire

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Limits of a file URI. Longer or deeper ones are refused before any work.
const (
	MaxURILength = 64 << 10
	MaxURIDepth  = 512
)

// Scheme is the scheme of file URIs.
const Scheme = "cloudreve"

// The file systems that a URI can name.
const (
	FSMy     = "my"
	FSShare  = "share"
	FSTrash  = "trash"
	FSShared = "shared_with_me"
)

// ErrURI is what every error of ParseURI is.
var ErrURI = errors.New("not a file URI")

// URI names a file or folder:
//
//	cloudreve://[ user [ ":" password ] "@" ] fs [ "/" path ] [ "?" search ]
//
// It has two printed forms, [URI.String] of listings and [URI.Raw] of upload
// sessions. Compare URIs parsed, never as text.
type URI struct {
	// FS is the file system, in lower case. It may be one that does not exist.
	FS string
	// User is a user's id on my, a share's id on share; empty for the caller.
	User     string
	Password string
	// Path has the decoded names from the root down, none of them empty, "." or
	// "..". Names are not checked otherwise: they may hold any other byte but
	// "/". The root has none.
	Path []string
	// Query turns the listing of a folder into a search.
	Query url.Values
}

// ParseURI reads a URI as clients write it: raw spaces and non-ASCII letters
// are understood, a raw "#" ends it, "+" is itself, an encoded "/" separates.
// Repeated and trailing slashes, "." and ".." collapse and never climb above
// the root. Every error is an ErrURI.
func ParseURI(s string) (URI, error) {
	if len(s) > MaxURILength {
		return URI{}, fmt.Errorf("%w: longer than %d bytes", ErrURI, MaxURILength)
	}
	p, err := url.Parse(s)
	if err != nil {
		return URI{}, fmt.Errorf("%w: %w", ErrURI, err)
	}
	if p.Scheme != Scheme || p.Host == "" {
		return URI{}, fmt.Errorf("%w: does not begin with %s:// and a file system", ErrURI, Scheme)
	}
	u := URI{FS: lowerASCII(p.Host), Path: cleanPath(p.Path)}
	if len(u.Path) > MaxURIDepth {
		return URI{}, fmt.Errorf("%w: deeper than %d names", ErrURI, MaxURIDepth)
	}
	if p.User != nil {
		u.User = p.User.Username()
		u.Password, _ = p.User.Password()
	}
	if q := p.Query(); len(q) > 0 {
		u.Query = q
	}
	return u, nil
}

// MyURI is the URI of a path in the caller's own drive.
func MyURI(path ...string) URI { return URI{FS: FSMy, Path: path} }

// At is the URI of a path in the drive or share that u is in.
func (u URI) At(path ...string) URI {
	return URI{FS: u.FS, User: u.User, Password: u.Password, Path: path}
}

// Child is the URI of name in the folder u, without the search of u.
func (u URI) Child(name string) URI {
	path := make([]string, 0, len(u.Path)+1)
	return URI{FS: u.FS, User: u.User, Password: u.Password, Path: append(append(path, u.Path...), name)}
}

// Name is the last name of the path, empty for the root.
func (u URI) Name() string {
	if len(u.Path) == 0 {
		return ""
	}
	return u.Path[len(u.Path)-1]
}

// String prints the form of listings: each name encoded as ECMAScript's
// encodeURIComponent does, the root with its slash.
func (u URI) String() string {
	var b strings.Builder
	b.WriteString(Scheme + "://")
	if u.User != "" || u.Password != "" {
		b.WriteString(escapeComponent(u.User))
		if u.Password != "" {
			b.WriteString(":" + escapeComponent(u.Password))
		}
		b.WriteByte('@')
	}
	b.WriteString(u.host())
	for _, name := range u.Path {
		b.WriteString("/" + escapeComponent(name))
	}
	if len(u.Path) == 0 {
		b.WriteByte('/')
	}
	if len(u.Query) > 0 {
		b.WriteString("?" + u.Query.Encode())
	}
	return b.String()
}

// Raw prints the form of upload sessions: as net/url writes the cleaned
// request URI, which also escapes "!", "'", "(", ")" and "*" and leaves more
// of the others as they are.
func (u URI) Raw() string {
	p := url.URL{Scheme: Scheme, Host: u.FS, Path: "/" + strings.Join(u.Path, "/"), RawQuery: u.Query.Encode()}
	switch {
	case u.Password != "":
		p.User = url.UserPassword(u.User, u.Password)
	case u.User != "":
		p.User = url.User(u.User)
	}
	return p.String()
}

// host is FS as net/url writes hosts, which only matters to file systems that
// do not exist.
func (u URI) host() string {
	return strings.TrimPrefix((&url.URL{Host: u.FS}).String(), "//")
}

// cleanPath splits a decoded path into names.
func cleanPath(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		switch name {
		case "", ".":
		case "..":
			if len(names) > 0 {
				names = names[:len(names)-1]
			}
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return names
}

func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// escapeComponent is encodeURIComponent over bytes, so that it is also total
// over names that are not UTF-8.
func escapeComponent(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}
