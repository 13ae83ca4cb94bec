package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// maxPasskeys is how many a user may have.
const maxPasskeys = 50

// askLife is how long a browser has to answer.
const askLife = 5 * time.Minute

// PasskeysAt reports whether browsers know passkeys at that address: at a name
// over HTTPS, or at localhost (WebAuthn §5, secure contexts; §5.1.2 takes no
// addresses of numbers).
func PasskeysAt(origin string) bool {
	_, ok := partyAt(origin)
	return ok
}

// partyAt returns the name that passkeys of that address belong to.
func partyAt(origin string) (id string, ok bool) {
	u, err := url.Parse(origin)
	if err != nil || u.Hostname() == "" {
		return "", false
	}
	name := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(name); err == nil {
		return "", false
	}
	local := name == "localhost" || strings.HasSuffix(name, ".localhost")
	return name, u.Scheme == "https" || u.Scheme == "http" && local
}

// Ask is what a browser needs to make or use a passkey.
type Ask struct {
	Options json.RawMessage // {"publicKey": …}
	ID      string          // comes back with the answer
}

// Answer is what a browser sent back.
type Answer struct {
	Origin   string // the address at which it did
	ID       string // that of the Ask; "" where there is none
	Response []byte // its credential as JSON
}

// Shown is who asks for a passkey, and where.
type Shown struct {
	Origin      string
	Email, Nick string // what the browser shows
}

// record is what is kept of a passkey, sealed. It counts for its party only.
type record struct {
	Party      string
	Credential webauthn.Credential
}

// holder is a user as the library sees one.
type holder struct {
	id          []byte
	name, shown string
	credentials []webauthn.Credential
}

func (h *holder) WebAuthnID() []byte                         { return h.id }
func (h *holder) WebAuthnName() string                       { return h.name }
func (h *holder) WebAuthnDisplayName() string                { return h.shown }
func (h *holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// party is the library for one address. Passkeys are asked for who holds them
// (a finger, a face, a number), so that one is both factors of a sign-in.
func (k *Keeper) party(origin string) (*webauthn.WebAuthn, string, error) {
	id, ok := partyAt(origin)
	if !ok {
		return nil, "", errs.New(errs.Unsupported, errs.PasskeyOff)
	}
	wait := webauthn.TimeoutConfig{Timeout: askLife, TimeoutUVD: askLife}
	w, err := webauthn.New(&webauthn.Config{
		RPID: id, RPDisplayName: k.Title, RPOrigins: []string{strings.ToLower(origin)},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts:                          webauthn.TimeoutsConfig{Login: wait, Registration: wait},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	return w, id, errs.As("account.party", errs.Unsupported, errs.PasskeyOff, err)
}

// handle is what authenticators keep of a user: the public id.
func (k *Keeper) handle(user core.UserID) []byte {
	return []byte(k.IDs.Encode(core.TagUser, int64(user)))
}

// held reads the passkeys of a user for a party, and the rows that they are in.
func (k *Keeper) held(ctx context.Context, user core.UserID, party string) (h *holder, rows map[string]Passkey, err error) {
	all, err := k.Store.Passkeys(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	h, rows = &holder{id: k.handle(user)}, map[string]Passkey{}
	for _, p := range all {
		plain, err := k.Vault.Open(about(aboutPasskey, user), p.Sealed)
		if err != nil {
			return nil, nil, err
		}
		var r record
		if err := json.Unmarshal(plain, &r); err != nil {
			return nil, nil, errs.As("account.held", errs.Internal, errs.CipherFailed, err)
		}
		if r.Party == party {
			h.credentials = append(h.credentials, r.Credential)
			rows[p.ID] = p
		}
	}
	return h, rows, nil
}

const (
	aboutPasskey = "passkey"
	aboutAdd     = "passkey-add"
	aboutUse     = "passkey-use"
)

// challenge makes one that says itself until when and what for it counts.
func (k *Keeper) challenge(what string) []byte {
	until := k.now().Add(askLife).Unix()
	return k.Vault.Seal(what, binary.BigEndian.AppendUint64(nil, uint64(until)))
}

// answers is nil if the challenge was made for that and its time has not come.
// It counts once it is spent.
func (k *Keeper) answers(what, text string) (id string, until time.Time, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", until, refusedKey(err)
	}
	plain, err := k.Vault.Open(what, sealed)
	if err != nil || len(plain) != 8 {
		return "", until, refusedKey(err)
	}
	until = time.Unix(int64(binary.BigEndian.Uint64(plain)), 0)
	if !k.now().Before(until) {
		return "", until, errs.Newf(errs.Invalid, errs.PasskeyRefused, "The passkey came too late. Try again.")
	}
	sum := sha256.Sum256(sealed)
	return "challenge:" + hex.EncodeToString(sum[:16]), until, nil
}

func refusedKey(cause error) *errs.Error {
	return errs.New(errs.Invalid, errs.PasskeyRefused).Because(cause)
}

// OfferPasskey asks the caller's browser for a new passkey.
func (k *Keeper) OfferPasskey(ctx context.Context, who core.Actor, as Shown) (json.RawMessage, error) {
	const op = "account.OfferPasskey"
	w, party, err := k.party(as.Origin)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	h, _, err := k.held(ctx, who.User, party)
	if err != nil {
		return nil, errs.Wrap(op, err)
	}
	h.name, h.shown = as.Email, as.Nick
	ask, _, err := w.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.credentials).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = k.challenge(about(aboutAdd, who.User))
			return nil
		})
	if err != nil {
		return nil, errs.As(op, errs.Unsupported, errs.PasskeyOff, err)
	}
	text, err := json.Marshal(ask)
	return text, errs.Wrap(op, err)
}

