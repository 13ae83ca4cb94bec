package app

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/wharfinger/wharfinger/internal/admin"
	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/administration"
)

// usualLife is how long an unfinished upload is kept unless an administrator says
// otherwise.
const usualLife = 24 * time.Hour

// newAdmin makes the rules of administration, with the settings as they were left,
// and has the engine follow them.
func (a *App) newAdmin(ctx context.Context, tokens *auth.Tokens) (*admin.Admin, error) {
	rules := admin.New(admin.Options{
		Store: administration.New(a.store), Names: a.names(), Clock: a.cfg.Clock,
		Changed: tokens.AccountChanged, Abort: a.engine.Abort,
		Local:    func(id core.PolicyID) string { return fmt.Sprintf(`{"root":"%s-%d"}`, storageDir, id) },
		Vendors:  a.buckets.far,
		Defaults: admin.Settings{Title: a.cfg.Title, UploadLife: usualLife, URL: a.cfg.SiteURL},
	})
	if err := rules.Load(ctx); err != nil {
		return nil, errs.Wrap("app.newAdmin", err)
	}
	a.engine.LifeFunc = func() time.Duration { return rules.Settings().UploadLife }
	return rules, nil
}

// commit is what this program was built of, "" where the builder did not say.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
