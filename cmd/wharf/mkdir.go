package main

import (
	"context"
	"fmt"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// mkdirCmd makes folders.
type mkdirCmd struct {
	Remote  []string `arg:"" name:"remote" help:"Folders to make."`
	Parents bool     `short:"p" help:"Make missing parents too, and do not mind if it is there."`
	remoteFlags
}

// Run makes them.
func (c *mkdirCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	t := new(tally)
	for _, arg := range c.Remote {
		err := c.make(ctx, cl, arg)
		if t.count(err); err != nil {
			complain(std.err, arg, err)
		}
	}
	return t.exit()
}

func (c *mkdirCmd) make(ctx context.Context, cl *client.Client, arg string) error {
	uri, err := parseRemote(arg)
	if err != nil {
		return err
	}
	if c.Parents {
		_, err := cl.Mkdir(ctx, uri)
		return err
	}
	if n := len(uri.Path); n > 1 {
		parent, err := cl.Stat(ctx, wire.MyURI(uri.Path[:n-1]...))
		if client.IsNotFound(err) {
			return fmt.Errorf("its parent folder does not exist; use -p to make it too: %w", err)
		}
		if err != nil {
			return err
		}
		if parent.Type != wire.IsFolder {
			return fmt.Errorf("%s is a file", remotePath(wire.MyURI(uri.Path[:n-1]...)))
		}
	}
	_, err = cl.MkdirNew(ctx, uri)
	if client.IsExists(err) {
		return fmt.Errorf("something of that name is there already: %s", human.Message(err))
	}
	return err
}
