package app

import (
	"context"
	"os"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/event"
	"github.com/wharfinger/wharfinger/internal/job"
	"github.com/wharfinger/wharfinger/internal/store/jobs"
	"github.com/wharfinger/wharfinger/internal/store/watched"
)

// jobStay is how long work is listed after its end.
const jobStay = 7 * 24 * time.Hour

// background is where work goes that takes longer than a request should. It is
// done while a server serves.
type background struct {
	*job.Runner
	queue *jobs.Queue
	hub   *event.Hub
}

var _ arrange.Jobs = (*background)(nil)

// newJobs makes the queue. Who holds work is one process at a time: that which has
// claimed the directory on this host.
func (b *Base) newJobs() *background {
	host, _ := os.Hostname() // without one, a second host with the same directory waits for leases
	q := jobs.Over(b.store)
	return &background{
		queue: q, hub: b.hub,
		Runner: job.New(job.Options{Store: q, Clock: b.cfg.Clock, Log: b.cfg.Log, Holder: host + ":" + b.dir}),
	}
}

func (b *background) handle(all map[job.Kind]job.Handler) {
	for kind, h := range all {
		b.Handle(kind, h)
	}
}

// InTx implements arrange.Jobs.
func (b *background) InTx(ctx context.Context, fn func(catalog.Tx, job.Adder) error) error {
	return watched.Both(ctx, b.hub, b.queue.InTx, fn)
}

// Open implements arrange.Jobs.
func (b *background) Open(ctx context.Context, owner core.UserID) (int, error) {
	return b.queue.Open(ctx, owner)
}
