package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// lsCmd lists.
type lsCmd struct {
	Remote []string `arg:"" optional:"" name:"remote" help:"Folders or files. Default: /"`
	Long   bool     `short:"l" help:"With size and time."`
	JSON   bool     `name:"json" help:"One JSON object a line: path, uri, type (file or folder), size, modified, entity, uploading."`
	remoteFlags
}

// listed is a line of ls --json.
type listed struct {
	Path      string    `json:"path"`
	URI       string    `json:"uri"`
	Type      string    `json:"type"`
	Size      int64     `json:"size"`
	Modified  time.Time `json:"modified"`
	Entity    string    `json:"entity,omitempty"`
	Uploading bool      `json:"uploading,omitempty"`
}

// Run lists.
func (c *lsCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	if len(c.Remote) == 0 {
		c.Remote = []string{"/"}
	}
	out := bufio.NewWriter(std.out)
	t := new(tally)
	for i, arg := range c.Remote {
		if len(c.Remote) > 1 && !c.JSON {
			fmt.Fprintf(out, "%s:\n", show(arg))
		}
		err := c.list(ctx, cl, out, arg)
		if t.count(err); err != nil {
			_ = out.Flush()
			complain(std.err, arg, err)
		}
		if len(c.Remote) > 1 && !c.JSON && i < len(c.Remote)-1 {
			fmt.Fprintln(out)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return t.exit()
}

func (c *lsCmd) list(ctx context.Context, cl *client.Client, out io.Writer, arg string) error {
	uri, err := parseRemote(arg)
	if err != nil {
		return err
	}
	if len(uri.Path) > 0 {
		f, err := cl.Stat(ctx, uri)
		if err != nil {
			return err
		}
		if f.Type == wire.IsFile {
			return c.print(out, f, uri)
		}
	}
	for f, err := range cl.List(ctx, uri, client.ListOptions{}) {
		if err != nil {
			return err
		}
		if err := c.print(out, f, uri.Child(f.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *lsCmd) print(out io.Writer, f wire.File, uri wire.URI) error {
	l := listed{
		Path: remotePath(uri), URI: uri.String(), Type: "file", Size: f.Size, Modified: f.UpdatedAt, Entity: f.PrimaryEntity,
		Uploading: f.Metadata["sys:upload_session_id"] != "",
	}
	name := show(f.Name)
	if f.Type == wire.IsFolder {
		l.Type, l.Entity = "folder", ""
		name += "/"
	}
	var err error
	switch {
	case c.JSON:
		return json.NewEncoder(out).Encode(l)
	case c.Long:
		size := human.ShowSize(f.Size)
		if l.Type == "folder" {
			size = "-"
		}
		mark := ""
		if l.Uploading {
			mark = "  (uploading)"
		}
		_, err = fmt.Fprintf(out, "%12s  %s  %s%s\n", size, f.UpdatedAt.Local().Format("2006-01-02 15:04:05"), name, mark)
	default:
		_, err = fmt.Fprintln(out, name)
	}
	return err
}
