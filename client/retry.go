package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/pace"
)

const (
	longestAsked = 5 * time.Minute // a Retry-After beyond it is not believed

	// However slow each try fails, this many are made.
	leastTries = 4
)

// backoff is the patience of one transfer.
type backoff struct {
	clock  Clock
	giveUp time.Duration // without progress; negative: never
	tell   func(err error, wait time.Duration)
	*Batch
}

// Batch is what the transfers of one run share, so that progress of one is hope
// for all, a server that stays away ends all of them at once, and the server is
// asked about unfinished uploads once and not for each file.
type Batch struct {
	unfinished []wire.UploadProgress
	listed     bool

	mu    sync.Mutex
	since time.Time // first failure since the last progress
	fails int
}

// NewBatch asks the server about unfinished uploads. If that fails the batch
// can be used all the same: then each upload asks for itself.
func (c *Client) NewBatch(ctx context.Context) (*Batch, error) {
	list, err := c.Uploads(ctx)
	if isUnsupported(err) {
		err = nil
	}
	return &Batch{unfinished: list, listed: err == nil}, err
}

func (c *Client) backoff(giveUp time.Duration, tell func(error, time.Duration), shared *Batch) *backoff {
	if giveUp == 0 {
		giveUp = DefaultGiveUpAfter
	}
	if tell == nil {
		tell = func(error, time.Duration) {}
	}
	if shared == nil {
		shared = new(Batch)
	}
	return &backoff{clock: c.clock, giveUp: giveUp, tell: tell, Batch: shared}
}

// progress says that something worked.
func (b *Batch) progress() {
	b.mu.Lock()
	b.since, b.fails = time.Time{}, 0
	b.mu.Unlock()
}

// wait waits before try n+1 of something that failed with err, or returns why
// there should be none.
func (b *backoff) wait(ctx context.Context, n int, err error) error {
	b.mu.Lock()
	now := b.clock.Now()
	if b.since.IsZero() {
		b.since = now
	}
	b.fails++
	fails, lost := b.fails, now.Sub(b.since)
	b.mu.Unlock()
	if n == 0 {
		n = fails
	}
	d := pace.Delay(n)
	if e, ok := errors.AsType[*Error](err); ok {
		d = max(d, min(e.RetryAfter, longestAsked))
	}
	if b.giveUp > 0 && fails >= leastTries && lost+d > b.giveUp {
		return err
	}
	b.tell(err, d)
	if werr := b.clock.Sleep(ctx, d); werr != nil {
		return fmt.Errorf("%w (while waiting to try again after: %w)", werr, err)
	}
	return nil
}

// passing reports that a call which is part of a transfer should be repeated.
// Besides what may always be, that is a name that changed under the server's
// hands: two of our own calls making the same folder.
func passing(err error) bool { return IsRetryable(err) || fail.HasCode(err, wire.CodeObjectChanged) }

// persist repeats fn as long as the patience of the transfer lasts. That fn
// works is no progress yet: nothing has been transferred by it.
func persist[T any](ctx context.Context, b *backoff, fn func() (T, error)) (T, error) {
	for n := 1; ; n++ {
		data, err := fn()
		if err == nil || !passing(err) {
			return data, err
		}
		if err := b.wait(ctx, n, err); err != nil {
			return data, err
		}
	}
}
