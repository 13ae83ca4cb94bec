package archive

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// packer makes one archive.
type packer struct {
	catalog *catalog.Catalog
	who     core.Actor
	zip     *zip.Writer
	names   map[string]bool // of the top level
	begun   bool            // bytes were sent: a failure can be told no more
}

// send writes the archive as the answer to q. Where something fails after the first
// byte, the connection ends without the end of the archive: what its receiver has is
// broken and known to be.
func (p *packer) send(q *desk.Call, refs []catalog.Ref, stall time.Duration, now core.Clock) error {
	h := q.W.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="archive.zip"`)
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(q.W)
	p.zip = zip.NewWriter(writerFunc(func(b []byte) (int, error) {
		p.begun = true
		_ = rc.SetWriteDeadline(now().Add(stall)) // not every transport has one
		return q.W.Write(b)
	}))
	err := p.all(q.Ctx(), refs)
	if err == nil {
		err = p.zip.Close()
	}
	_ = rc.SetWriteDeadline(time.Time{})
	switch {
	case err == nil:
		return nil
	case !p.begun:
		for _, k := range []string{"Content-Type", "Content-Disposition", "X-Accel-Buffering"} {
			h.Del(k)
		}
		return err
	}
	q.Note(err)
	panic(http.ErrAbortHandler)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (p *packer) all(ctx context.Context, refs []catalog.Ref) error {
	for _, ref := range refs {
		n, err := p.catalog.Find(ctx, p.who, ref)
		if err != nil {
			return err
		}
		if err := p.add(ctx, ref, n, p.free(n.Name)); err != nil {
			return err
		}
	}
	return nil
}

// free is a name for the top level: a selection may name files of several folders.
func (p *packer) free(name string) string {
	if name == "" {
		return "" // a root: what is in it lies at the top
	}
	ext := path.Ext(name)
	for i, as := 2, name; ; i++ {
		if key := strings.ToLower(as); !p.names[key] {
			p.names[key] = true
			return as
		}
		as = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), i, ext)
	}
}

func (p *packer) add(ctx context.Context, ref catalog.Ref, n catalog.Node, as string) error {
	if n.Kind == catalog.File {
		return p.file(ctx, ref, n, as)
	}
	if as != "" {
		header := zip.FileHeader{Name: as + "/", Modified: n.Updated}
		header.SetMode(fs.ModeDir | 0o755)
		if _, err := p.zip.CreateHeader(&header); err != nil {
			return err
		}
	}
	q := catalog.ListQuery{Order: catalog.ByName, Limit: catalog.MaxPage}
	for {
		l, err := p.catalog.List(ctx, p.who, ref, q)
		if err != nil {
			return gone(err)
		}
		for _, child := range l.Nodes {
			at := ref
			at.Path = ref.Path.Join(child.Name)
			if err := p.add(ctx, at, child, path.Join(as, child.Name)); err != nil {
				return err
			}
		}
		if !l.More {
			return nil
		}
		q.After = &l.Nodes[len(l.Nodes)-1]
	}
}

// gone passes over what somebody has deleted or moved since it was listed.
func gone(err error) error {
	if errs.Has(err, errs.PathMissing) || errs.Has(err, errs.VersionMissing) {
		return nil
	}
	return err
}

func (p *packer) file(ctx context.Context, ref catalog.Ref, n catalog.Node, as string) error {
	if n.Version == 0 && n.Session != "" {
		return nil // its first upload is under way
	}
	n, version, err := p.catalog.Choose(ctx, p.who, ref, nil)
	if err != nil {
		return gone(err)
	}
	body, err := p.catalog.OpenVersion(ctx, version)
	if err != nil {
		return gone(err)
	}
	defer func() { _ = body.Close() }() // read only: nothing can be lost
	// Stored, not deflated: what is large is compressed already, and the server has
	// better things to do.
	w, err := p.zip.CreateHeader(&zip.FileHeader{Name: as, Method: zip.Store, Modified: n.Updated})
	if err != nil {
		return err
	}
	got, err := io.Copy(w, body)
	if err == nil && got != n.Size {
		err = errs.Newf(errs.Internal, errs.RecoverNeeded, "%d bytes of %d were read", got, n.Size)
	}
	return err
}
