package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

// Credentials sign a user in.
type Credentials struct {
	Email    string
	Password string
	// Code is asked for the code of the second factor, or a code of recovery, where the
	// account has one; nil refuses.
	Code func(ctx context.Context) (string, error)
}

// TokenStore keeps the pair of tokens, for this process or for several.
//
// The server uses each refresh token up: whoever refreshes must be alone, and
// must keep what came back before anybody else looks. So a store that is shared
// has to lock in Update.
type TokenStore interface {
	// Load returns the pair that is kept; the zero pair if there is none.
	Load(ctx context.Context) (wire.Token, error)
	// Update calls change with the pair as it is now, keeps what change
	// returns unless that is an error, and returns it. Meanwhile no other
	// Update may run on what is kept, in this process or another. change is
	// called once at most.
	Update(ctx context.Context, change func(wire.Token) (wire.Token, error)) (wire.Token, error)
}

// refreshAhead is how long before its end an access token is replaced, so that
// it does not die on the way of a chunk.
const refreshAhead = 10 * time.Minute

// auth hands out access tokens and renews them, once for all who wait.
type auth struct {
	c     *Client
	store TokenStore
	creds func(context.Context) (Credentials, error)

	turn   chan struct{} // holds one element: the right to use the fields below
	loaded bool
	pair   wire.Token
	since  time.Time // when pair was issued; zero: unknown
	dead   string    // a refresh token that the server refused
}

func newAuth(c *Client, store TokenStore, creds func(context.Context) (Credentials, error)) *auth {
	if store == nil {
		store = new(memory)
	}
	a := &auth{c: c, store: store, creds: creds, turn: make(chan struct{}, 1)}
	a.turn <- struct{}{}
	return a
}

// bearer returns the access token to use, "" to call anonymously. stale is one
// that the server refused, "" if none.
func (a *auth) bearer(ctx context.Context, stale string) (string, error) {
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if !a.loaded {
		pair, err := a.store.Load(ctx)
		if err != nil {
			return "", err
		}
		a.pair, a.loaded = pair, true
	}
	usable := a.pair.AccessToken != "" && a.pair.AccessToken != stale
	if usable && !a.due() {
		return a.pair.AccessToken, nil
	}
	err := a.renew(ctx, stale)
	if err != nil && usable && a.c.clock.Now().Before(a.pair.AccessExpires) {
		return a.pair.AccessToken, nil // it was only a precaution
	}
	return a.pair.AccessToken, err
}

// due reports that the token should be replaced although it still works. Of a
// short-lived one only the last third is spared, and where the clocks disagree
// so much that it seems to have been born dead, only a refusal counts.
func (a *auth) due() bool {
	if a.pair.AccessExpires.IsZero() || a.pair.RefreshToken == "" || a.pair.RefreshToken == a.dead {
		return false
	}
	ahead := refreshAhead
	if !a.since.IsZero() {
		life := a.pair.AccessExpires.Sub(a.since)
		if life <= 0 {
			return false
		}
		ahead = min(ahead, life/3)
	}
	return a.pair.AccessExpires.Sub(a.c.clock.Now()) < ahead
}

// renew replaces the pair, unless somebody else has done so meanwhile.
func (a *auth) renew(ctx context.Context, stale string) error {
	mine := a.pair.AccessToken
	var fresh wire.Token
	var failed error
	_, err := a.store.Update(ctx, func(kept wire.Token) (wire.Token, error) {
		if kept.AccessToken != "" && kept.AccessToken != stale && kept.AccessToken != mine {
			fresh, a.since = kept, time.Time{}
			return kept, nil
		}
		if fresh, failed = a.issue(ctx, kept); failed == nil {
			a.since = a.c.clock.Now()
		}
		return fresh, failed
	})
	if failed != nil {
		return failed
	}
	if err != nil && fresh.AccessToken == "" {
		return err
	}
	// A pair that could not be kept is still a pair.
	a.pair = fresh
	return nil
}

