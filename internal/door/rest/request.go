package rest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// request is one call on its way through the door.
type request struct {
	w     http.ResponseWriter
	r     *http.Request
	actor core.Actor
	// badToken is why a token that was sent does not count; nil without one.
	badToken error
	id       string // correlation id
	body     *body  // what r.Body reads from
}

func (q *request) ctx() context.Context { return q.r.Context() }

// isUUID takes the text form of RFC 9562, in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}

// serve runs one route: who, body limit, handler, failure.
func (d *Door) serve(route Route, w http.ResponseWriter, r *http.Request) {
	// The server looks at the body of its own request when we are done, so ours
	// goes into a copy.
	q := &request{w: w, r: r.WithContext(r.Context()), id: r.Header.Get("X-Cr-Correlation-Id")}
	if !isUUID(q.id) {
		q.id = core.NewUUID()
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	q.body = d.body(w, r)
	defer q.body.end()
	q.r.Body = q.body
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		d.refuse(route, q, &malformed{msg: "Content-Encoding is not taken", status: http.StatusUnsupportedMediaType})
		return
	}
	if route.limit >= 0 {
		if route.limit > 0 && r.ContentLength > route.limit {
			h.Set("Connection", "close")
			d.refuse(route, q, tooLarge())
			return
		}
		q.r.Body = http.MaxBytesReader(w, q.body, max(route.limit, 1))
	}
	err := d.identify(q)
	if err == nil && route.who == member {
		err = q.mustBeKnown()
	}
	if err == nil {
		err = route.handle(d, q)
	}
	if err != nil {
		d.refuse(route, q, err)
	}
}

// identify reads the bearer token. A token that does not count leaves the
// caller anonymous, as clients of the contract expect on public routes; only a
// token of the wrong kind is refused everywhere.
func (d *Door) identify(q *request) error {
	token, ok := strings.CutPrefix(q.r.Header.Get("Authorization"), "Bearer ")
	if !ok || strings.HasPrefix(token, "Cr ") {
		return nil
	}
	actor, err := d.Tokens.Verify(q.ctx(), token)
	switch {
	case err == nil:
		q.actor = actor
	case errs.Has(err, errs.WrongToken):
		return err
	case errs.Is(err, errs.Unauthenticated), errs.Is(err, errs.Forbidden):
		q.badToken = err
	default:
		return err
	}
	return nil
}

// mustBeKnown is nil for a caller who signed in.
func (q *request) mustBeKnown() error {
	if q.actor.Known() {
		return nil
	}
	return errs.New(errs.Unauthenticated, errs.LoginNeeded)
}

// addr is the caller's address without its port.
func (q *request) addr() string {
	host, _, err := net.SplitHostPort(q.r.RemoteAddr)
	if err != nil {
		return q.r.RemoteAddr
	}
	return host
}

// refuse answers a failure and logs it, once.
func (d *Door) refuse(route Route, q *request, err error) {
	d.note(route.Operation, q, err)
	if errs.Is(err, errs.Canceled) && q.ctx().Err() != nil {
		return // nobody is there to read it
	}
	switch waits := q.r.Header.Get("Expect") != "" && q.body.got == 0; {
	case waits:
		q.body.cut(q.w.Header())
	case route.limit == rawBody:
		q.body.drain(q.w.Header())
	}
	if errs.Has(err, errs.Overload) {
		q.w.Header().Set("Retry-After", "1")
	}
	f := d.failure(q, err)
	var m *malformed
	status := http.StatusOK
	if errors.As(err, &m) {
		f.CorrelationID = ""
		if m.status != 0 {
			status = m.status
		}
	}
	write(q.w, status, f)
}

// note logs what is answered as a failure.
func (d *Door) note(op string, q *request, err error) {
	level := slog.LevelInfo
	if k := errs.KindOf(err); k == errs.Internal && !isMalformed(err) {
		level = slog.LevelError
	}
	d.Log.LogAttrs(q.ctx(), level, "refused",
		slog.String("op", op), slog.String("request", q.id), slog.Int64("user", int64(q.actor.User)),
		slog.String("reason", string(errs.ReasonOf(err))), slog.String("err", err.Error()))
}

// done answers success without data.
func (q *request) done() error {
	write(q.w, http.StatusOK, wire.Done())
	return nil
}

// ok answers success with data.
func ok[T any](q *request, data T) error {
	write(q.w, http.StatusOK, wire.OK(data))
	return nil
}
