package tree

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
)

const (
	// maxFiles is how many files of a folder are looked at. Of a larger one the
	// rest is unknown: to list a million files for the sake of a few costs more
	// than to send those.
	maxFiles = 10_000
	pageSize = 2000
	// maxFolders is how many folders are remembered: a walk in depth comes back
	// to those above it.
	maxFolders = 64
	// patience is how long a listing may take. What could not be asked for is
	// unknown, and sending it says why.
	patience = 20 * time.Second
)

// File is a file at hand.
type File struct {
	Size     int64
	Modified time.Time
}

// Known answers from listings. It is for one goroutine.
type Known struct {
	cl      *client.Client
	folders map[string]folder
	order   []string // of folders, oldest first
}

// folder is what a listing said; nil where there is no such folder.
type folder map[string]wire.File

// New returns a Known that has asked nothing yet.
func New(cl *client.Client) *Known { return &Known{cl: cl, folders: map[string]folder{}} }

// Has reports that the server has a finished file of that name, size and time (to
// the millisecond, as uploads carry it). False also where it cannot tell.
func (k *Known) Has(ctx context.Context, uri wire.URI, f File) bool {
	n := len(uri.Path)
	if n == 0 || f.Modified.UnixMilli() <= 0 {
		return false
	}
	there, ok := k.folder(ctx, uri, n-1)[uri.Path[n-1]]
	return ok && there.Type == wire.IsFile && there.Size == f.Size && there.UpdatedAt.UnixMilli() == f.Modified.UnixMilli() &&
		there.Metadata[sessionMark] == "" && there.PrimaryEntity != "" && !there.Damaged
}

// sessionMark is the metadata key of a file with an unfinished upload.
const sessionMark = "sys:upload_session_id"

// folder is the listing of the first depth names of uri.
func (k *Known) folder(ctx context.Context, uri wire.URI, depth int) folder {
	dir := uri
	dir.Path = uri.Path[:depth:depth]
	key := dir.String()
	if f, known := k.folders[key]; known {
		return f
	}
	var f folder
	// What is not in the folder above need not be asked for.
	above, known := folder(nil), false
	if depth > 0 {
		up := uri
		up.Path = uri.Path[: depth-1 : depth-1]
		above, known = k.folders[up.String()]
	}
	if d, there := above[last(dir)]; !known || len(above) >= maxFiles || there && d.Type == wire.IsFolder {
		f = k.list(ctx, dir)
	}
	if len(k.order) == maxFolders {
		delete(k.folders, k.order[0])
		k.order = k.order[1:]
	}
	k.order = append(k.order, key)
	k.folders[key] = f
	return f
}

func last(dir wire.URI) string {
	if len(dir.Path) == 0 {
		return ""
	}
	return dir.Path[len(dir.Path)-1]
}

func (k *Known) list(ctx context.Context, dir wire.URI) folder {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	f := folder{}
	for file, err := range k.cl.List(ctx, dir, client.ListOptions{PageSize: pageSize}) {
		if err != nil || len(f) >= maxFiles {
			break
		}
		f[file.Name] = file
	}
	return f
}
