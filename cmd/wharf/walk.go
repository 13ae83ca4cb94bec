package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
)

// item is one thing of a tree that is to be transferred.
type item struct {
	local  string   // path, of this system
	remote wire.URI // its counterpart
	folder bool     // an empty folder; others come into being with their files
	size   int64    // of a file, as the walk saw it
	// modified is the time of a local file, as the walk saw it.
	modified time.Time
	// same: the server has a file of that name, size and time.
	same bool
	// replace: what is there is an older state of this very file.
	replace bool
	// note says why it is passed over. It is no failure.
	note string
	// err is a failure of the walk itself: a folder that cannot be read.
	err error
}

// walkOptions choose what of a tree is transferred.
type walkOptions struct {
	// exclude is asked about each path below the root, with slashes. Nothing
	// below an excluded folder is looked at. May be nil.
	exclude func(rel string, folder bool) bool
	// followSymlinks transfers what symbolic links point to. Otherwise they are
	// passed over with a note.
	followSymlinks bool
}

// walkLocal yields the files and empty folders below a local folder, or the one
// file that local is, with their places below remote. It reads folders in
// pieces, so that large ones need no large memory.
func walkLocal(local string, remote wire.URI, o walkOptions) iter.Seq[item] {
	return func(yield func(item) bool) {
		st, err := os.Stat(local) // a link given by name is meant
		if err != nil {
			yield(item{local: local, remote: remote, err: err})
			return
		}
		w := localWalk{o: o, yield: yield}
		w.visit(local, remote, "", st)
	}
}

// partName is how unfinished downloads are called.
var partName = regexp.MustCompile(`^\.wharf-[0-9a-f]{16}\.part$`)

type localWalk struct {
	o     walkOptions
	yield func(item) bool
	above []fs.FileInfo // the folders entered, to notice links that lead back up
}

// visit returns false when nothing more is wanted.
func (w *localWalk) visit(local string, remote wire.URI, rel string, st fs.FileInfo) bool {
	it := item{local: local, remote: remote, size: st.Size(), modified: st.ModTime()}
	if partName.MatchString(filepath.Base(local)) {
		it.note = "unfinished download"
		return w.yield(it)
	}
	switch mode := st.Mode(); {
	case mode.IsDir():
		return w.folder(local, remote, rel, st)
	case mode.IsRegular():
	case mode&fs.ModeSymlink != 0:
		if w.o.followSymlinks {
			to, err := os.Stat(local)
			if err == nil {
				return w.visit(local, remote, rel, to)
			}
			it.err = err
			break
		}
		it.note = "symbolic link"
	default:
		it.note = special(mode)
	}
	return w.yield(it)
}

func special(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

func (w *localWalk) folder(local string, remote wire.URI, rel string, st fs.FileInfo) bool {
	for _, up := range w.above {
		if os.SameFile(up, st) {
			return w.yield(item{local: local, remote: remote, note: "symbolic link to a folder above it"})
		}
	}
	w.above = append(w.above, st)
	defer func() { w.above = w.above[:len(w.above)-1] }()
	d, err := os.Open(local)
	if err != nil {
		return w.yield(item{local: local, remote: remote, err: err})
	}
	defer func() { _ = d.Close() }()
	empty := true
	for {
		entries, err := d.ReadDir(1024)
		for _, e := range entries {
			below := path.Join(rel, e.Name())
			if w.o.exclude != nil && w.o.exclude(below, e.IsDir()) {
				continue
			}
			empty = false
			child := item{local: filepath.Join(local, e.Name()), remote: remote.Child(e.Name())}
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // it was removed meanwhile
			}
			if err != nil {
				child.err = err
				if !w.yield(child) {
					return false
				}
				continue
			}
			if !w.visit(child.local, child.remote, below, st) {
				return false
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return !empty || w.yield(item{local: local, remote: remote, folder: true})
		case err != nil:
			return w.yield(item{local: local, remote: remote, err: err})
		}
	}
}

// walkRemote yields the files and empty folders below a remote folder, or the
// one file that remote is, with their places below local. Names that could
// lead elsewhere on this system are an item with an err.
func walkRemote(ctx context.Context, c *client.Client, remote wire.URI, local string) iter.Seq[item] {
	return func(yield func(item) bool) {
		f := wire.File{Type: wire.IsFolder}
		if len(remote.Path) > 0 {
			var err error
			if f, err = c.Stat(ctx, remote); err != nil {
				yield(item{local: local, remote: remote, err: err})
				return
			}
		}
		walkFolder(ctx, c, f, item{local: local, remote: remote}, yield)
	}
}

// sessionMark is the metadata key of a file with an unfinished upload.
const sessionMark = "sys:upload_session_id"

func walkFolder(ctx context.Context, c *client.Client, f wire.File, at item, yield func(item) bool) bool {
	switch {
	case f.Type == wire.IsFile && f.Size == 0 && f.Metadata[sessionMark] != "":
		at.note = "its first upload is not finished"
		return yield(at)
	case f.Type == wire.IsFile:
		at.size = f.Size
		return yield(at)
	}
	empty := true
	for child, err := range c.List(ctx, at.remote, client.ListOptions{}) {
		if err != nil {
			at.err = err
			return yield(at)
		}
		empty = false
		below := item{local: filepath.Join(at.local, child.Name), remote: at.remote.Child(child.Name)}
		if !localName(child.Name) {
			below.local = at.local
			below.err = fmt.Errorf("a file cannot be called %q here", child.Name)
			if !yield(below) {
				return false
			}
			continue
		}
		if !walkFolder(ctx, c, child, below, yield) {
			return false
		}
	}
	if empty {
		at.folder = true
		return yield(at)
	}
	return true
}

// localName reports that a name from the server names something in a folder
// here, and not the folder, its parent or a device.
func localName(name string) bool {
	return name != "." && filepath.IsLocal(name) && !strings.ContainsAny(name, "/\\\x00")
}
