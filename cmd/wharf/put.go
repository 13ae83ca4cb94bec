package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/keep"
	"github.com/wharfinger/wharfinger/client/tree"
)

// putCmd uploads.
type putCmd struct {
	Paths          []string `arg:"" name:"local… remote" help:"Files and folders, then the place on the server."`
	Chunks         int      `default:"0" help:"Pieces of each file at once; 0: as many as make it faster." placeholder:"N"`
	OnConflict     string   `enum:"fail,version,rename,skip" default:"fail" help:"When something else of that name is there: ${enum}." placeholder:"WHAT"`
	Checksum       bool     `help:"With -r: compare contents, also of files whose name, size and time are those on the server."`
	Exclude        []string `help:"Leave out names like this, such as '*.tmp' or 'build/'." placeholder:"PATTERN" sep:"none"`
	Way            string   `enum:"auto,straight,relay" default:"auto" help:"To storage behind the server: ${enum} (straight where it can be reached, else through the server)."`
	FollowSymlinks bool     `help:"Upload what symbolic links point to."`
	transferFlags
}

// ways are the values of --way.
var ways = map[string]client.Way{"straight": client.Straight, "relay": client.Relayed}

// Help is shown below the flags.
func (putCmd) Help() string {
	return `REMOTE is a path like /docs/ or a URI like cloudreve://my/docs. One file becomes REMOTE, unless that is a
folder or ends with a slash. A folder DIR, or one of several sources, goes into the folder REMOTE under its own
name; DIR/. stands for what is in DIR.

A file whose very bytes are there already is left alone, so the same command again stores only what is missing. With -r,
a file whose name, size and time are those on the server is taken for the same without a look at its bytes; --checksum
looks: files up to 256 KiB are compared by sending them, of larger ones only what is missing is sent.`
}

// Validate implements a check of kong's.
func (c *putCmd) Validate() error {
	if len(c.Paths) < 2 {
		return errors.New("put needs at least one local path and a remote one")
	}
	if c.Chunks < 0 || c.Chunks > 64 {
		return errors.New("--chunks must be from 0 to 64")
	}
	if _, err := excluder(c.Exclude); err != nil {
		return err
	}
	return c.check()
}

// Run uploads.
func (c *putCmd) Run(ctx context.Context, std streams) error {
	local, remote := c.Paths[:len(c.Paths)-1], c.Paths[len(c.Paths)-1]
	to, err := parseRemote(remote)
	if err != nil {
		return err
	}
	var w *keep.Way
	cl, err := c.connect(keep.Over(&w))
	if err != nil {
		return err
	}
	defer w.Keep()
	items, err := c.plan(ctx, cl, local, to, inside(remote))
	if err != nil {
		return err
	}
	batch, err := cl.NewBatch(ctx)
	if err != nil && !client.IsRetryable(err) {
		return err
	}
	t := new(tally)
	p := newProgress(std, c.transferFlags, "sent")
	like := client.UploadInput{
		OnConflict: client.Conflict(c.OnConflict), Chunks: c.Chunks, Limiter: c.limiter(), Progress: p.event,
		GiveUpAfter: c.patience(), Batch: batch, Way: ways[c.Way],
	}
	if c.Recursive && !c.Checksum {
		items = marked(ctx, tree.New(cl), items, like.OnConflict)
	}
	err = each(ctx, items, crew{n: c.Files, small: c.newSmall(cl, like), do: func(ctx context.Context, it item) result { return put(ctx, cl, it, like) }, told: func(r result) {
		if r.note == "" {
			t.count(r.err)
		}
		p.result(r)
	}})
	return finish(p, t, err)
}

// marked marks the items that need not be sent.
func marked(ctx context.Context, known *tree.Known, items iter.Seq[item], how client.Conflict) iter.Seq[item] {
	return func(yield func(item) bool) {
		for it := range items {
			plain := it.err == nil && it.note == "" && !it.folder
			it.same = plain && how != client.Skip && known.Has(ctx, it.remote, tree.File{Size: it.size, Modified: it.modified})
			if !yield(it) {
				return
			}
		}
	}
}

// put uploads one item.
func put(ctx context.Context, cl *client.Client, it item, like client.UploadInput) result {
	r := result{item: it}
	if it.folder {
		_, r.err = cl.Mkdir(ctx, it.remote)
		return r
	}
	like.URI = it.remote
	if it.replace {
		like.OnConflict = client.Version
	}
	out, err := cl.UploadFile(ctx, it.local, like)
	r.outcome, r.size, r.sent, r.resumed, r.took, r.err = out.Outcome, out.Size, out.Sent, out.Resumed, out.Took, err
	if as := remotePath(out.URI); as != remotePath(it.remote) {
		r.as = as
	}
	return r
}

// plan decides where each source goes, and looks at all of them before the
// first byte is sent.
func (c *putCmd) plan(ctx context.Context, cl *client.Client, local []string, to wire.URI, into bool) (iter.Seq[item], error) {
	exclude, err := excluder(c.Exclude)
	if err != nil {
		return nil, err
	}
	o := walkOptions{exclude: exclude, followSymlinks: c.FollowSymlinks}
	var walks []iter.Seq[item]
	for _, name := range local {
		st, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, err
		case st.IsDir() && !c.Recursive:
			return nil, &exit{exitUsage, fmt.Errorf("%s is a folder; use -r to upload it", name)}
		case st.IsDir() && contentsOf(filepath.ToSlash(name)):
			walks = append(walks, walkLocal(name, to, o))
			continue
		}
		place := func() (wire.URI, error) { return fileTarget(ctx, cl, to, name) }
		if into || st.IsDir() || len(local) > 1 {
			place = func() (wire.URI, error) { return childOf(to, name) }
		}
		target, err := place()
		if err != nil {
			return nil, err
		}
		walks = append(walks, walkLocal(name, target, o))
	}
	return func(yield func(item) bool) {
		for _, walk := range walks {
			for it := range walk {
				if !yield(it) {
					return
				}
			}
		}
	}, nil
}

func childOf(to wire.URI, local string) (wire.URI, error) {
	abs, err := filepath.Abs(local) // ".." has a name too
	if err != nil {
		return to, err
	}
	base := filepath.Base(abs)
	if strings.Trim(base, `/\`) == "" {
		return to, &exit{exitUsage, fmt.Errorf("%s has no name of its own; write %s. to mean what is in it", local, local)}
	}
	return to.Child(base), nil
}

// fileTarget is the name that one file gets: to itself, or its own name in the
// folder to.
func fileTarget(ctx context.Context, cl *client.Client, to wire.URI, local string) (wire.URI, error) {
	if len(to.Path) == 0 {
		return childOf(to, local)
	}
	f, err := cl.Stat(ctx, to)
	switch {
	case err == nil && f.Type == wire.IsFolder:
		return childOf(to, local)
	case err == nil, client.IsNotFound(err):
		return to, nil
	}
	return to, err
}
