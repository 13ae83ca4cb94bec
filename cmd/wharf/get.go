package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
)

// getCmd downloads.
type getCmd struct {
	Remote     string `arg:"" name:"remote" help:"File or folder on the server."`
	Local      string `arg:"" optional:"" name:"local" default:"." help:"Where to: a name, a folder, or - for standard output. Default: here."`
	OnConflict string `enum:"fail,overwrite,rename,skip" default:"fail" help:"When something else of that name is there: ${enum}." placeholder:"WHAT"`
	Entity     string `help:"This version of a file instead of the current one." placeholder:"ID"`
	transferFlags
}

// Help is shown below the flags.
func (getCmd) Help() string {
	return `REMOTE is a path like /docs/a.pdf or a URI like cloudreve://my/docs. A file becomes LOCAL, unless that is a
folder or ends with a slash. A folder DIR goes into the folder LOCAL under its own name; DIR/. stands for what is
in DIR. A file appears under its name only when it is whole and verified.`
}

// Validate implements a check of kong's.
func (c *getCmd) Validate() error {
	if c.Local == "-" && c.Recursive {
		return errors.New("a folder cannot go to standard output")
	}
	if c.Entity != "" && c.Recursive {
		return errors.New("--entity is for one file")
	}
	return c.check()
}

// Run downloads.
func (c *getCmd) Run(ctx context.Context, std streams) error {
	from, err := parseRemote(c.Remote)
	if err != nil {
		return err
	}
	cl, err := c.connect()
	if err != nil {
		return err
	}
	like := client.DownloadInput{
		URI: from, Entity: c.Entity, OnConflict: client.Conflict(c.OnConflict), Limiter: c.limiter(), GiveUpAfter: c.patience(),
		Batch: new(client.Batch),
	}
	if c.Local == "-" {
		_, err := cl.Download(ctx, like, std.out)
		return err
	}
	base, local, err := c.plan(ctx, cl, from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(base, 0o777); err != nil { //nolint:gosec // the umask decides
		return err
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return err
	}
	defer root.Close()
	t := new(tally)
	p := newProgress(std, c.transferFlags, "received")
	like.Root, like.Progress = root, p.event
	items := walkRemote(ctx, cl, from, local)
	err = each(ctx, items, crew{n: c.Files, do: func(ctx context.Context, it item) result { return get(ctx, cl, it, base, like) }, told: func(r result) {
		if r.note == "" {
			t.count(r.err)
		}
		p.result(r)
	}})
	return finish(p, t, err)
}

// get downloads one item into the folder base.
func get(ctx context.Context, cl *client.Client, it item, base string, like client.DownloadInput) result {
	r := result{item: it}
	rel, err := filepath.Rel(base, it.local)
	if err != nil {
		r.err = err
		return r
	}
	dir := rel
	if !it.folder {
		dir = filepath.Dir(rel)
	}
	if r.err = like.Root.MkdirAll(dir, 0o777); r.err != nil || it.folder {
		return r
	}
	like.URI = it.remote
	if tell := like.Progress; tell != nil {
		like.Progress = func(e client.Event) {
			e.Local = it.local
			tell(e)
		}
	}
	out, err := cl.DownloadFile(ctx, filepath.ToSlash(rel), like)
	r.outcome, r.size, r.sent, r.resumed, r.took, r.err = out.Outcome, out.Size, out.Received, out.Resumed, out.Took, err
	if as := filepath.Join(base, filepath.FromSlash(out.Path)); err == nil && as != it.local {
		r.as = as
	}
	return r
}

// plan finds the folder that nothing leaves, and the local name in it.
func (c *getCmd) plan(ctx context.Context, cl *client.Client, from wire.URI) (base, local string, err error) {
	f := wire.File{Type: wire.IsFolder}
	if len(from.Path) > 0 {
		if f, err = cl.Stat(ctx, from); err != nil {
			return "", "", err
		}
		if !localName(from.Name()) {
			return "", "", fmt.Errorf("a file cannot be called %q here; give it another local name", from.Name())
		}
	}
	if f.Type == wire.IsFolder {
		if !c.Recursive {
			return "", "", &exit{exitUsage, fmt.Errorf("%s is a folder; use -r to download it", c.Remote)}
		}
		if contentsOf(c.Remote) || len(from.Path) == 0 {
			return c.Local, filepath.Clean(c.Local), nil
		}
		return c.Local, filepath.Join(c.Local, from.Name()), nil
	}
	st, err := os.Stat(c.Local)
	switch {
	case err == nil && st.IsDir() || errors.Is(err, fs.ErrNotExist) && inside(filepath.ToSlash(c.Local)):
		return c.Local, filepath.Join(c.Local, from.Name()), nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return filepath.Dir(c.Local), filepath.Clean(c.Local), nil
	}
	return "", "", err
}
