package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/wharfinger/wharfinger/cmd/wharf/human"
	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// userCmd keeps accounts, on the data directory itself.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Make an account. The password comes from standard input or --password-file."`
	List   userListCmd   `cmd:"" help:"List the accounts."`
	Passwd userPasswdCmd `cmd:"" help:"Give an account another password and end its sign-ins."`
}

type passwordFlag struct {
	PasswordFile string `help:"File that holds the password; default: standard input." type:"path" placeholder:"FILE"`
}

// read takes the password from the file, from the terminal without echo, or
// from the first line of standard input.
func (p passwordFlag) read() (core.Secret, error) {
	if p.PasswordFile != "" {
		return human.SecretFile(p.PasswordFile)
	}
	if fd := int(os.Stdin.Fd()); term.IsTerminal(fd) {
		fmt.Fprint(os.Stderr, "Password: ")
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(os.Stderr)
		return core.Secret(b), err
	}
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errs.Newf(errs.Invalid, errs.BadParam, "No password was given. Write it to standard input or name a file with --password-file.")
	}
	return core.Secret(line), nil
}

type userAddCmd struct {
	Email string     `arg:"" help:"E-mail address to sign in with."`
	Admin bool       `help:"The account administers the site."`
	Quota human.Size `help:"Bytes the account may hold, such as 10GiB; default: as its group." placeholder:"SIZE"`
	passwordFlag
	dataFlags
}

// Run makes the account.
func (c *userAddCmd) Run(ctx context.Context) error {
	password, err := c.read()
	if err != nil {
		return err
	}
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	quota := app.GroupQuota
	if c.Quota.Set {
		quota = c.Quota.Bytes
	}
	u, err := b.AddUser(ctx, app.NewUser{Email: c.Email, Password: password, Admin: c.Admin, Quota: quota})
	if err == nil {
		fmt.Printf("%s can sign in.\n", u.Email)
	}
	return errors.Join(err, b.Close())
}

type userListCmd struct {
	JSON bool `name:"json" help:"One JSON object a line."`
	dataFlags
}

// Run lists the accounts.
func (c *userListCmd) Run(ctx context.Context) error {
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	users, err := b.Users(ctx)
	if err == nil {
		err = c.print(users)
	}
	return errors.Join(err, b.Close())
}

func (c *userListCmd) print(users []app.UserLine) error {
	if c.JSON {
		enc := json.NewEncoder(os.Stdout)
		for _, u := range users {
			err := enc.Encode(map[string]any{
				"email": u.User.Email, "group": u.Group.Name, "admin": u.Group.Admin(), "status": u.User.Status,
				"total": u.Capacity.Total, "used": u.Capacity.Used, "reserved": u.Capacity.Reserved, "created": u.User.Created,
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "EMAIL\tGROUP\tSTATUS\tUSED\tRESERVED\tTOTAL")
	for _, u := range users {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", u.User.Email, u.Group.Name, u.User.Status,
			human.ShowSize(u.Capacity.Used), human.ShowSize(u.Capacity.Reserved), human.ShowSize(u.Capacity.Total))
	}
	return t.Flush()
}

type userPasswdCmd struct {
	Email          string `arg:"" help:"E-mail address of the account."`
	NoSecondFactor bool   `help:"Also switch its second factor off, for somebody who lost the phone."`
	passwordFlag
	dataFlags
}

// Run changes the password.
func (c *userPasswdCmd) Run(ctx context.Context) error {
	password, err := c.read()
	if err != nil {
		return err
	}
	b, err := c.open(ctx)
	if err != nil {
		return err
	}
	err = b.SetPassword(ctx, c.Email, password, c.NoSecondFactor)
	if err == nil {
		fmt.Printf("%s has a new password; everyone signed in as %s must sign in again.\n", c.Email, c.Email)
	}
	return errors.Join(err, b.Close())
}
