package account

import (
	"regexp"
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// email is the shape of an address; whether it exists is another matter.
var email = regexp.MustCompile(`^[^\s@"<>]{1,64}@[^\s@"<>]{1,255}$`)

func (d *Door) prepareLogin(q *desk.Call) error {
	address := q.R.URL.Query().Get("email")
	if !email.MatchString(address) {
		return desk.Bad("Email format error")
	}
	exists, err := d.Tokens.Exists(q.Ctx(), address)
	if err != nil {
		return err
	}
	if !exists {
		return errs.Newf(errs.NotFound, errs.SessionMismatch, "User not found")
	}
	keys := rules.PasskeysAt(d.Origin(q.R))
	if keys {
		if keys, err = d.Keeper.HasPasskey(q.Ctx(), address); err != nil {
			return err
		}
	}
	return desk.OK(q, wire.LoginWays{PasswordEnabled: true, WebauthnEnabled: keys})
}

func (d *Door) createToken(q *desk.Call) error {
	var in wire.LoginRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	switch {
	case !email.MatchString(in.Email):
		return desk.Bad("Email format error")
	case utf8.RuneCountInString(in.Password) < 4:
		return desk.Bad("Password too short")
	case utf8.RuneCountInString(in.Password) > 128:
		return desk.Bad("Password too long")
	}
	return d.signIn(q, in.Email, core.Secret(in.Password))
}

// from is where a sign-in comes from.
func from(q *desk.Call) auth.SignIn { return auth.SignIn{Agent: q.R.UserAgent(), Addr: q.Addr()} }

// signIn answers a new pair of tokens with its user, or asks for the second
// factor.
func (d *Door) signIn(q *desk.Call, address string, password core.Secret) error {
	in, err := d.Keeper.SignIn(q.Ctx(), address, password, from(q))
	if err != nil {
		return err
	}
	if auth.NeedsRehash(in.Account.Password) {
		d.renew(q, in.Account, password)
	}
	if in.Ticket != "" {
		return desk.AskMore(q, in.Ticket)
	}
	return d.signedIn(q, in)
}

// signedIn answers with the tokens. From here on the call is the user's: the audit
// says so.
func (d *Door) signedIn(q *desk.Call, in rules.Entry) error {
	q.Actor.User = in.Account.User
	h, err := d.Catalog.HomeOf(q.Ctx(), in.Account.User)
	if err != nil {
		return err
	}
	return desk.OK(q, wire.Login{User: d.User(h), Token: token(in.Pair)})
}

func (d *Door) finishToken(q *desk.Call) error {
	var in wire.SecondFactorRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.Otp == "" || len(in.Otp) > 64 {
		return desk.Bad("Otp cannot be empty")
	}
	entry, err := d.Keeper.SecondStep(q.Ctx(), in.SessionID, in.Otp, from(q))
	if err != nil {
		return err
	}
	return d.signedIn(q, entry)
}

// renew hashes a proved password as passwords are hashed today. That it failed
// is nothing to the caller: the next sign-in tries again.
func (d *Door) renew(q *desk.Call, account auth.Account, password core.Secret) {
	hash, err := auth.Rehash(q.Ctx(), password)
	if err == nil {
		err = d.Catalog.RenewPassword(q.Ctx(), account.User, account.Password, hash)
	}
	if err != nil {
		d.Log.Warn("a password hash is not renewed", "op", "createToken", "request", q.ID, "user", int64(account.User), "err", err.Error())
	}
}

func token(p auth.Pair) wire.Token {
	return wire.Token{
		AccessToken: p.Access.Reveal(), RefreshToken: p.Refresh.Reveal(),
		AccessExpires: p.AccessExpires, RefreshExpires: p.RefreshExpires,
	}
}

func (d *Door) refreshToken(q *desk.Call) error {
	var in wire.RefreshRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if in.RefreshToken == "" {
		return desk.Bad("RefreshToken cannot be empty")
	}
	pair, err := d.Tokens.Refresh(q.Ctx(), in.RefreshToken)
	if errs.Is(err, errs.Unauthenticated) {
		return errs.Newf(errs.Unauthenticated, errs.WrongToken, "Failed to issue token pair").Because(err)
	}
	if err != nil {
		return err
	}
	return desk.OK(q, token(pair))
}

func (d *Door) deleteToken(q *desk.Call) error {
	var in wire.RefreshRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if err := d.Tokens.SignOut(q.Ctx(), in.RefreshToken); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) setUpSite(q *desk.Call) error {
	var in wire.SetupRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if !email.MatchString(in.Email) {
		return desk.Bad("Email format error")
	}
	if err := d.Setup.Make(q.Ctx(), core.Secret(in.Token), in.Email, core.Secret(in.Password)); err != nil {
		return err
	}
	return d.signIn(q, in.Email, core.Secret(in.Password))
}
