// Command wharf is Wharfinger: the server, its administration and the client in
// one binary. A file per command; server commands stand on internal/app alone,
// client commands on the public package client alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/wharfinger/wharfinger/internal/errs"
)

// cli is the table of commands.
type cli struct {
	Serve  serveCmd  `cmd:"" group:"server" help:"Run the server."`
	User   userCmd   `cmd:"" group:"server" help:"Accounts: add, list, passwd."`
	Policy policyCmd `cmd:"" group:"server" help:"Storage policies: list, set."`
}

// Exit codes, as docs/scripting.md has them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string) int {
	var c cli
	parser, err := kong.New(&c, kong.Name("wharf"), kong.Description("Upload server and file store."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		parser.FatalIfErrorf(err)
		return exitUsage
	}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "wharf:", message(err))
		return exitFailed
	}
	return exitOK
}

// message is what a person is told: the note where there is one, else the chain.
func message(err error) string {
	var e *errs.Error
	if errors.As(err, &e) && e.Note != "" {
		return e.Note
	}
	return err.Error()
}
