package account

import (
	"context"

	rules "github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
)

// Setup makes the first administrator, once.
type Setup interface {
	// Make checks the one-time token and makes the account; Forbidden/setup_done
	// for a wrong token or when there is one already.
	Make(ctx context.Context, token core.Secret, email string, password core.Secret) error
}

// Options are what a Door is made of. All fields are needed.
type Options struct {
	*desk.Desk
	Keeper  *rules.Keeper
	Catalog *catalog.Catalog
	Setup   Setup
}

// Door has the operations on sign-ins and accounts.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{Options: o} }

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Asks("prepareLogin", "GET /session/prepare", d.prepareLogin).At(desk.Guarded),
		desk.Anyone.Sends("createToken", "POST /session/token", d.createToken).At(desk.Guarded).Audited(),
		desk.Anyone.Sends("finishToken", "POST /session/token/2fa", d.finishToken).At(desk.Guarded).Audited(),
		desk.Anyone.Sends("refreshToken", "POST /session/token/refresh", d.refreshToken).At(desk.Guarded),
		desk.Anyone.Sends("deleteToken", "DELETE /session/token", d.deleteToken).At(desk.Guarded),
		desk.Anyone.Asks("askPasskey", "PUT /session/authn", d.askPasskey).At(desk.Guarded),
		desk.Anyone.Sends("createTokenByPasskey", "POST /session/authn", d.createTokenByPasskey).At(desk.Guarded).Audited(),
		desk.Anyone.Sends("setUpSite", "POST /site/setup", d.setUpSite).At(desk.Guarded).Audited(),

		desk.Member.Asks("getMe", "GET /user/me", d.getMe),
		desk.Anyone.Asks("getUserInfo", "GET /user/info/{id}", d.getUserInfo),
		desk.Member.Asks("searchUsers", "GET /user/search", d.searchUsers).At(desk.Dear),
		desk.Member.Asks("getUserSetting", "GET /user/setting", d.getUserSetting),
		desk.Member.Sends("patchUserSetting", "PATCH /user/setting", d.patchUserSetting).At(desk.Guarded).Audited(),
		desk.Member.Asks("offerSecondFactor", "GET /user/setting/2fa", d.offerSecondFactor).At(desk.Guarded),
		desk.Member.Sends("makeRecoveryCodes", "POST /user/setting/2fa", d.makeRecoveryCodes).At(desk.Guarded).Audited(),
		desk.Member.Streams("putAvatar", "PUT /user/setting/avatar", d.putAvatar).At(desk.Dear),
		desk.Anyone.Asks("getAvatar", "GET /user/avatar/{id}", d.getAvatar),
		desk.Member.Asks("offerPasskey", "PUT /user/authn", d.offerPasskey).At(desk.Guarded),
		desk.Member.Sends("addPasskey", "POST /user/authn", d.addPasskey).At(desk.Guarded).Audited(),
		desk.Member.Asks("deletePasskey", "DELETE /user/authn", d.deletePasskey).At(desk.Guarded).Audited(),
		desk.Member.Asks("listDevices", "GET /user/session", d.listDevices),
		desk.Member.Asks("deleteOtherDevices", "DELETE /user/session", d.deleteOtherDevices).At(desk.Guarded).Audited(),
		desk.Member.Asks("listDavAccounts", "GET /devices/dav", d.listDavAccounts),
		desk.Member.Sends("createDavAccount", "PUT /devices/dav", d.createDavAccount),
		desk.Member.Asks("deleteDevice", "DELETE /user/session/{device}", d.deleteDevice).At(desk.Guarded).Audited(),
	}
}
