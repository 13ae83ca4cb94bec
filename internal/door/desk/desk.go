package desk

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
)

// Prefix is under which every route of the API lies.
const Prefix = "/api/v4"

// Who may call a route.
type Who uint8

// The callers that routes tell apart.
const (
	Anyone        Who = iota // signed in or not
	Member                   // signed in
	Administrator            // signed in, of a group that administers the site
)

// Limits of bodies, in bytes.
const (
	noBody   int64 = 0
	jsonBody int64 = 1 << 20
	rawBody  int64 = -1 // streamed; the handler bounds it by what it expects
)

// Route is one line of the table of routes.
type Route struct {
	Operation string // operationId in api/openapi.yaml
	Method    string
	Path      string // below Prefix
	Who       Who
	Rate      Rate
	Audit     bool // each success leaves a line for the operator: who, from where, what

	limit  int64
	handle func(*Call) error
}

// Asks is a line for a request without a body. at is "METHOD /path".
func (w Who) Asks(operation, at string, handle func(*Call) error) Route {
	return w.line(operation, at, noBody, handle)
}

// Sends is a line for a request whose body is JSON.
func (w Who) Sends(operation, at string, handle func(*Call) error) Route {
	return w.line(operation, at, jsonBody, handle)
}

// Streams is a line for a request whose body the operation reads by itself.
func (w Who) Streams(operation, at string, handle func(*Call) error) Route {
	return w.line(operation, at, rawBody, handle)
}

func (w Who) line(operation, at string, limit int64, handle func(*Call) error) Route {
	method, path, _ := strings.Cut(at, " ")
	return Route{Operation: operation, Method: method, Path: path, Who: w, limit: limit, handle: handle}
}

// At returns the line with a rate.
func (r Route) At(rate Rate) Route {
	r.Rate = rate
	return r
}

// Audited returns the line with an entry in the audit for each success.
func (r Route) Audited() Route {
	r.Audit = true
	return r
}

// Options are what a Desk is made of. All are needed but URL and Lane.
type Options struct {
	Tokens *auth.Tokens
	IDs    *core.IDs
	Clock  core.Clock
	Log    *slog.Logger
	URL    *url.URL      // public address; nil: as the request has it
	Stall  time.Duration // how long a body may stand still
	// Lane returns what can move the body of a request to a file, nil if nothing
	// can.
	Lane func(ctx context.Context) Lane
}

// Lane moves the bytes of a body past this process; see internal/lane.
type Lane interface {
	// Move reads once by read, at most len(p) bytes. They are in p, or in f from
	// off on: moved says where.
	Move(f *os.File, off int64, p []byte, read func([]byte) (int, error)) (n int, moved bool, err error)
}

// Desk serves what is mounted under Prefix.
type Desk struct {
	Options
	mux     *http.ServeMux
	callers callers
}

// New returns a desk that serves nothing yet.
func New(o Options) *Desk {
	d := &Desk{Options: o, mux: http.NewServeMux()}
	d.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "404 page not found", http.StatusNotFound)
	})
	return d
}

// Mount adds lines to the table of routes; not while requests come in.
func (d *Desk) Mount(routes []Route) {
	for _, r := range routes {
		d.mux.HandleFunc(r.Method+" "+Prefix+r.Path, func(w http.ResponseWriter, q *http.Request) { d.serve(r, w, q) })
	}
}

// MountPage adds a resource that is no operation; not while requests come in.
func (d *Desk) MountPage(path string, h http.HandlerFunc) { d.mux.HandleFunc("GET "+Prefix+path, h) }

// ServeHTTP implements http.Handler.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

var hostname = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// Origin is the public address for links in an answer: the configured one, or
// where the caller found us. The latter reaches the caller alone.
func (d *Desk) Origin(r *http.Request) string {
	if d.URL != nil {
		return d.URL.String()
	}
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	host := r.Host
	if !hostname.MatchString(host) {
		host = "localhost"
	}
	return scheme + "://" + host
}

// Body says how large a body may be, in words.
func (r Route) Body() string {
	switch r.limit {
	case noBody:
		return "none"
	case jsonBody:
		return "1 MiB"
	}
	return "streamed"
}

// String is who it is, in words.
func (w Who) String() string {
	switch w {
	case Anyone:
		return "anyone"
	case Administrator:
		return "administrators"
	}
	return "signed in"
}
