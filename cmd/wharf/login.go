package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/term"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/keep"
)

// loginCmd signs in and keeps the tokens.
type loginCmd struct {
	Server       string `arg:"" name:"url" help:"Address of the server, such as https://files.example.org."`
	Email        string `required:"" env:"WHARF_EMAIL" help:"Address of the account." placeholder:"ADDRESS"`
	PasswordFile string `env:"WHARF_PASSWORD_FILE" help:"File that holds the password. Without it the password is asked for, or read from standard input." type:"path" placeholder:"FILE"`
	Code         string `env:"WHARF_CODE" help:"Code of the second factor, if the account has one. Without it a terminal is asked." placeholder:"CODE"`
}

// Run signs in.
func (c *loginCmd) Run(ctx context.Context, std streams) error {
	site := c.Server
	if !strings.Contains(site, "://") {
		site = "https://" + site
	}
	pair := new(pairOnly)
	cl, err := client.New(client.Options{BaseURL: site, UserAgent: "wharf/" + version(), Tokens: pair})
	if err != nil {
		return &exit{exitUsage, err}
	}
	password, err := c.password(std)
	if err != nil {
		return err
	}
	user, err := cl.SignIn(ctx, client.Credentials{Email: c.Email, Password: password, Code: func(context.Context) (string, error) { return c.code(std) }})
	if err != nil {
		return err
	}
	store, err := keep.Open()
	if err == nil {
		err = store.Keep(ctx, keep.SignIn{URL: cl.Site(), Email: c.Email, Token: pair.token})
	}
	if err != nil {
		return fmt.Errorf("signed in, but that could not be kept: %w", err)
	}
	fmt.Fprintf(std.out, "Signed in to %s as %s.\n", cl.Site(), show(user.Nickname))
	return nil
}

func (c *loginCmd) password(std streams) (string, error) {
	if c.PasswordFile != "" {
		s, err := remoteFlags{PasswordFile: c.PasswordFile}.password()
		return s, err
	}
	if s, err := (remoteFlags{}).password(); s != "" || err != nil {
		return s, err
	}
	fd := int(std.in.Fd())
	if term.IsTerminal(fd) {
		fmt.Fprintf(std.err, "Password for %s: ", c.Email)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(std.err)
		return string(b), err
	}
	line, err := bufio.NewReader(std.in).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", &exit{exitUsage, fmt.Errorf("no password on standard input; use --password-file or WHARF_PASSWORD: %w", err)}
	}
	return line, nil
}

// code is that of the second factor, asked for only when the server wants it.
func (c *loginCmd) code(std streams) (string, error) {
	if c.Code != "" || !term.IsTerminal(int(std.in.Fd())) {
		if c.Code == "" {
			return "", &exit{exitUsage, errors.New("this account has a second factor; give its code with --code or WHARF_CODE")}
		}
		return c.Code, nil
	}
	fmt.Fprintf(std.err, "Code of the second factor: ")
	line, err := bufio.NewReader(std.in).ReadString('\n')
	return strings.TrimSpace(line), err
}

// pairOnly catches the pair of a sign-in, so that a failed one leaves the kept
// one alone.
type pairOnly struct{ token wire.Token }

func (p *pairOnly) Load(context.Context) (wire.Token, error) { return p.token, nil }

func (p *pairOnly) Update(_ context.Context, change func(wire.Token) (wire.Token, error)) (wire.Token, error) {
	t, err := change(p.token)
	if err == nil {
		p.token = t
	}
	return t, err
}

// logoutCmd ends the tokens and forgets them.
type logoutCmd struct{}

// Run signs out.
func (logoutCmd) Run(ctx context.Context, std streams) error {
	store, err := keep.Open()
	if err != nil {
		return err
	}
	s, err := store.Read()
	if err != nil {
		return err
	}
	if s.URL == "" {
		fmt.Fprintln(std.out, "Not signed in.")
		return nil
	}
	c, err := client.New(client.Options{BaseURL: s.URL, UserAgent: "wharf/" + version(), Tokens: store})
	if err != nil {
		return err
	}
	told := c.SignOut(ctx)
	if err := store.Remove(ctx); err != nil {
		return errors.Join(err, told)
	}
	if told != nil {
		return fmt.Errorf("forgotten here, but the server could not be told: %w", told)
	}
	fmt.Fprintf(std.out, "Signed out of %s.\n", s.URL)
	return nil
}
