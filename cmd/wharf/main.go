// Command wharf is Wharfinger: the server, its administration and the client in
// one binary. A file per command; server commands stand on internal/app alone,
// client commands on the public package client alone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the table of commands.
type cli struct {
	Serve  serveCmd  `cmd:"" group:"server" help:"Run the server."`
	User   userCmd   `cmd:"" group:"server" help:"Accounts: add, list, passwd."`
	Policy policyCmd `cmd:"" group:"server" help:"Storage policies: add, list, set, test."`
	Group  groupCmd  `cmd:"" group:"server" help:"Groups: set."`
	Doctor doctorCmd `cmd:"" group:"server" help:"Look whether files, uploads, accounts and stored bytes agree."`

	Login   loginCmd   `cmd:"" group:"client" help:"Sign in to a server."`
	Logout  logoutCmd  `cmd:"" group:"client" help:"Sign out."`
	Put     putCmd     `cmd:"" group:"client" help:"Upload files and folders; goes on where an earlier run stopped."`
	Get     getCmd     `cmd:"" group:"client" help:"Download files and folders; goes on where an earlier run stopped."`
	Ls      lsCmd      `cmd:"" group:"client" help:"List a folder."`
	Mkdir   mkdirCmd   `cmd:"" group:"client" help:"Make folders."`
	Rm      rmCmd      `cmd:"" group:"client" help:"Delete files and folders, to the trash."`
	Uploads uploadsCmd `cmd:"" group:"client" help:"Unfinished uploads: list, show, rm."`
	Version versionCmd `cmd:"" group:"client" help:"Show the version."`
}

// Exit codes, as docs/scripting.md has them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
	exitAuth    = 4
	exitAgain   = 10
)

// streams is where a client command reads and writes.
type streams struct {
	in       *os.File
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// helpShown ends parsing when --help has printed.
type helpShown int

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, std streams) (code int) {
	defer func() {
		if v := recover(); v != nil {
			shown, ok := v.(helpShown)
			if !ok {
				panic(v)
			}
			code = int(shown)
		}
	}()
	var c cli
	parser, err := kong.New(&c, kong.Name("wharf"), kong.Description("Upload server and file store."),
		kong.Writers(std.out, std.err), kong.Exit(func(code int) { panic(helpShown(code)) }),
		kong.ExplicitGroups([]kong.Group{{Key: "server", Title: "Server"}, {Key: "client", Title: "Client"}}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std))
	if err != nil {
		fmt.Fprintln(std.err, err)
		return exitFailed
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(std.err, "wharf: %v\n", err)
		if p, ok := errors.AsType[*kong.ParseError](err); ok && p.Context != nil && p.Context.Command() != "" {
			fmt.Fprintf(std.err, "See wharf %s --help\n", commandName(p.Context))
		} else {
			fmt.Fprintln(std.err, "See wharf --help")
		}
		return exitUsage
	}
	return report(std.err, cmd.Run())
}

// commandName is the command without its arguments.
func commandName(c *kong.Context) string {
	name := ""
	for _, p := range c.Path {
		if p.Command != nil {
			name += " " + p.Command.Name
		}
	}
	return name[min(1, len(name)):]
}

// exit is an error with a code of its own.
type exit struct {
	code int
	err  error // nil: everything was said
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// report tells a failure to a person and makes it an exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	e, ok := errors.AsType[*exit](err)
	if !ok {
		e = &exit{code: exitCode(err), err: err}
	}
	if e.err != nil {
		complain(w, "", e.err)
	}
	return e.code
}
