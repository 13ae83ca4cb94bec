package account

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wharfinger/wharfinger/api/wire"
	rules "github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func (d *Door) getMe(q *desk.Call) error {
	h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	return desk.OK(q, d.User(h))
}

func (d *Door) getUserInfo(q *desk.Call) error {
	missing := errs.Newf(errs.NotFound, errs.SessionMismatch, "User not found")
	id, err := d.IDs.Decode(core.TagUser, q.R.PathValue("id"))
	if err != nil {
		return missing.Because(err)
	}
	h, err := d.Catalog.HomeOf(q.Ctx(), core.UserID(id))
	if errs.Is(err, errs.NotFound) {
		return missing.Because(err)
	}
	if err != nil {
		return err
	}
	// To the world a user is a name and a group; /user/me tells oneself more.
	return desk.OK(q, wire.User{
		ID: d.IDs.Encode(core.TagUser, id), Nickname: h.User.Nick, Avatar: h.User.Profile.Avatar, CreatedAt: h.User.Created,
		Group: &wire.Group{ID: d.IDs.Encode(core.TagGroup, int64(h.Group.ID)), Name: h.Group.Name},
	})
}

func (d *Door) searchUsers(q *desk.Call) error {
	words := strings.TrimSpace(q.R.URL.Query().Get("keyword"))
	if words == "" || len(words) > 320 {
		return desk.Bad("Keyword cannot be empty")
	}
	found, err := d.Keeper.Search(q.Ctx(), words)
	if err != nil {
		return err
	}
	out := make([]wire.User, len(found))
	for i, p := range found {
		out[i] = wire.User{ID: d.IDs.Encode(core.TagUser, int64(p.User)), Nickname: p.Nick, Avatar: p.Avatar, CreatedAt: p.Created}
	}
	return desk.OK(q, out)
}

func (d *Door) getUserSetting(q *desk.Call) error {
	h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	factor, err := d.Keeper.HasFactor(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	var left *int
	if factor {
		n, err := d.Keeper.RecoveryLeft(q.Ctx(), q.Actor.User)
		if err != nil {
			return err
		}
		left = &n
	}
	keys, err := d.Keeper.PasskeysOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	keeps := h.Group.Keeps(h.User)
	return desk.OK(q, wire.UserSetting{
		VersionRetentionEnabled: keeps > 1, VersionRetentionMax: int(keeps), VersionRetentionExt: h.User.Profile.KeepExt,
		TwoFaEnabled: factor, RecoveryCodesLeft: left,
		DisableViewSync: h.User.Profile.ViewAlone, ShareLinksInProfile: h.User.Profile.ShareLinks, Passkeys: passkeys(keys),
	})
}

var (
	language = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)
	theme    = regexp.MustCompile(`^[#0-9A-Za-z_.-]{0,64}$`)
	links    = regexp.MustCompile(`^[a-z_]{0,32}$`)
)

// patchUserSetting changes what may fail for a secret first, so that a wrong
// password or code leaves all as it was.
func (d *Door) patchUserSetting(q *desk.Call) error {
	var in wire.PatchUserSettingRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	if err := sound(&in); err != nil {
		return err
	}
	h, err := d.Catalog.HomeOf(q.Ctx(), q.Actor.User)
	if err != nil {
		return err
	}
	if in.NewPassword != nil {
		err := d.Keeper.ChangePassword(q.Ctx(), q.Actor, core.Secret(in.CurrentPassword), core.Secret(*in.NewPassword), q.Addr())
		if err != nil {
			return err
		}
	}
	if in.TwoFaEnabled != nil {
		turn := d.Keeper.SwitchFactorOff
		if *in.TwoFaEnabled {
			turn = d.Keeper.SwitchFactorOn
		}
		if err := turn(q.Ctx(), q.Actor, in.TwoFaCode, q.Addr()); err != nil {
			return err
		}
	}
	err = d.Keeper.Save(q.Ctx(), q.Actor, rules.Patch{
		Nick: in.Nick, Language: in.Language, Theme: in.PreferredTheme, ShareLinks: in.ShareLinksInProfile,
		ViewAlone:   in.DisableViewSync,
		MaxVersions: rules.Retention(h.User.Profile.MaxVersions, in.VersionRetentionEnabled, in.VersionRetentionMax),
		KeepExt:     in.VersionRetentionExt,
	})
	if err != nil {
		return err
	}
	return q.Done()
}

