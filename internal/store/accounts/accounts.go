package accounts

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// Accounts implements account.Store.
type Accounts struct{ base part.Base }

var _ account.Store = (*Accounts)(nil)

// New returns the accounts of a store.
func New(b part.Base) *Accounts { return &Accounts{base: b} }

// micros keeps the zero time as 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return core.Micros(t)
}

func text(s *string) sql.NullString {
	if s == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: *s, Valid: true}
}

// SaveProfile implements account.Profiles.
func (a *Accounts) SaveProfile(ctx context.Context, user core.UserID, p account.Patch) error {
	const op = "accounts.SaveProfile"
	q := query.SaveProfileParams{
		ID: int64(user), Nick: text(p.Nick), Language: text(p.Language), Theme: text(p.Theme), ShareLinks: text(p.ShareLinks),
	}
	if p.ViewAlone != nil {
		q.ViewAlone = sql.NullBool{Bool: *p.ViewAlone, Valid: true}
	}
	if p.MaxVersions != nil {
		q.MaxVersions = sql.NullInt64{Int64: *p.MaxVersions, Valid: true}
	}
	if p.KeepExt != nil {
		q.KeepExt = sql.NullString{String: strings.Join(*p.KeepExt, "/"), Valid: true}
	}
	return a.base.Write(ctx, func(t part.Turn) error {
		t.Forget()
		return one(t, op, errs.UserUnknown)(t.SaveProfile(ctx, q))
	})
}

// one fails for a statement that found no row.
func one(t part.Turn, op string, missing errs.Reason) func(rows int64, err error) error {
	return func(rows int64, err error) error {
		if err == nil && rows == 0 {
			return errs.New(errs.NotFound, missing).At(op)
		}
		return t.Fail(op, err)
	}
}

// literal makes words a pattern in which nothing has a meaning of its own.
var literal = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// SearchPeople implements account.Profiles.
func (a *Accounts) SearchPeople(ctx context.Context, words string, limit int) ([]account.Person, error) {
	const op = "accounts.SearchPeople"
	t := a.base.Read()
	rows, err := t.SearchPeople(ctx, query.SearchPeopleParams{
		EmailKey: catalog.EmailKey(words), Pattern: "%" + literal.Replace(strings.ToLower(words)) + "%", Lim: int64(limit),
	})
	if err != nil {
		return nil, t.Fail(op, err)
	}
	out := make([]account.Person, len(rows))
	for i, r := range rows {
		out[i] = account.Person{User: core.UserID(r.ID), Nick: r.Nick, Avatar: r.Avatar, Created: core.FromMicros(r.CreatedUs)}
	}
	return out, nil
}

// avatar is what profiles say of a picture, in the words of the wire.
const avatar = "file"

// SetPicture implements account.Profiles.
func (a *Accounts) SetPicture(ctx context.Context, user core.UserID, p *account.Picture) error {
	const op = "accounts.SetPicture"
	return a.base.Write(ctx, func(t part.Turn) error {
		t.Forget()
		say := query.SetAvatarParams{ID: int64(user)}
		if p != nil {
			say.Avatar = avatar
		}
		if err := one(t, op, errs.UserUnknown)(t.SetAvatar(ctx, say)); err != nil {
			return err
		}
		if p == nil {
			return t.Fail(op, t.DropPicture(ctx, int64(user)))
		}
		return t.Fail(op, t.Queries.SetPicture(ctx, query.SetPictureParams{
			UserID: int64(user), MIME: p.MIME, Image: p.Image, AtUs: micros(p.At),
		}))
	})
}

// Picture implements account.Profiles.
func (a *Accounts) Picture(ctx context.Context, user core.UserID) (account.Picture, error) {
	const op = "accounts.Picture"
	t := a.base.Read()
	r, err := t.Picture(ctx, int64(user))
	if err != nil {
		return account.Picture{}, t.Found(op, err, errs.PictureMissing)
	}
	return account.Picture{MIME: r.MIME, Image: r.Image, At: core.FromMicros(r.AtUs)}, nil
}

// Devices implements account.Devices.
func (a *Accounts) Devices(ctx context.Context, user core.UserID, now time.Time, limit int) ([]account.Device, error) {
	const op = "accounts.Devices"
	t := a.base.Read()
	rows, err := t.FamiliesOf(ctx, query.FamiliesOfParams{UserID: int64(user), NowUs: micros(now), Lim: int64(limit)})
	if err != nil {
		return nil, t.Fail(op, err)
	}
	out := make([]account.Device, len(rows))
	for i, r := range rows {
		out[i] = account.Device{
			ID: r.ID, Agent: r.Agent, Addr: r.Addr, Created: core.FromMicros(r.CreatedUs),
			Seen: core.FromMicros(r.RotatedUs), Expires: core.FromMicros(r.ExpiresUs),
		}
	}
	return out, nil
}

// Renew implements account.Devices.
func (a *Accounts) Renew(ctx context.Context, r account.Renewal) error {
	const op = "accounts.Renew"
	return a.base.Write(ctx, func(t part.Turn) error {
		t.Forget()
		epoch, err := t.RaiseEpoch(ctx, query.RaiseEpochParams{ID: int64(r.User), Was: r.Was.Reveal(), Now: r.Now.Reveal()})
		if dialect.IsNoRows(err) {
			return errs.New(errs.Conflict, errs.Changed).At(op)
		}
		if err == nil {
			// The epoch ends them; this only says so in their rows.
			err = t.RevokeOthers(ctx, query.RevokeOthersParams{UserID: int64(r.User), Keep: r.Keep})
		}
		if err == nil {
			err = t.AdoptFamily(ctx, query.AdoptFamilyParams{Epoch: epoch, ID: r.Keep, UserID: int64(r.User)})
		}
		return t.Fail(op, err)
	})
}
