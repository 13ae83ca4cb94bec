package rest

import (
	"context"
	"net/url"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// Site is what clients are told of this installation.
type Site struct {
	ID        string        // instance id, a UUID
	TitleFunc func() string // as administrators set it
	Version   string        // of the API that we speak
}

// Setup is whether the site is ready.
type Setup interface {
	// Required reports whether there is no administrator yet.
	Required(ctx context.Context) (bool, error)
}

// Search lists folders, and what is below them that a query asks for.
type Search interface {
	List(ctx context.Context, who core.Actor, ref catalog.Ref, by url.Values, q catalog.ListQuery) (catalog.Listing, error)
}

// Options are what a Door is made of. All fields are needed.
type Options struct {
	*desk.Desk
	Catalog *catalog.Catalog
	Engine  *upload.Engine
	Search  Search
	// ThumbExts are the name extensions of files that thumbnails are made of.
	ThumbExts []string
	Signer    *auth.Signer
	Setup     Setup
	Site      Site
	OpenAPI   []byte // api/openapi.gen.json
	// Passkeys reports whether browsers know passkeys at an address.
	Passkeys func(origin string) bool
	// Archive returns an address for many files as one.
	Archive func(q *desk.Call, refs []catalog.Ref, until time.Time) (string, error)
	// Straight returns the address of a store from which a version can be read until
	// then, "" where it is read from here.
	Straight func(ctx context.Context, id core.VersionID, o blob.LinkOptions, until time.Time) (string, error)
	// Take counts a download through a share; see share.Links.
	Take   func(ctx context.Context, who core.Actor, id core.ShareID) error
	MaxPut int64  // bytes that PUT /file/content takes
	Temp   string // directory for bodies of unknown length while they come in
}

// Door has the operations on files, uploads and sign-ins.
type Door struct {
	Options
	room    *room
	batches *room
}

// New returns the door over o.
func New(o Options) *Door {
	return &Door{Options: o, room: newRoom(maxBodies, maxBodiesEach), batches: newRoom(maxBatches, maxBatchesEach)}
}
