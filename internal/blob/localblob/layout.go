package localblob

import (
	"path"
	"strings"
)

const (
	blobs   = "blobs"
	staging = "staging"

	// pad and lost use a byte that no key has and that sorts before all of
	// them, so that the order of names stays the order of keys.
	pad  = "+"
	lost = "+lost"
)

func nameOf(key string) string { return strings.ReplaceAll(key, "/", ".") }
func keyOf(name string) string { return strings.ReplaceAll(name, ".", "/") }

// fan returns the two directory levels of a name, which are its first four
// letters.
func fan(name string) (a, b string) {
	const width = 2
	name += strings.Repeat(pad, max(0, 2*width-len(name)))
	return name[:width], name[width : 2*width]
}

func blobPath(key string) string {
	name := nameOf(key)
	a, b := fan(name)
	return path.Join(blobs, a, b, name)
}

func stagedPath(key string) string {
	name := nameOf(key)
	a, _ := fan(name)
	return path.Join(staging, a, name)
}
