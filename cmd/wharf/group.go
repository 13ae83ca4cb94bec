package main

import (
	"context"
	"errors"
	"fmt"
)

// groupCmd keeps groups, on the data directory itself.
type groupCmd struct {
	Set groupSetCmd `cmd:"" help:"Change a group."`
}

type groupSetCmd struct {
	Name   string `arg:"" help:"Name of the group."`
	Policy string `required:"" help:"Storage policy for the group's new files." placeholder:"NAME"`
	dataFlags
}

// Run changes the group.
func (c *groupSetCmd) Run(ctx context.Context) error {
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	p, err := b.SetGroupPolicy(ctx, c.Name, c.Policy)
	if err == nil {
		fmt.Printf("New files of the group %s go to %s.\n", c.Name, p.Name)
	}
	return errors.Join(err, b.Close())
}