// issue gets a new pair by the refresh token, else by the credentials.
func (a *auth) issue(ctx context.Context, kept wire.Token) (wire.Token, error) {
	var refused error
	if kept.RefreshToken != "" {
		pair, err := retried[wire.Token](ctx, a.c, request{
			op: "refresh", method: http.MethodPost, path: "/session/token/refresh",
			body: wire.RefreshRequest{RefreshToken: kept.RefreshToken}, anonymous: true,
		})
		if err == nil {
			return pair, nil
		}
		if !IsAuth(err) && CodeOf(err) != wire.CodeBadParameter {
			return wire.Token{}, err
		}
		refused, a.dead = err, kept.RefreshToken
	}
	if a.creds == nil {
		if refused == nil {
			refused = &Error{Op: "refresh", Code: wire.CodeLoginRequired, Message: "not signed in"}
		}
		return wire.Token{}, refused
	}
	cr, err := a.creds(ctx)
	if err != nil {
		return wire.Token{}, err
	}
	login, err := a.signIn(ctx, cr)
	return login.Token, err
}

func (a *auth) signIn(ctx context.Context, cr Credentials) (wire.Login, error) {
	login, err := retried[wire.Login](ctx, a.c, request{
		op: "sign in", method: http.MethodPost, path: "/session/token",
		body: wire.LoginRequest{Email: cr.Email, Password: cr.Password}, anonymous: true,
	})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != wire.CodeMoreNeeded {
		return login, err
	}
	if cr.Code == nil {
		e.Message = "this account asks for the code of a second factor, which only a person has: sign in with wharf login first"
		return login, err
	}
	q := wire.SecondFactorRequest{}
	if q.Otp, err = cr.Code(ctx); err == nil {
		err = json.Unmarshal(e.Detail, &q.SessionID)
	}
	if err != nil {
		return login, err
	}
	return retried[wire.Login](ctx, a.c, request{op: "sign in", method: http.MethodPost, path: "/session/token/2fa", body: q, anonymous: true})
}

// SignIn gets a pair of tokens for a user and keeps it.
func (c *Client) SignIn(ctx context.Context, cr Credentials) (wire.User, error) {
	a := c.auth
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return wire.User{}, context.Cause(ctx)
	}
	var login wire.Login
	_, err := a.store.Update(ctx, func(wire.Token) (wire.Token, error) {
		var err error
		login, err = a.signIn(ctx, cr)
		return login.Token, err
	})
	if err != nil {
		return wire.User{}, err
	}
	a.pair, a.since, a.loaded, a.dead = login.Token, c.clock.Now(), true, ""
	return login.User, nil
}

// SignOut ends the tokens, on the server and in the store.
func (c *Client) SignOut(ctx context.Context) error {
	a := c.auth
	select {
	case <-a.turn:
		defer func() { a.turn <- struct{}{} }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_, err := a.store.Update(ctx, func(kept wire.Token) (wire.Token, error) {
		if kept.RefreshToken == "" {
			return wire.Token{}, nil
		}
		_, err := retried[any](ctx, c, request{
			op: "sign out", method: http.MethodDelete, path: "/session/token",
			body: wire.RefreshRequest{RefreshToken: kept.RefreshToken}, anonymous: true,
		})
		return wire.Token{}, err
	})
	if err == nil {
		a.pair, a.loaded = wire.Token{}, true
	}
	return err
}

// memory is the TokenStore of one process. The client's own turn is its lock.
type memory struct{ pair wire.Token }

func (m *memory) Load(context.Context) (wire.Token, error) { return m.pair, nil }

func (m *memory) Update(_ context.Context, change func(wire.Token) (wire.Token, error)) (wire.Token, error) {
	pair, err := change(m.pair)
	if err == nil {
		m.pair = pair
	}
	return pair, err
}
