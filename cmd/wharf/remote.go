package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
)

// parseRemote reads a place on the server as people write it: a file URI, or a
// path in their own drive, raw, with or without the first slash.
func parseRemote(s string) (wire.URI, error) {
	if strings.HasPrefix(s, wire.Scheme+"://") {
		u, err := wire.ParseURI(s)
		if err != nil {
			return u, &exit{exitUsage, err}
		}
		if u.FS != wire.FSMy {
			return u, &exit{exitUsage, fmt.Errorf("%s: only places in your own drive, cloudreve://my/…, can be used yet", s)}
		}
		return u, nil
	}
	if s == "" {
		return wire.URI{}, &exit{exitUsage, fmt.Errorf("a remote path is empty; the root is /")}
	}
	var names []string
	for name := range strings.SplitSeq(path.Clean("/"+s), "/") {
		if name != "" {
			names = append(names, name)
		}
	}
	return wire.MyURI(names...), nil
}

// remotePath is a URI as people write it.
func remotePath(u wire.URI) string { return "/" + strings.Join(u.Path, "/") }

// inside reports that s, a path of either side, says "into this folder".
func inside(s string) bool {
	return strings.HasSuffix(s, "/") || s == "." || strings.HasSuffix(s, "/.") || s == ".." || strings.HasSuffix(s, "/..")
}

// contentsOf reports that s means what is in the folder, not the folder.
func contentsOf(s string) bool { return s == "." || strings.HasSuffix(s, "/.") }
