package callback

import (
	"context"
	"net/http"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Flow finishes uploads that went past us; see internal/direct.
type Flow interface {
	Called(ctx context.Context, kind string, id core.SessionID, secret core.Secret) error
}

// Options are what a Door is made of.
type Options struct{ Flow Flow }

// Door takes callbacks.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table. Who may call is whoever has the
// secret of the upload.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Asks("callByClient", "GET /callback/{kind}/{sessionId}/{secret}", d.called),
		desk.Anyone.Streams("callByStore", "POST /callback/{kind}/{sessionId}/{secret}", d.called),
	}
}

func (d *Door) called(q *desk.Call) error {
	err := d.Flow.Called(q.Ctx(), q.R.PathValue("kind"), core.SessionID(q.R.PathValue("sessionId")), core.Secret(q.R.PathValue("secret")))
	switch {
	case err == nil:
		return q.Done()
	case errs.Has(err, errs.SessionGone), errs.Has(err, errs.CallbackSecret), errs.Has(err, errs.PolicyUse):
		return &desk.Status{Code: http.StatusUnauthorized, Err: err}
	}
	return &desk.Status{Code: http.StatusBadRequest, Err: err}
}
