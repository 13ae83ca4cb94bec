package localblob

import (
	"path"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
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

// fan returns the directory of a name, which is its first two letters. One
// level is enough: a directory of ext4 or XFS takes millions of names, and each
// new directory costs two syncs more.
func fan(name string) string {
	const width = 2
	return (name + strings.Repeat(pad, max(0, width-len(name))))[:width]
}

func blobPath(key string) string {
	name := nameOf(key)
	return path.Join(blobs, fan(name), name)
}

// pathOf is the file of an object or of a pack.
func pathOf(key string) string {
	if blob.PackName(key) != "" {
		return packPath(key)
	}
	return blobPath(key)
}

func stagedPath(key string) string {
	name := nameOf(key)
	return path.Join(staging, fan(name), name)
}