// sound is nil for a change that can be made; it writes it as it is kept.
func sound(in *wire.PatchUserSettingRequest) error {
	if in.Nick != nil {
		*in.Nick = strings.TrimSpace(*in.Nick)
		switch {
		case *in.Nick == "":
			return desk.Bad("Nickname too short")
		case utf8.RuneCountInString(*in.Nick) > 255:
			return desk.Bad("Nickname too long")
		case strings.ContainsFunc(*in.Nick, unseen):
			return desk.Bad("The nickname holds characters that cannot be seen")
		}
	}
	if in.VersionRetentionExt != nil {
		ext, err := rules.Extensions(*in.VersionRetentionExt)
		if err != nil {
			return err
		}
		in.VersionRetentionExt = &ext
	}
	switch {
	case in.Language != nil && !language.MatchString(*in.Language):
		return desk.Bad("Language is not a language tag")
	case in.PreferredTheme != nil && !theme.MatchString(*in.PreferredTheme):
		return desk.Bad("PreferredTheme is not the name of a theme")
	case in.ShareLinksInProfile != nil && !links.MatchString(*in.ShareLinksInProfile):
		return desk.Bad("ShareLinksInProfile is not known")
	case in.VersionRetentionMax != nil && *in.VersionRetentionMax < 0:
		return desk.Bad("VersionRetentionMax too small")
	case in.TwoFaEnabled != nil && in.TwoFaCode == "":
		return desk.Bad("TwoFaCode cannot be empty")
	case len(in.TwoFaCode) > 64:
		return desk.Bad("TwoFaCode too long")
	case in.NewPassword == nil:
		return nil
	case utf8.RuneCountInString(in.CurrentPassword) < 4 || utf8.RuneCountInString(in.CurrentPassword) > 128:
		return errs.New(errs.Forbidden, errs.PasswordWrong) // no password has that length
	case utf8.RuneCountInString(*in.NewPassword) < 8:
		return desk.Bad("Password too short")
	case utf8.RuneCountInString(*in.NewPassword) > 128:
		return desk.Bad("Password too long")
	}
	return nil
}

// unseen are controls, and what turns the direction of reading.
func unseen(r rune) bool {
	return r == unicode.ReplacementChar || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

func (d *Door) offerSecondFactor(q *desk.Call) error {
	secret, err := d.Keeper.OfferFactor(q.Ctx(), q.Actor)
	if err != nil {
		return err
	}
	return desk.OK(q, secret.Reveal())
}

func (d *Door) makeRecoveryCodes(q *desk.Call) error {
	var in wire.RecoveryCodesRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	switch {
	case in.TwoFaCode == "":
		return desk.Bad("TwoFaCode cannot be empty")
	case len(in.TwoFaCode) > 64:
		return desk.Bad("TwoFaCode too long")
	}
	codes, err := d.Keeper.RecoveryCodes(q.Ctx(), q.Actor, in.SwitchOn, in.TwoFaCode, q.Addr())
	if err != nil {
		return err
	}
	out := wire.RecoveryCodes{Codes: make([]string, len(codes))}
	for i, c := range codes {
		out.Codes[i] = c.Reveal()
	}
	return desk.OK(q, out)
}

func (d *Door) putAvatar(q *desk.Call) error {
	tooLarge := errs.Newf(errs.TooLarge, errs.PictureBad, "A picture has at most 4 MiB")
	if q.R.ContentLength > rules.MaxPicture {
		return tooLarge
	}
	sent, err := io.ReadAll(io.LimitReader(q.R.Body, rules.MaxPicture+1))
	if err != nil {
		return errs.As("account.putAvatar", errs.Canceled, errs.IOFailed, err)
	}
	if len(sent) > rules.MaxPicture {
		return tooLarge
	}
	if err := d.Keeper.SetPicture(q.Ctx(), q.Actor, sent); err != nil {
		return err
	}
	return q.Done()
}

// getAvatar serves what we encoded ourselves, and even that in a sandbox.
func (d *Door) getAvatar(q *desk.Call) error {
	id, err := d.IDs.Decode(core.TagUser, q.R.PathValue("id"))
	var p rules.Picture
	if err == nil {
		p, err = d.Keeper.PictureOf(q.Ctx(), core.UserID(id))
	}
	if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Invalid) {
		http.Error(q.W, "This user has no picture.", http.StatusNotFound)
		return nil
	}
	if err != nil {
		return err
	}
	sum := sha256.Sum256(p.Image)
	h := q.W.Header()
	h.Set("Content-Type", p.MIME)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	h.Set("Cache-Control", "public, no-cache") // asked again each time, answered by 304
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(q.W, q.R, "", p.At, bytes.NewReader(p.Image))
	return nil
}

func (d *Door) listDevices(q *desk.Call) error {
	list, err := d.Keeper.Devices(q.Ctx(), q.Actor)
	if err != nil {
		return err
	}
	out := wire.DeviceList{Devices: make([]wire.Device, len(list))}
	for i, v := range list {
		out.Devices[i] = wire.Device{
			ID: v.ID, UserAgent: v.Agent, Address: v.Addr, CreatedAt: v.Created, LastSeen: v.Seen, Expires: v.Expires,
			Current: v.ID == q.Actor.Device,
		}
	}
	return desk.OK(q, out)
}

func (d *Door) deleteOtherDevices(q *desk.Call) error {
	if err := d.Keeper.EndOthers(q.Ctx(), q.Actor); err != nil {
		return err
	}
	return q.Done()
}

func (d *Door) deleteDevice(q *desk.Call) error {
	if err := d.Keeper.End(q.Ctx(), q.Actor, q.R.PathValue("device")); err != nil {
		return err
	}
	return q.Done()
}
