package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/keep"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// remoteFlags say which server and who. They are shared by the client commands.
type remoteFlags struct {
	URL          string `env:"WHARF_URL" help:"Address of the server, instead of the one signed in to." placeholder:"URL"`
	Email        string `env:"WHARF_EMAIL" help:"With WHARF_PASSWORD or --password-file: sign in for this command only." placeholder:"ADDRESS"`
	PasswordFile string `env:"WHARF_PASSWORD_FILE" help:"File that holds the password." type:"path" placeholder:"FILE"`
}

// password is the one of the environment; "" if there is none.
func (f remoteFlags) password() (string, error) {
	if f.PasswordFile == "" {
		return os.Getenv("WHARF_PASSWORD"), nil
	}
	s, err := human.SecretFile(f.PasswordFile)
	return s.Reveal(), err
}

// connect makes a client: as the environment says, else as the last sign-in.
func (f remoteFlags) connect(change ...func(*client.Options)) (*client.Client, error) {
	o := client.Options{BaseURL: f.URL, UserAgent: "wharf/" + version()}
	password, err := f.password()
	if err != nil {
		return nil, err
	}
	if f.Email != "" && password != "" {
		if f.URL == "" {
			return nil, &exit{exitUsage, errors.New("WHARF_URL is missing: which server?")}
		}
		o.Credentials = func(context.Context) (client.Credentials, error) {
			return client.Credentials{Email: f.Email, Password: password}, nil
		}
		return newClient(o, change)
	}
	store, err := keep.Open()
	if err != nil {
		return nil, err
	}
	saved, err := store.Read()
	if err != nil {
		return nil, err
	}
	if saved.URL == "" || f.URL != "" && !sameSite(f.URL, saved.URL) {
		return nil, &exit{exitAuth, errors.New("not signed in; use: wharf login URL --email ADDRESS")}
	}
	o.BaseURL, o.Tokens = saved.URL, store
	return newClient(o, change)
}

func newClient(o client.Options, change []func(*client.Options)) (*client.Client, error) {
	for _, f := range change {
		f(&o)
	}
	return client.New(o)
}

func sameSite(a, b string) bool { return strings.TrimRight(a, "/") == strings.TrimRight(b, "/") }
