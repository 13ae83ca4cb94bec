package account

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
)

// The contracts of this file are implemented by internal/store/accounts and
// proved on SQLite and on PostgreSQL; common rules as in catalog/store.go. A user
// who is not there is NotFound/user_unknown.

// Profiles keeps what users say about themselves.
type Profiles interface {
	// SaveProfile writes what is not nil.
	SaveProfile(ctx context.Context, user core.UserID, p Patch) error
	// SearchPeople returns active users whose name holds the words in any case, or
	// whose address it is.
	SearchPeople(ctx context.Context, words string, limit int) ([]Person, error)
	// SetPicture replaces the picture; nil takes it away.
	SetPicture(ctx context.Context, user core.UserID, p *Picture) error
	// Picture: NotFound/picture_missing.
	Picture(ctx context.Context, user core.UserID) (Picture, error)
}

// Devices keeps who is signed in where, beside auth.Families.
type Devices interface {
	// Devices returns up to limit devices in force, the newest activity first.
	Devices(ctx context.Context, user core.UserID, now time.Time, limit int) ([]Device, error)
	// Renew raises the epoch of the account, which ends its tokens, and takes the
	// device r.Keep over into the new one. All or nothing; Conflict/changed when the
	// password is not r.Was any more.
	Renew(ctx context.Context, r Renewal) error
}

// Factors keeps second factors.
type Factors interface {
	// Factor: NotFound/factor_missing.
	Factor(ctx context.Context, user core.UserID) (Factor, error)
	// OfferFactor keeps a factor that is not proved yet, in place of another such;
	// Exists/factor_on when there is one that is proved.
	OfferFactor(ctx context.Context, f Factor) error
	// ConfirmFactor makes the factor count from f.Since on, with the hashes of its
	// recovery codes; Conflict/changed unless it still is the one offered at f.Made.
	ConfirmFactor(ctx context.Context, f Factor, recovery [][]byte) error
	// DropFactor takes it away, with its recovery codes; none is no error.
	DropFactor(ctx context.Context, user core.UserID) error
	// Spend keeps that id counted, until then. false: it has counted before.
	Spend(ctx context.Context, id string, now, until time.Time) (bool, error)
}

// Recovery keeps hashes of the codes that stand in for those of an app.
type Recovery interface {
	// ReplaceRecovery keeps these hashes and no others; Conflict/changed unless the
	// factor is the one made at f.Made, and counts.
	ReplaceRecovery(ctx context.Context, f Factor, hashes [][]byte) error
	// UseRecovery takes a hash away. false: it is not there, or not any more.
	UseRecovery(ctx context.Context, user core.UserID, hash []byte) (bool, error)
	// RecoveryLeft returns how many there are.
	RecoveryLeft(ctx context.Context, user core.UserID) (int, error)
}

// Passkeys keeps credentials.
type Passkeys interface {
	// AddPasskey: Exists/passkey_known when the id is there.
	AddPasskey(ctx context.Context, p Passkey) error
	// Passkeys returns all of a user, oldest first.
	Passkeys(ctx context.Context, user core.UserID) ([]Passkey, error)
	// UsePasskey writes Sealed and Used; NotFound/passkey_missing.
	UsePasskey(ctx context.Context, p Passkey) error
	// DropPasskey: NotFound/passkey_missing, also for one of another user.
	DropPasskey(ctx context.Context, user core.UserID, id string) error
}

// Store is all that account needs kept.
type Store interface {
	Profiles
	Devices
	Factors
	Recovery
	Passkeys
}

// Patch is what a user changes about the account; nil leaves it as it is. The
// fields are those of catalog.User and catalog.Profile.
type Patch struct {
	Nick, Language, Theme, ShareLinks *string
	ViewAlone                         *bool
	MaxVersions                       *int64
	KeepExt                           *[]string // as Extensions returns them
}

// Person is a user as other users see one.
type Person struct {
	User    core.UserID
	Nick    string
	Avatar  string
	Created time.Time
}

// Picture is a user's picture, encoded by us.
type Picture struct {
	MIME  string
	Image []byte
	At    time.Time
}

// Device is a signed-in device.
type Device struct {
	ID      string // of its auth.Family
	Agent   string
	Addr    string
	Created time.Time
	Seen    time.Time // when it last refreshed its tokens
	Expires time.Time
}

// Renewal ends the devices of an account but one.
type Renewal struct {
	User     core.UserID
	Was, Now core.Secret // hashes of the password; equal ones leave it
	Keep     string      // device that stays; "" for none
}

// Factor is a user's second factor: a secret of RFC 6238, sealed.
type Factor struct {
	User   core.UserID
	Sealed []byte
	Made   time.Time
	Since  time.Time // zero until a code has proved it
}

// Passkey is a credential of WebAuthn, sealed.
type Passkey struct {
	ID      string // of its credential, in hex, hashed
	User    core.UserID
	Name    string
	Sealed  []byte
	Created time.Time
	Used    time.Time // zero: never
}
