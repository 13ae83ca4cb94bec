package vendor

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Flow is what the door asks of uploads that go past us; see internal/direct.
type Flow interface {
	Called(ctx context.Context, kind string, id core.SessionID, secret core.Secret, c *blob.Callback) error
	Addresses(ctx context.Context, who core.Actor, id core.SessionID, page upload.Page) (upload.Addresses, error)
}

// Options are what a Door is made of.
type Options struct{ Flow Flow }

// Door takes callbacks and hands out addresses.
type Door struct{ Options }

// New returns the door over o.
func New(o Options) *Door { return &Door{o} }

// Routes returns this door's lines of the table. A callback may be made by whoever
// has the secret of the upload.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Member.Asks("listUploadAddresses", "GET /file/upload/{sessionId}/addresses", d.addresses),
		desk.Anyone.Asks("callByClient", "GET /callback/{kind}/{sessionId}/{secret}", d.calledByClient),
		desk.Anyone.Streams("callByStore", "POST /callback/{kind}/{sessionId}/{secret}", d.calledByStore),
	}
}

func (d *Door) addresses(q *desk.Call) error {
	var page upload.Page
	query := q.R.URL.Query()
	for _, n := range []struct {
		name  string
		least int
		to    *int
	}{{"from", 0, &page.From}, {"count", 1, &page.Count}} {
		text := query.Get(n.name)
		if text == "" {
			continue
		}
		v, err := strconv.Atoi(text)
		if err != nil || v < n.least {
			return desk.Bad(n.name + " is no number of parts")
		}
		*n.to = v
	}
	page.Stored = query.Get("stored") == "true"
	a, err := d.Flow.Addresses(q.Ctx(), q.Actor, core.SessionID(q.R.PathValue("sessionId")), page)
	if err != nil {
		return err
	}
	out := wire.UploadAddresses{
		Parts: a.Parts, ChunkSize: a.Session.ChunkSize, From: min(page.From, a.Parts), UploadURLs: a.Signed.Parts,
		CompleteURL: a.Signed.Complete, Headers: plain(a.Signed.Header), Expires: a.Until, Complete: a.Seen.Stored,
		Completion: completion(a.Signed), CallbackSecret: a.Secret.Reveal(),
	}
	if page.Stored {
		out.Stored = stored(a.Seen.Parts)
	}
	return desk.OK(q, out)
}

// completion is how a client ends an upload; nil where it does not.
func completion(s blob.Signed) *wire.UploadCompletion {
	if s.Complete == "" {
		return nil
	}
	out := &wire.UploadCompletion{Method: http.MethodPost, Headers: plain(s.Ending), Body: "parts"}
	if s.Bare {
		out.Body = "none"
	}
	return out
}

// plain is h for clients: each name has one value.
func plain(h http.Header) map[string]string {
	out := map[string]string{}
	for name := range h {
		out[name] = h.Get(name)
	}
	return out
}

func stored(parts []blob.StoredPart) []wire.StoredPart {
	out := make([]wire.StoredPart, len(parts))
	for i, p := range parts {
		out[i] = wire.StoredPart{Index: p.Number, Size: p.Size, Etag: p.ETag}
	}
	return out
}

// maxCallback bounds what is read of a callback. What stores send is under 1 KiB.
const maxCallback = 64 << 10

func (d *Door) calledByClient(q *desk.Call) error { return d.called(q, nil) }

// calledByStore reads the body for its signature; what it says is not looked at.
func (d *Door) calledByStore(q *desk.Call) error {
	body, err := io.ReadAll(io.LimitReader(q.Body, maxCallback))
	if err != nil {
		return desk.Bad("the body broke off")
	}
	return d.called(q, &blob.Callback{Target: q.R.RequestURI, Header: q.R.Header, Body: body})
}

func (d *Door) called(q *desk.Call, c *blob.Callback) error {
	err := d.Flow.Called(q.Ctx(), q.R.PathValue("kind"), core.SessionID(q.R.PathValue("sessionId")), core.Secret(q.R.PathValue("secret")), c)
	switch {
	case err == nil:
		return q.Done()
	case errs.Has(err, errs.CallbackSignature):
		q.Note(err)
		q.W.Header().Set("Content-Type", "application/json; charset=utf-8")
		q.W.WriteHeader(http.StatusUnauthorized)
		_, _ = q.W.Write([]byte(`{"error":"Failed to verify callback request."}`)) // as stores know it
		return nil
	case errs.Has(err, errs.SessionGone), errs.Has(err, errs.CallbackSecret), errs.Has(err, errs.PolicyUse):
		return &desk.Status{Code: http.StatusUnauthorized, Err: err}
	}
	return &desk.Status{Code: http.StatusBadRequest, Err: err}
}
