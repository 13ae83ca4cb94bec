package desk

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
	"github.com/wharfinger/wharfinger/internal/event"
)

// Call is one call on its way through the door.
type Call struct {
	W     http.ResponseWriter
	R     *http.Request
	Actor core.Actor
	// BadToken is why a token that was sent does not count; nil without one.
	BadToken error
	ID       string // correlation id
	Body     *Body  // what R.Body reads from

	desk  *Desk
	route Route
}

// Ctx is the context of the request.
func (q *Call) Ctx() context.Context { return q.R.Context() }

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
func (d *Desk) serve(route Route, w http.ResponseWriter, r *http.Request) {
	// The server looks at the body of its own request when we are done, so ours
	// goes into a copy.
	q := &Call{W: w, R: r.WithContext(r.Context()), desk: d, route: route, ID: r.Header.Get("X-Cr-Correlation-Id")}
	if !isUUID(q.ID) {
		q.ID = core.NewUUID()
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	q.Body = d.body(w, r)
	defer q.Body.end()
	q.R.Body = q.Body
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		q.refuse(&Malformed{Msg: "Content-Encoding is not taken", Status: http.StatusUnsupportedMediaType})
		return
	}
	if route.limit >= 0 {
		if route.limit > 0 && r.ContentLength > route.limit {
			h.Set("Connection", "close")
			q.refuse(tooLarge())
			return
		}
		q.R.Body = http.MaxBytesReader(w, q.Body, max(route.limit, 1))
	}
	err := d.identify(q)
	if err == nil && route.Who != Anyone {
		err = q.MustBeKnown()
	}
	if err == nil && route.Who == Administrator && !q.Actor.Admin {
		err = errs.New(errs.Forbidden, errs.AdminOnly)
	}
	if err == nil {
		err = q.mayNow()
	}
	if err == nil {
		err = route.handle(q)
	}
	switch {
	case err != nil:
		q.refuse(err)
	case route.Audit:
		d.Log.LogAttrs(q.Ctx(), slog.LevelInfo, "audit", slog.String("op", route.Operation), slog.String("request", q.ID),
			slog.Int64("user", int64(q.Actor.User)), slog.String("addr", q.Addr()))
	}
}

// ClientHeader carries the id that a client gives itself, so that it is not told of its
// own changes.
const ClientHeader = "X-Cr-Client-Id"

// identify reads the bearer token. A token that does not count leaves the
// caller anonymous, as clients of the contract expect on public routes; only a
// token of the wrong kind is refused everywhere.
func (d *Desk) identify(q *Call) error {
	token, ok := strings.CutPrefix(q.R.Header.Get("Authorization"), "Bearer ")
	if !ok || strings.HasPrefix(token, "Cr ") {
		return nil
	}
	actor, err := d.Tokens.Verify(q.Ctx(), token)
	switch {
	case err == nil:
		q.Actor = actor
		if id := q.R.Header.Get(ClientHeader); id != "" && len(id) <= event.MaxClient {
			q.R = q.R.WithContext(event.With(q.Ctx(), event.Origin{User: actor.User, Client: id}))
		}
	case errs.Has(err, errs.WrongToken):
		return err
	case errs.Is(err, errs.Unauthenticated), errs.Is(err, errs.Forbidden):
		q.BadToken = err
	default:
		return err
	}
	return nil
}

// MustBeKnown is nil for a caller who signed in.
func (q *Call) MustBeKnown() error {
	if q.Actor.Known() {
		return nil
	}
	return errs.New(errs.Unauthenticated, errs.LoginNeeded)
}

// Addr is the caller's address without its port.
func (q *Call) Addr() string {
	host, _, err := net.SplitHostPort(q.R.RemoteAddr)
	if err != nil {
		return q.R.RemoteAddr
	}
	return host
}

// refuse answers a failure and logs it, once.
func (q *Call) refuse(err error) {
	q.Note(err)
	if errs.Is(err, errs.Canceled) && q.Ctx().Err() != nil {
		return // nobody is there to read it
	}
	switch waits := q.R.Header.Get("Expect") != "" && q.Body.got == 0; {
	case waits:
		q.Body.cut(q.W.Header())
	case q.route.limit == rawBody:
		q.Body.Drain(q.W.Header())
	}
	if errs.Has(err, errs.Overload) && q.W.Header().Get("Retry-After") == "" {
		q.W.Header().Set("Retry-After", "1")
	}
	f := q.Failure(err)
	var m *Malformed
	status := http.StatusOK
	if at, ok := errors.AsType[*Status](err); ok {
		status = at.Code
	}
	if errors.As(err, &m) {
		f.CorrelationID = ""
		if m.Status != 0 {
			status = m.Status
		}
	}
	write(q.W, status, f)
}

// Note logs what is answered as a failure.
func (q *Call) Note(err error) {
	level := slog.LevelInfo
	if k := errs.KindOf(err); k == errs.Internal && !isMalformed(err) {
		level = slog.LevelError
	}
	q.desk.Log.LogAttrs(q.Ctx(), level, "refused",
		slog.String("op", q.route.Operation), slog.String("request", q.ID), slog.Int64("user", int64(q.Actor.User)),
		slog.String("reason", string(errs.ReasonOf(err))), slog.String("err", err.Error()))
}

// Done answers success without data.
func (q *Call) Done() error {
	write(q.W, http.StatusOK, wire.Done())
	return nil
}

// AskMore answers that the step worked and the next one needs data back: code 203.
func AskMore[T any](q *Call, data T) error {
	write(q.W, http.StatusOK, wire.Reply[T]{Code: wire.CodeMoreNeeded, Data: &data})
	return nil
}

// OK answers success with data.
func OK[T any](q *Call, data T) error {
	write(q.W, http.StatusOK, wire.OK(data))
	return nil
}

// Status is a failure that is answered with an HTTP status of its own, for
// callers that look at nothing else.
type Status struct {
	Code int
	Err  error
}

func (s *Status) Error() string { return s.Err.Error() }
func (s *Status) Unwrap() error { return s.Err }
