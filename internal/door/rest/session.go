package rest

import (
	"regexp"
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// email is the shape of an address; whether it exists is another matter.
var email = regexp.MustCompile(`^[^\s@"<>]{1,64}@[^\s@"<>]{1,255}$`)

func (d *Door) prepareLogin(q *request) error {
	address := q.r.URL.Query().Get("email")
	if !email.MatchString(address) {
		return bad("Email format error")
	}
	exists, err := d.Tokens.Exists(q.ctx(), address)
	if err != nil {
		return err
	}
	if !exists {
		return errs.Newf(errs.NotFound, errs.SessionMismatch, "User not found")
	}
	return ok(q, wire.LoginWays{PasswordEnabled: true})
}

func (d *Door) createToken(q *request) error {
	var in wire.LoginRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	switch {
	case !email.MatchString(in.Email):
		return bad("Email format error")
	case utf8.RuneCountInString(in.Password) < 4:
		return bad("Password too short")
	case utf8.RuneCountInString(in.Password) > 128:
		return bad("Password too long")
	}
	return d.signIn(q, in.Email, core.Secret(in.Password))
}

// signIn answers a new pair of tokens with its user.
func (d *Door) signIn(q *request, address string, password core.Secret) error {
	pair, account, err := d.Tokens.SignIn(q.ctx(), address, password, auth.SignIn{Agent: q.r.UserAgent(), Addr: q.addr()})
	if err != nil {
		return err
	}
	if auth.NeedsRehash(account.Password) {
		d.renew(q, account, password)
	}
	h, err := d.Catalog.HomeOf(q.ctx(), account.User)
	if err != nil {
		return err
	}
	return ok(q, wire.Login{User: d.user(h), Token: token(pair)})
}

// renew hashes a proved password as passwords are hashed today. That it failed
// is nothing to the caller: the next sign-in tries again.
func (d *Door) renew(q *request, account auth.Account, password core.Secret) {
	hash, err := auth.Rehash(q.ctx(), password)
	if err == nil {
		err = d.Catalog.RenewPassword(q.ctx(), account.User, account.Password, hash)
	}
	if err != nil {
		d.Log.Warn("a password hash is not renewed", "op", "createToken", "request", q.id, "user", int64(account.User), "err", err.Error())
	}
}

func token(p auth.Pair) wire.Token {
	return wire.Token{
		AccessToken: p.Access.Reveal(), RefreshToken: p.Refresh.Reveal(),
		AccessExpires: p.AccessExpires, RefreshExpires: p.RefreshExpires,
	}
}

func (d *Door) refreshToken(q *request) error {
	var in wire.RefreshRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	if in.RefreshToken == "" {
		return bad("RefreshToken cannot be empty")
	}
	pair, err := d.Tokens.Refresh(q.ctx(), in.RefreshToken)
	if errs.Is(err, errs.Unauthenticated) {
		return errs.Newf(errs.Unauthenticated, errs.WrongToken, "Failed to issue token pair").Because(err)
	}
	if err != nil {
		return err
	}
	return ok(q, token(pair))
}

func (d *Door) deleteToken(q *request) error {
	var in wire.RefreshRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	if err := d.Tokens.SignOut(q.ctx(), in.RefreshToken); err != nil {
		return err
	}
	return q.done()
}

func (d *Door) setUpSite(q *request) error {
	var in wire.SetupRequest
	if err := bind(q, &in); err != nil {
		return err
	}
	if !email.MatchString(in.Email) {
		return bad("Email format error")
	}
	if err := d.Setup.Make(q.ctx(), core.Secret(in.Token), in.Email, core.Secret(in.Password)); err != nil {
		return err
	}
	return d.signIn(q, in.Email, core.Secret(in.Password))
}

func (d *Door) getMe(q *request) error {
	h, err := d.Catalog.HomeOf(q.ctx(), q.actor.User)
	if err != nil {
		return err
	}
	return ok(q, d.user(h))
}

func (d *Door) getUserInfo(q *request) error {
	missing := errs.Newf(errs.NotFound, errs.SessionMismatch, "User not found")
	id, err := d.IDs.Decode(core.TagUser, q.r.PathValue("id"))
	if err != nil {
		return missing.Because(err)
	}
	h, err := d.Catalog.HomeOf(q.ctx(), core.UserID(id))
	if errs.Is(err, errs.NotFound) {
		return missing.Because(err)
	}
	if err != nil {
		return err
	}
	// To the world a user is a name and a group; /user/me tells oneself more.
	return ok(q, wire.User{
		ID: d.IDs.Encode(core.TagUser, id), Nickname: h.User.Nick, CreatedAt: h.User.Created,
		Group: &wire.Group{ID: d.IDs.Encode(core.TagGroup, int64(h.Group.ID)), Name: h.Group.Name},
	})
}
