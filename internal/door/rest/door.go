package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Site is what clients are told of this installation.
type Site struct {
	ID      string // instance id, a UUID
	Title   string
	URL     *url.URL // public address; nil: as the request has it
	Version string   // of the API that we speak
}

// Setup makes the first administrator, once.
type Setup interface {
	// Required reports whether there is no administrator yet.
	Required(ctx context.Context) (bool, error)
	// Make checks the one-time token and makes the account; Forbidden/setup_done
	// for a wrong token or when there is one already.
	Make(ctx context.Context, token core.Secret, email string, password core.Secret) error
}

// Options are what a Door is made of. All fields are needed.
type Options struct {
	Catalog *catalog.Catalog
	Engine  *upload.Engine
	Tokens  *auth.Tokens
	Signer  *auth.Signer
	IDs     *core.IDs
	Setup   Setup
	Site    Site
	OpenAPI []byte // api/openapi.gen.json
	Clock   core.Clock
	Log     *slog.Logger
	MaxPut  int64         // bytes that PUT /file/content takes
	Temp    string        // directory for bodies of unknown length while they come in
	Stall   time.Duration // how long a body may stand still
	// Lane returns what can move the body of a request to a file, nil if nothing
	// can. It may be nil.
	Lane func(ctx context.Context) Lane
}

// Lane moves the bytes of a body past this process; see internal/lane.
type Lane interface {
	// Move reads once by read, at most len(p) bytes. They are in p, or in f from
	// off on: moved says where.
	Move(f *os.File, off int64, p []byte, read func([]byte) (int, error)) (n int, moved bool, err error)
}

// Door serves the v4 API under Prefix.
type Door struct {
	Options
	mux     *http.ServeMux
	room    *room
	batches *room
}

// New returns the door over o.
func New(o Options) *Door {
	d := &Door{Options: o, mux: http.NewServeMux(), room: newRoom(maxBodies, maxBodiesEach), batches: newRoom(maxBatches, maxBatchesEach)}
	d.mount()
	return d
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.mux.ServeHTTP(w, r) }

var hostname = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// origin is the public address for links in an answer: the configured one, or
// where the caller found us. The latter reaches the caller alone.
func (d *Door) origin(r *http.Request) string {
	if d.Site.URL != nil {
		return d.Site.URL.String()
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
