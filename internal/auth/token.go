package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Pair is what a client gets: the access token for every call, the refresh
// token for the next pair.
type Pair struct {
	Access, Refresh               core.Secret
	AccessExpires, RefreshExpires time.Time
}

// kind is the token_type of the contract.
type kind string

const (
	kindAccess  kind = "access"
	kindRefresh kind = "refresh"
)

const (
	issuer   = "wharfinger"
	maxToken = 4 << 10
	// header is the only one we write, and so the only one we take: no other
	// algorithm, no kid, jku, x5u or crit to be talked into anything by (RFC 8725 3.1).
	header = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." // {"alg":"HS256","typ":"JWT"}
	// skew is how far the clocks of two servers of a site may be apart.
	skew = 30 * time.Second
)

// claims are those of the contract (token_type, sub, exp, nbf, root_token_id,
// state_hash) and ours. All follow from the row of the family.
type claims struct {
	Kind      kind   `json:"token_type"`
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"` // public user id
	Expires   int64  `json:"exp"`
	NotBefore int64  `json:"nbf"`
	IssuedAt  int64  `json:"iat"`
	ID        string `json:"jti"`
	Family    string `json:"root_token_id"`
	Epoch     int64  `json:"epoch"`
	Serial    int64  `json:"serial"`
	State     string `json:"state_hash,omitempty"` // refresh only
}

// The getters of jwt.Claims; a time that is missing is zero.

func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return numeric(c.Expires), nil }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return numeric(c.NotBefore), nil }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return numeric(c.IssuedAt), nil }
func (c *claims) GetIssuer() (string, error)                   { return c.Issuer, nil }
func (c *claims) GetSubject() (string, error)                  { return c.Subject, nil }
func (c *claims) GetAudience() (jwt.ClaimStrings, error)       { return nil, nil }

func numeric(at int64) *jwt.NumericDate {
	if at == 0 {
		return nil
	}
	return jwt.NewNumericDate(time.Unix(at, 0))
}

// mint returns the pair of the newest serial of f. Equal rows give equal bytes.
func (t *Tokens) mint(f Family) (Pair, error) {
	const op = "auth.mint"
	p := Pair{AccessExpires: f.Rotated.Add(t.accessLife).Truncate(time.Second).UTC(), RefreshExpires: f.Expires.UTC()}
	if p.AccessExpires.After(p.RefreshExpires) {
		p.AccessExpires = p.RefreshExpires
	}
	c := claims{
		Kind: kindAccess, Issuer: issuer, Subject: t.ids.Encode(core.TagUser, int64(f.User)),
		Expires: p.AccessExpires.Unix(), NotBefore: f.Rotated.Add(-skew).Unix(), IssuedAt: f.Rotated.Unix(),
		Family: f.ID, Epoch: f.Epoch, Serial: f.Serial,
	}
	var err error
	if p.Access, err = t.signed(c); err != nil {
		return Pair{}, errs.As(op, errs.Internal, errs.CipherFailed, err)
	}
	c.Kind, c.Expires, c.State = kindRefresh, p.RefreshExpires.Unix(), t.state(f, f.Epoch)
	if p.Refresh, err = t.signed(c); err != nil {
		return Pair{}, errs.As(op, errs.Internal, errs.CipherFailed, err)
	}
	return p, nil
}

func (t *Tokens) signed(c claims) (core.Secret, error) {
	c.ID = c.id()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &c).SignedString(t.keys.Token[:])
	return core.Secret(s), err
}

// id names the token: no two of a site have the same.
func (c *claims) id() string { return fmt.Sprintf("%s.%d.%s", c.Family, c.Serial, c.Kind) }

// state binds a refresh token to the account it was made for, and the epoch that
// was: another user in the row of the family, and the token is not its.
func (t *Tokens) state(f Family, epoch int64) string {
	h := hmac.New(sha256.New, t.keys.State[:])
	b := binary.BigEndian.AppendUint64(nil, uint64(f.User))
	b = binary.BigEndian.AppendUint64(b, uint64(epoch))
	h.Write(append(b, f.ID...))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// parse returns the claims of a token that this site signed, whatever its kind
// and time; Unauthenticated/bad_token otherwise.
func (t *Tokens) parse(token string) (claims, error) {
	const op = "auth.parse"
	bad := errs.New(errs.Unauthenticated, errs.BadToken).At(op)
	if len(token) > maxToken || !strings.HasPrefix(token, header) {
		return claims{}, bad
	}
	var c claims
	if _, err := t.parser.ParseWithClaims(token, &c, t.tokenKey); err != nil {
		return claims{}, bad.Because(err)
	}
	// A claim twice, or one we never write, is no token of ours even if our key
	// signed it.
	text, err := json.Marshal(&c)
	written := header + base64.RawURLEncoding.EncodeToString(text)
	if err != nil || written != token[:strings.LastIndexByte(token, '.')] || c.ID != c.id() {
		return claims{}, bad
	}
	return c, nil
}

func (t *Tokens) tokenKey(*jwt.Token) (any, error) { return t.keys.Token[:], nil }

// timely is nil while c holds; Unauthenticated/token_expired after its time,
// bad_token before it or if it was made to live too long.
func (t *Tokens) timely(c claims) error {
	const op = "auth.timely"
	life := t.accessLife
	if c.Kind == kindRefresh {
		life = t.refreshMax // how long each one lives is in its family's row
	}
	if c.Expires < c.IssuedAt || c.Expires-c.IssuedAt > int64(life/time.Second) {
		return refused(op, "the token lives longer than this site lets it", nil)
	}
	switch err := t.validator.Validate(&c); {
	case err == nil:
		return nil
	case errors.Is(err, jwt.ErrTokenExpired):
		return errs.New(errs.Unauthenticated, errs.TokenExpired).At(op).Because(err)
	default:
		return errs.New(errs.Unauthenticated, errs.BadToken).At(op).Because(err)
	}
}
