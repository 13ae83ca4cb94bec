package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
)

// rmCmd deletes.
type rmCmd struct {
	Remote    []string `arg:"" name:"remote" help:"Files and folders to delete."`
	Recursive bool     `short:"r" help:"Delete folders with all that is in them."`
	Force     bool     `short:"f" help:"Do not mind what is not there."`
	Forever   bool     `help:"Delete for good, not to the trash."`
	remoteFlags
}

// Run deletes them, one after the other.
func (c *rmCmd) Run(ctx context.Context, std streams) error {
	cl, err := c.connect()
	if err != nil {
		return err
	}
	t := new(tally)
	for _, arg := range c.Remote {
		err := c.remove(ctx, cl, arg)
		if c.Force && client.IsNotFound(err) {
			err = nil
		}
		if t.count(err); err != nil {
			complain(std.err, arg, err)
		}
	}
	return t.exit()
}

func (c *rmCmd) remove(ctx context.Context, cl *client.Client, arg string) error {
	uri, err := parseRemote(arg)
	if err != nil {
		return err
	}
	if len(uri.Path) == 0 {
		return errors.New("the root itself cannot be deleted")
	}
	if !c.Recursive {
		f, err := cl.Stat(ctx, uri)
		if err != nil {
			return err
		}
		if f.Type == wire.IsFolder {
			return fmt.Errorf("it is a folder; use -r to delete it with all that is in it")
		}
	}
	if c.Forever {
		return cl.Remove(ctx, uri)
	}
	return cl.Trash(ctx, uri)
}
