package app

//go:generate go test -count=1 -run ^TestTheListOfRoutesIsThatOfTheTable$ . -update

import (
	"slices"

	"github.com/wharfinger/wharfinger/internal/door/account"
	addressdoor "github.com/wharfinger/wharfinger/internal/door/address"
	"github.com/wharfinger/wharfinger/internal/door/admin"
	"github.com/wharfinger/wharfinger/internal/door/archive"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/door/live"
	"github.com/wharfinger/wharfinger/internal/door/organise"
	"github.com/wharfinger/wharfinger/internal/door/rest"
	"github.com/wharfinger/wharfinger/internal/door/share"
	"github.com/wharfinger/wharfinger/internal/door/thumb"
	"github.com/wharfinger/wharfinger/internal/door/vendor"
	"github.com/wharfinger/wharfinger/internal/door/work"
)

// doors are the parts of the API.
type doors struct {
	rest     *rest.Door
	archive  *archive.Door
	account  *account.Door
	organise *organise.Door
	share    *share.Door
	live     *live.Door
	admin    *admin.Door
	vendor   *vendor.Door
	thumb    *thumb.Door
	work     *work.Door
	address  *addressdoor.Door
}

// routes is the table of the API: nothing is served that is not in it.
func (d doors) routes() []desk.Route {
	return slices.Concat(
		d.rest.Routes(),
		d.archive.Routes(),
		d.account.Routes(),
		d.organise.Routes(),
		d.share.Routes(),
		d.live.Routes(),
		d.admin.Routes(),
		d.vendor.Routes(),
		d.thumb.Routes(),
		d.work.Routes(),
		d.address.Routes(),
	)
}

// Routes returns the table for those who look at it: its operations have nothing
// behind them.
func Routes() []desk.Route {
	return doors{
		rest:     &rest.Door{},
		archive:  &archive.Door{},
		account:  &account.Door{},
		organise: &organise.Door{},
		share:    &share.Door{},
		live:     &live.Door{},
		admin:    &admin.Door{},
		vendor:   &vendor.Door{},
		thumb:    &thumb.Door{},
		work:     &work.Door{},
		address:  &addressdoor.Door{},
	}.routes()
}
