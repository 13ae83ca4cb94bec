package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"math"
	"os"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/client"
	"github.com/wharfinger/wharfinger/client/batch"
)

const (
	smallLanes = 2    // so that one reads files while the other waits for the disk
	smallAhead = 1024 // files that wait for a lane
	mostLater  = 1024 // files of a lane that wait to be sent alone

	// A lane sends what it has when the walk is busy elsewhere for so long.
	smallPause = 100 * time.Millisecond
)

// small sends the small files of a tree, many in a request. What a batch cannot
// decide is sent alone: names that are taken, files that change, an older server.
type small struct {
	cl    *client.Client
	like  client.UploadInput
	lanes int

	in    chan item
	alone chan<- item // one at a time, by others
	told  func(result)

	mu   sync.Mutex
	open map[string]pending // by URI: those that are under way
	off  bool               // batches are of no use here
}

type pending struct {
	item
	began time.Time
}

// newSmall is nil where files go up one by one: for a lone file, and under a limit
// of bytes per second, which holds within a request only for uploads.
func (c *putCmd) newSmall(cl *client.Client, like client.UploadInput) *small {
	if !c.Recursive || like.Limiter != nil {
		return nil
	}
	return &small{cl: cl, like: like, lanes: min(smallLanes, c.Files), in: make(chan item, smallAhead), open: map[string]pending{}}
}

// takes reports that an item belongs here, and keeps its name until it is done.
func (s *small) takes(it item) bool {
	if s == nil || it.folder || it.size > batch.MaxFile {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := it.remote.String()
	if _, twice := s.open[key]; twice || s.off {
		return false
	}
	s.open[key] = pending{item: it, began: time.Now()}
	return true
}

// run sends until in is closed.
func (s *small) run(ctx context.Context) {
	var lanes sync.WaitGroup
	for range s.lanes {
		lanes.Go(func() {
			for it := range s.in {
				s.lane(ctx, it)
			}
		})
	}
	lanes.Wait()
}

// lane sends files until there are none for a while, beginning with one.
func (s *small) lane(ctx context.Context, first item) {
	if ctx.Err() != nil {
		return
	}
	l := &lane{small: s, mine: map[string]bool{}}
	var err error
	if s.isOff() {
		l.later = append(l.later, first)
	} else {
		err = batch.Put(ctx, batch.Options{Client: s.cl, GiveUpAfter: s.patience(), Waiting: s.waiting}, l.files(ctx, first), l.done)
	}
	if err != nil {
		l.failed(ctx, err)
	}
	for _, it := range l.later {
		s.close(it)
		select {
		case s.alone <- it:
		case <-ctx.Done():
			return
		}
	}
}

func (s *small) isOff() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.off
}

// close forgets an item and says since when it was known.
func (s *small) close(it item) (began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := it.remote.String()
	began = s.open[key].began
	delete(s.open, key)
	return began
}

func (s *small) patience() time.Duration {
	if s.like.GiveUpAfter < 0 {
		return math.MaxInt64
	}
	return s.like.GiveUpAfter
}

// waiting tells of a request that is tried again. It is about many files, so it
// names none.
func (s *small) waiting(err error, d time.Duration) {
	s.like.Progress(client.Event{Kind: client.EventRetry, Err: err, Wait: d})
}

// lane is one call of batch.Put.
type lane struct {
	*small
	mine  map[string]bool // without a result, by URI
	later []item          // to be sent alone
}

// files yields what comes in, until nothing does or too much was put off.
func (l *lane) files(ctx context.Context, first item) iter.Seq[batch.File] {
	return func(yield func(batch.File) bool) {
		pause := time.NewTimer(smallPause)
		defer pause.Stop()
		for it, ok := first, true; ok; {
			l.mine[it.remote.String()] = true
			if !yield(l.file(it)) || len(l.later) >= mostLater {
				return
			}
			pause.Reset(smallPause)
			select {
			case it, ok = <-l.in:
			case <-pause.C:
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

func (l *lane) file(it item) batch.File {
	return batch.File{
		URI: it.remote.String(), Size: it.size, Modified: it.modified, Version: l.like.OnConflict == client.Version,
		Open: func() (io.ReadCloser, error) {
			st, err := os.Stat(it.local)
			if err != nil {
				return nil, err
			}
			if !st.Mode().IsRegular() { // before it is opened: a pipe would wait for its writer
				return nil, fmt.Errorf("%s: %w", it.local, client.ErrNotRegular)
			}
			f, err := os.Open(it.local)
			if err == nil {
				l.tell(it, client.EventStarted, 0)
			}
			return f, err
		},
	}
}

func (l *lane) tell(it item, kind client.EventKind, confirmed int64) {
	l.like.Progress(client.Event{Kind: kind, Local: it.local, Remote: it.remote.String(), Size: it.size, Confirmed: confirmed})
}

// done makes a result of a file's answer, or puts the file off.
func (l *lane) done(b batch.Result) {
	l.mu.Lock()
	it := l.open[b.File.URI].item
	l.mu.Unlock()
	delete(l.mine, b.File.URI)
	r := result{item: it, outcome: client.Sent, size: it.size}
	switch {
	case b.Err != nil && l.like.OnConflict == client.Skip && client.IsExists(b.Err):
		r.outcome = client.Skipped
	case b.Err != nil && l.alike(b.Err):
		l.later = append(l.later, it)
		return
	case b.Err != nil:
		r.outcome, r.err = "", b.Err
	case b.Same && !b.Again && l.like.OnConflict == client.Skip:
		r.outcome = client.Skipped
	case b.Same && !b.Again:
		r.outcome = client.Unchanged
	case changed(it):
		it.replace = true
		l.later = append(l.later, it)
		return
	default:
		r.sent = it.size
		l.tell(it, client.EventProgress, it.size)
	}
	r.took = time.Since(l.close(it))
	l.told(r)
}

// alike reports that an upload of its own may do better than a batch with err.
func (l *lane) alike(err error) bool {
	_, refused := errors.AsType[*client.Error](err)
	switch {
	case !refused, client.IsLocked(err), client.IsRetryable(err):
		return true // it reads the file again, goes on with a session, waits
	case client.IsExists(err):
		return l.like.OnConflict == client.Rename
	case client.IsAuth(err), client.IsForbidden(err), client.IsQuota(err), client.IsTooLarge(err):
		return false
	}
	return true // such as names that differ in case only: its refusal says more
}

// changed reports that a file is another than the walk saw.
func changed(it item) bool {
	st, err := os.Stat(it.local)
	return err != nil || st.Size() != it.size || !st.ModTime().Equal(it.modified)
}

// failed deals with the files that have no result.
func (l *lane) failed(ctx context.Context, err error) {
	unsupported := errors.Is(err, batch.ErrUnsupported)
	passing := client.IsRetryable(err)
	l.mu.Lock()
	if unsupported && !l.off {
		slog.DebugContext(ctx, "the server takes no batches; small files are sent one by one") //nolint:sloglint // client commands are given no logger
	}
	l.off = l.off || !client.IsAuth(err)
	var rest []item
	for uri := range l.mine {
		rest = append(rest, l.open[uri].item)
	}
	l.mu.Unlock()
	for _, it := range rest {
		switch {
		case ctx.Err() != nil:
			return // that it ended says the command, once
		case passing || client.IsAuth(err):
			took := time.Since(l.close(it))
			l.told(result{item: it, size: it.size, err: err, took: took})
		default:
			l.later = append(l.later, it)
		}
	}
}