// AddPasskey keeps the passkey that a browser made for OfferPasskey;
// Invalid/passkey_refused, Exists/passkey_known, Invalid/too_many.
func (k *Keeper) AddPasskey(ctx context.Context, who core.Actor, a Answer, name string) (Passkey, error) {
	const op = "account.AddPasskey"
	w, party, err := k.party(a.Origin)
	if err != nil {
		return Passkey{}, errs.Wrap(op, err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(a.Response)
	if err != nil {
		return Passkey{}, refusedKey(err).At(op)
	}
	asked := parsed.Response.CollectedClientData.Challenge
	spent, until, err := k.answers(about(aboutAdd, who.User), asked)
	if err != nil {
		return Passkey{}, errs.Wrap(op, err)
	}
	h := &holder{id: k.handle(who.User)}
	c, err := w.CreateCredential(h, webauthn.SessionData{
		Challenge: asked, RelyingPartyID: party, UserID: h.id, UserVerification: protocol.VerificationRequired,
		CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return Passkey{}, refusedKey(err).At(op)
	}
	all, err := k.Store.Passkeys(ctx, who.User)
	switch {
	case err != nil:
		return Passkey{}, errs.Wrap(op, err)
	case len(all) >= maxPasskeys:
		return Passkey{}, errs.Newf(errs.Invalid, errs.TooMany, "An account has at most %d passkeys", maxPasskeys).At(op)
	}
	if err := k.spend(ctx, spent, until); err != nil {
		return Passkey{}, errs.Wrap(op, err)
	}
	sealed, err := k.sealKey(who.User, record{Party: party, Credential: *c})
	if err != nil {
		return Passkey{}, errs.Wrap(op, err)
	}
	p := Passkey{ID: keyID(c.ID), User: who.User, Name: name, Sealed: sealed, Created: k.now()}
	return p, errs.Wrap(op, k.Store.AddPasskey(ctx, p))
}

func keyID(credential []byte) string {
	sum := sha256.Sum256(credential)
	return hex.EncodeToString(sum[:16])
}

func (k *Keeper) sealKey(user core.UserID, r record) ([]byte, error) {
	text, err := json.Marshal(r)
	return k.Vault.Seal(about(aboutPasskey, user), text), err
}

func (k *Keeper) spend(ctx context.Context, id string, until time.Time) error {
	fresh, err := k.Store.Spend(ctx, id, k.now(), until)
	if err == nil && !fresh {
		err = errs.Newf(errs.Invalid, errs.PasskeyRefused, "This answer was used before. Try again.")
	}
	return err
}

// PasskeysOf returns all passkeys of a user, oldest first.
func (k *Keeper) PasskeysOf(ctx context.Context, user core.UserID) ([]Passkey, error) {
	ps, err := k.Store.Passkeys(ctx, user)
	return ps, errs.Wrap("account.PasskeysOf", err)
}

// HasPasskey reports whether the account of an address can sign in by one. The
// contract makes this public (GET /session/prepare).
func (k *Keeper) HasPasskey(ctx context.Context, email string) (bool, error) {
	const op = "account.HasPasskey"
	acc, err := k.Accounts.AccountByEmail(ctx, email)
	if err != nil {
		return false, errs.Wrap(op, err)
	}
	ps, err := k.Store.Passkeys(ctx, acc.User)
	return len(ps) > 0, errs.Wrap(op, err)
}

// DropPasskey takes a passkey of the caller away; NotFound/passkey_missing.
func (k *Keeper) DropPasskey(ctx context.Context, who core.Actor, id string) error {
	return errs.Wrap("account.DropPasskey", k.Store.DropPasskey(ctx, who.User, id))
}

// AskPasskey asks a browser for any passkey that it has for this site.
func (k *Keeper) AskPasskey(origin string) (Ask, error) {
	const op = "account.AskPasskey"
	w, party, err := k.party(origin)
	if err != nil {
		return Ask{}, errs.Wrap(op, err)
	}
	challenge := k.challenge(aboutUse + "@" + party)
	ask, _, err := w.BeginDiscoverableLogin(webauthn.WithChallenge(challenge))
	if err != nil {
		return Ask{}, errs.As(op, errs.Unsupported, errs.PasskeyOff, err)
	}
	text, err := json.Marshal(ask)
	return Ask{Options: text, ID: base64.RawURLEncoding.EncodeToString(challenge)}, errs.Wrap(op, err)
}

// PasskeySignIn starts a new device of the account whose passkey answered
// AskPasskey. It is both factors: the authenticator has seen its owner.
//
//   - Invalid/passkey_refused;
//   - Forbidden/user_banned, user_inactive.
func (k *Keeper) PasskeySignIn(ctx context.Context, a Answer, meta auth.SignIn) (Entry, error) {
	const op = "account.PasskeySignIn"
	w, party, err := k.party(a.Origin)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(a.Response)
	if err != nil {
		return Entry{}, refusedKey(err).At(op)
	}
	asked := parsed.Response.CollectedClientData.Challenge
	if a.ID != asked {
		return Entry{}, refusedKey(nil).At(op)
	}
	spent, until, err := k.answers(aboutUse+"@"+party, asked)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	user, err := k.IDs.Decode(core.TagUser, string(parsed.Response.UserHandle))
	if err != nil {
		return Entry{}, refusedKey(err).At(op)
	}
	h, rows, err := k.held(ctx, core.UserID(user), party)
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	_, c, err := w.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil },
		webauthn.SessionData{Challenge: asked, RelyingPartyID: party, UserVerification: protocol.VerificationRequired}, parsed)
	if err != nil {
		return Entry{}, refusedKey(err).At(op)
	}
	if c.Authenticator.CloneWarning {
		return Entry{}, errs.Newf(errs.Invalid, errs.PasskeyRefused,
			"This passkey has counted on elsewhere, so there may be a copy of it. Sign in with the password, then remove it.").At(op)
	}
	acc, err := k.Accounts.Account(ctx, core.UserID(user))
	if err == nil {
		err = acc.Refused()
	}
	if err == nil {
		err = k.spend(ctx, spent, until)
	}
	if err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	p := rows[keyID(c.ID)]
	p.Used = k.now()
	if p.Sealed, err = k.sealKey(p.User, record{Party: party, Credential: *c}); err != nil {
		return Entry{}, errs.Wrap(op, err)
	}
	if err := k.Store.UsePasskey(ctx, p); err != nil { // it was removed meanwhile
		return Entry{}, errs.Wrap(op, err)
	}
	pair, err := k.Tokens.Issue(ctx, acc, meta)
	return Entry{Pair: pair, Account: acc}, errs.Wrap(op, err)
}
