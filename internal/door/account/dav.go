package account

import (
	"strconv"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Page sizes of the list of WebDAV accounts.
const (
	usualPage = 50
	maxPage   = 200
)

// listDavAccounts has none, for everybody: there is no WebDAV.
func (d *Door) listDavAccounts(q *desk.Call) error {
	size, _ := strconv.Atoi(q.R.URL.Query().Get("page_size")) // anything else is the default, as clients expect
	if size <= 0 {
		size = usualPage
	}
	return desk.OK(q, wire.DavAccountList{
		Accounts: []wire.DavAccount{}, Pagination: wire.Pagination{PageSize: min(size, maxPage), IsCursor: true},
	})
}

// createDavAccount says why there is none, rather than to hand out a password that
// opens nothing.
func (d *Door) createDavAccount(q *desk.Call) error {
	var in wire.DavAccountRequest
	if err := desk.Bind(q, &in); err != nil {
		return err
	}
	return errs.Newf(errs.Unsupported, errs.FeatureOff, "This server does not speak WebDAV yet").At("account.createDavAccount")
}
