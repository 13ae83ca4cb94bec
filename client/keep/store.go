package keep

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
)

// SignIn is the file of a sign-in.
type SignIn struct {
	URL   string     `json:"url"`
	Email string     `json:"email"`
	Token wire.Token `json:"token"`
}

// Store is that file. It is a TokenStore that any number of processes may
// share: each change is made under a lock and appears whole.
type Store struct{ path string }

// Open finds the file: $WHARF_CONFIG names it, or the folder for it;
// otherwise it is wharf/login.json in the user's folder for settings.
func Open() (*Store, error) {
	p := os.Getenv("WHARF_CONFIG")
	if p == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("no place to keep the sign-in; set WHARF_CONFIG: %w", err)
		}
		return &Store{filepath.Join(dir, "wharf", "login.json")}, nil
	}
	//nolint:gosec // the user's own choice of a file, with the user's own rights
	if st, err := os.Stat(p); strings.HasSuffix(p, "/") || err == nil && st.IsDir() {
		p = filepath.Join(p, "login.json")
	}
	return &Store{p}, nil
}

// Read is what is kept; nothing is the zero SignIn.
func (c *Store) Read() (SignIn, error) {
	var s SignIn
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

func (c *Store) write(s SignIn) error { return replaceFile(c.path, s) }

// locked runs fn while no other process is in here.
func (c *Store) locked(ctx context.Context, fn func() error) error {
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
func (c *Store) Load(context.Context) (wire.Token, error) {
	s, err := c.Read()
	return s.Token, err
}

// Update implements client.TokenStore.
func (c *Store) Update(ctx context.Context, change func(wire.Token) (wire.Token, error)) (pair wire.Token, err error) {
	err = c.locked(ctx, func() error {
		s, err := c.Read()
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

// Keep keeps a new sign-in, whatever was there.
func (c *Store) Keep(ctx context.Context, s SignIn) error {
	return c.locked(ctx, func() error { return c.write(s) })
}

// Remove forgets the sign-in.
func (c *Store) Remove(ctx context.Context) error {
	return c.locked(ctx, func() error {
		err := os.Remove(c.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}
