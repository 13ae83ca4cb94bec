package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/cmd/wharf/human"
)

// transferFlags are shared by put and get.
type transferFlags struct {
	Recursive   bool          `short:"r" help:"Folders with all that is in them."`
	Files       int           `default:"4" help:"Files at once." placeholder:"N"`
	LimitRate   *human.Size   `help:"At most so many bytes a second, such as 10MiB." placeholder:"SIZE"`
	GiveUpAfter time.Duration `default:"10m" help:"End when nothing has worked for that long; 0: never." placeholder:"TIME"`
	Quiet       bool          `short:"q" help:"Only failures."`
	JSON        bool          `name:"json" help:"Events as JSON lines on standard output; see docs/scripting.md."`
	remoteFlags
}

func (f *transferFlags) check() error {
	if f.Files < 1 || f.Files > 64 {
		return errors.New("--files must be from 1 to 64")
	}
	if f.LimitRate != nil && f.LimitRate.Bytes < 1 {
		return errors.New("--limit-rate must be at least one byte a second")
	}
	return nil
}

func (f *transferFlags) limiter() *rate.Limiter {
	if f.LimitRate == nil {
		return nil
	}
	return client.NewLimiter(f.LimitRate.Bytes)
}

// patience is GiveUpAfter as the SDK has it.
func (f *transferFlags) patience() time.Duration {
	if f.GiveUpAfter <= 0 {
		return -1
	}
	return f.GiveUpAfter
}

// result is what became of an item.
type result struct {
	item
	outcome client.Outcome // "" after a failure, and for folders and notes
	size    int64
	sent    int64  // bytes transferred by this run, also after a failure
	resumed int64  // bytes of an earlier run that were kept
	as      string // where it went, if elsewhere than planned
	took    time.Duration
	err     error
}

// largeAhead is how many items wait, so that small files behind them need not.
const largeAhead = 64

// crew is who does the items of a command.
type crew struct {
	n     int // at once
	do    func(context.Context, item) result
	told  func(result) // by one goroutine at a time
	small *small       // takes small files off them; nil: nobody does
}

// each does the items. It goes on after failures of single ones and ends early
// when ctx does, or when one must sign in again.
func each(ctx context.Context, items iter.Seq[item], c crew) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	report := func(r result) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() != nil && r.err != nil && !errors.Is(r.err, context.Canceled) && client.IsAuth(context.Cause(ctx)) {
			return // the same failure, once more
		}
		c.told(r)
		if client.IsAuth(r.err) {
			cancel(r.err)
		}
	}
	work := make(chan item, largeAhead)
	var wg, small sync.WaitGroup
	for range c.n {
		wg.Go(func() {
			for it := range work {
				if ctx.Err() == nil {
					report(c.do(ctx, it))
				}
			}
		})
	}
	if c.small != nil {
		c.small.alone, c.small.told = work, report
		small.Go(func() { c.small.run(ctx) })
	}
	for it := range items {
		switch {
		case it.err != nil || it.note != "":
			report(result{item: it, err: it.err})
		case it.same:
			report(result{item: it, outcome: client.Unchanged, size: it.size})
		default:
			to := work
			if c.small.takes(it) {
				to = c.small.in
			}
			select {
			case to <- it:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if c.small != nil {
		close(c.small.in)
		small.Wait() // they may give some back
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// excluder makes the question of a walk from patterns: one without a slash is
// for names at any depth, one with a slash for paths from the root of the walk,
// and one that ends in a slash for folders only.
func excluder(patterns []string) (func(rel string, folder bool) bool, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	for _, p := range patterns {
		if _, err := path.Match(strings.Trim(p, "/"), ""); err != nil {
			return nil, fmt.Errorf("--exclude %q: %w", p, err)
		}
	}
	return func(rel string, folder bool) bool {
		for _, p := range patterns {
			body, foldersOnly := strings.CutSuffix(p, "/")
			if foldersOnly && !folder {
				continue
			}
			name := rel
			if !strings.Contains(body, "/") {
				name = path.Base(rel)
			}
			if ok, _ := path.Match(strings.TrimPrefix(body, "/"), name); ok { // patterns were checked
				return true
			}
		}
		return false
	}, nil
}

// finish closes the progress, says how it went and makes the exit code.
func finish(p progress, t *tally, ended error) error {
	p.close()
	if ended != nil && t.failed == 0 {
		t.count(ended)
		return &exit{exitCode(ended), ended}
	}
	return t.exit()
}
