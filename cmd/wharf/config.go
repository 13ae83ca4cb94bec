package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client"
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
	s, err := secretFile(f.PasswordFile)
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
	store, err := openConfig()
	if err != nil {
		return nil, err
	}
	saved, err := store.read()
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

// saved is the file of a sign-in.
type saved struct {
	URL   string     `json:"url"`
	Email string     `json:"email"`
	Token wire.Token `json:"token"`
}

// config is that file. It is a TokenStore that any number of processes may
// share: each change is made under a lock and appears whole.
type config struct{ path string }

// openConfig finds the file: $WHARF_CONFIG names it, or the folder for it;
// otherwise it is wharf/login.json in the user's folder for settings.
func openConfig() (*config, error) {
	p := os.Getenv("WHARF_CONFIG")
	if p == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("no place to keep the sign-in; set WHARF_CONFIG: %w", err)
		}
		return &config{filepath.Join(dir, "wharf", "login.json")}, nil
	}
	//nolint:gosec // the user's own choice of a file, with the user's own rights
	if st, err := os.Stat(p); strings.HasSuffix(p, "/") || err == nil && st.IsDir() {
		p = filepath.Join(p, "login.json")
	}
	return &config{p}, nil
}

func (c *config) read() (saved, error) {
	var s saved
	text, err := os.ReadFile(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("the sign-in kept in %s cannot be read: %w", c.path, err)
	}
	return s, nil
}

func (c *config) write(s saved) error { return replaceFile(c.path, s) }

// locked runs fn while no other process is in here.
func (c *config) locked(ctx context.Context, fn func() error) error {
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(c.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for !tryLock(f) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fn()
}

// Load implements client.TokenStore.
func (c *config) Load(context.Context) (wire.Token, error) {
	s, err := c.read()
	return s.Token, err
}

// Update implements client.TokenStore.
func (c *config) Update(ctx context.Context, change func(wire.Token) (wire.Token, error)) (pair wire.Token, err error) {
	err = c.locked(ctx, func() error {
		s, err := c.read()
		if err != nil {
			return err
		}
		if pair, err = change(s.Token); err != nil {
			return err
		}
		s.Token = pair
		return c.write(s)
	})
	return pair, err
}

// signIn keeps a new sign-in, whatever was there.
func (c *config) signIn(ctx context.Context, s saved) error {
	return c.locked(ctx, func() error { return c.write(s) })
}

// remove forgets the sign-in.
func (c *config) remove(ctx context.Context) error {
	return c.locked(ctx, func() error {
		err := os.Remove(c.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}
