package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// tending looks after what is in stores, until ctx ends: direct uploads are asked
// for, and the rest is swept. Each store has two lanes of its own for that, so that
// one which is slow or away keeps neither the start nor anybody else waiting.
func (a *App) tending(ctx context.Context) {
	t := time.NewTicker(a.cfg.Sweep)
	defer t.Stop()
	var asks, sweeps lanes
	for {
		policies, err := a.store.Catalog().Policies(ctx)
		if err != nil && ctx.Err() == nil {
			a.cfg.Log.Error("stores", "err", err.Error())
		}
		for _, p := range policies {
			if !a.engine.Away(p) {
				continue
			}
			asks.start(p.ID, &a.work, func() {
				_, err := a.direct.Reconcile(ctx, p.ID)
				a.tended(ctx, p, "direct uploads", err)
			})
			sweeps.start(p.ID, &a.work, func() {
				did, err := a.engine.SweepAt(ctx, p)
				reaped, rerr := 0, error(nil)
				if err == nil {
					reaped, rerr = a.reap(ctx, p)
				}
				a.swept(did, reaped, 0)
				a.tended(ctx, p, "sweep", errors.Join(err, rerr))
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (a *App) tended(ctx context.Context, p catalog.Policy, what string, err error) {
	if err != nil && ctx.Err() == nil {
		a.cfg.Log.Error("store", "policy", p.Name, "what", what, "err", err.Error())
	}
}

// lanes are work of one kind, once at a time for each policy.
type lanes struct{ busy sync.Map } // core.PolicyID → struct{}

// start does work beside the caller, unless the last is still being done.
func (l *lanes) start(id core.PolicyID, all *sync.WaitGroup, work func()) {
	if _, busy := l.busy.LoadOrStore(id, struct{}{}); busy {
		return
	}
	all.Go(func() {
		defer l.busy.Delete(id)
		work()
	})
}
