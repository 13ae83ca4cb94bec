package main

import (
	"context"

	"github.com/wharfinger/wharfinger/cmd/wharf/human"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
)

// dataFlags say where the server keeps everything. It is embedded by the
// commands that work on the data directory, server running or not.
type dataFlags struct {
	Data         string `default:"./data" env:"WHARF_DATA" help:"Directory of everything the server keeps." type:"path" placeholder:"DIR"`
	Database     string `env:"WHARF_DATABASE" help:"PostgreSQL to use instead of the embedded SQLite: postgres://…" placeholder:"URL"`
	DatabaseFile string `env:"WHARF_DATABASE_FILE" help:"File that holds the --database address." type:"path" placeholder:"FILE"`
}

// config is what the flags say of a server.
func (f dataFlags) config() (app.Config, error) {
	url := core.Secret(f.Database)
	if f.DatabaseFile != "" {
		var err error
		if url, err = human.SecretFile(f.DatabaseFile); err != nil {
			return app.Config{}, err
		}
	}
	return app.Config{Data: f.Data, Database: url}, nil
}

// open opens the data directory for an administrative command.
func (f dataFlags) open(ctx context.Context) (*app.Base, error) {
	c, err := f.config()
	if err != nil {
		return nil, err
	}
	return app.OpenBase(ctx, c)
}
