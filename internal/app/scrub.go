package app

import (
	"context"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
)

// scrubKey is the site fact that keeps the place of the scrubber.
const scrubKey = "scrub_place"

// scrubRest is how long the scrubber stays away after it could not go on.
const scrubRest = time.Minute

// scrubbing re-reads everything that is stored until ctx ends.
func (a *App) scrubbing(ctx context.Context) {
	o := catalog.ScrubOptions{
		Every: time.Duration(a.cfg.ScrubDays) * 24 * time.Hour,
		Load:  func(ctx context.Context) (string, error) { return a.store.Site(ctx, scrubKey) },
		Save:  func(ctx context.Context, place string) error { return a.store.SetSite(ctx, scrubKey, place) },
		Sleep: sleep, Found: a.rotten,
		Failed: func(err error) { a.cfg.Log.Warn("scrub: a content could not be read this time", "err", err.Error()) },
	}
	for {
		if err := a.catalog.Scrub(ctx, o); err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("scrub", "err", err.Error())
		}
		if sleep(ctx, scrubRest) != nil {
			return
		}
	}
}

func (a *App) rotten(f catalog.Finding) {
	if f.Trouble == catalog.BlobHealed {
		a.cfg.Log.Info("scrub: a damaged content is sound again", "version", f.Version, "blob", f.Blob, "what", f.Message)
		return
	}
	a.cfg.Log.Error("scrub: stored bytes are damaged: restore them from a backup",
		"finding", f.Trouble, "user", f.User, "version", f.Version, "blob", f.Blob, "what", f.Message)
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
