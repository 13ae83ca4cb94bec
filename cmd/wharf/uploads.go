package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// uploadsCmd shows and ends unfinished uploads.
type uploadsCmd struct {
	List uploadsListCmd `cmd:"" default:"withargs" help:"List unfinished uploads."`
	Show uploadsShowCmd `cmd:"" help:"Show one upload, finished or not."`
	Rm   uploadsRmCmd   `cmd:"" help:"Discard unfinished uploads and what they sent."`
}

type uploadsListCmd struct {
	JSON bool `name:"json" help:"One JSON object a line, as the API has them."`
	remoteFlags
}

// Run lists.
func (c *uploadsListCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	list, err := cl.Uploads(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		enc := json.NewEncoder(std.out)
		for _, p := range list {
			if err := enc.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintln(std.out, "No unfinished uploads.")
		return nil
	}
	t := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tRECEIVED\tSIZE\tLAST BYTE\tEXPIRES\tPATH")
	for _, p := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.SessionID, human.ShowSize(p.ReceivedBytes), human.ShowSize(p.Size),
			p.UpdatedAt.Local().Format(time.DateTime), time.Unix(p.Expires, 0).Format(time.DateTime), show(uploadPath(p)))
	}
	return t.Flush()
}

func uploadPath(p wire.UploadProgress) string {
	u, err := wire.ParseURI(p.URI)
	if err != nil {
		return p.URI
	}
	return remotePath(u)
}

type uploadsShowCmd struct {
	ID   string `arg:"" name:"id" help:"The upload's id."`
	JSON bool   `name:"json" help:"One JSON object, as the API has it."`
	remoteFlags
}

// Run shows one.
func (c *uploadsShowCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	p, err := cl.UploadStatus(ctx, c.ID)
	if err != nil {
		return err
	}
	story, err := cl.UploadTimeline(ctx, c.ID)
	if err != nil {
		complain(std.err, "timeline", err) // the rest is known all the same
	}
	if c.JSON {
		return json.NewEncoder(std.out).Encode(uploadStory{p, story.Events})
	}
	t := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "path\t%s\nstate\t%s\nreceived\t%s of %s (%d of %d bytes)\nchunk size\t%s\nbegun\t%s\nlast byte\t%s\nexpires\t%s\n",
		show(uploadPath(p)), p.State, human.ShowSize(p.ReceivedBytes), human.ShowSize(p.Size), p.ReceivedBytes, p.Size, human.ShowSize(p.ChunkSize),
		p.CreatedAt.Local().Format(time.DateTime), p.UpdatedAt.Local().Format(time.DateTime), time.Unix(p.Expires, 0).Format(time.DateTime))
	if p.ReprDigest != "" {
		fmt.Fprintf(t, "digest\t%s\n", p.ReprDigest)
	}
	if err := t.Flush(); err != nil || len(story.Events) == 0 {
		return err
	}
	fmt.Fprintln(std.out)
	return printTimeline(std.out, story.Events)
}

type uploadsRmCmd struct {
	ID []string `arg:"" name:"id" help:"Ids of uploads."`
	remoteFlags
}

// Run discards them.
func (c *uploadsRmCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	t := new(tally)
	for _, id := range c.ID {
		p, err := cl.UploadStatus(ctx, id)
		if err == nil {
			var uri wire.URI
			if uri, err = wire.ParseURI(p.URI); err == nil {
				err = cl.CancelUpload(ctx, id, uri)
			}
		}
		if t.count(err); err != nil {
			complain(std.err, id, err)
		}
	}
	return t.exit()
}
