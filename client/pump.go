package client

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
)

// complete sends what is missing and sees the upload through to its end.
func (u *upload) complete(ctx context.Context, s *session) error {
	for range 1 + maxRestarts {
		if err := u.send(ctx, s); err != nil {
			return err
		}
		whole, err := u.settle(ctx, s)
		if whole || err != nil {
			return err
		}
	}
	return fmt.Errorf("upload: the server keeps losing parts of session %s that it had acknowledged", s.id)
}

// send sends the missing chunks, several at once.
func (u *upload) send(ctx context.Context, s *session) error {
	missing := s.missing()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(u.atOnce(s), len(missing)) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(missing) || ctx.Err() != nil {
					return
				}
				if err := u.chunk(ctx, s, missing[i]); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// atOnce is how many chunks are sent at once. Under a limit it is no more than
// can be done in ten seconds: what a break would cost is what is under way.
func (u *upload) atOnce(s *session) int {
	if u.in.Limiter == nil {
		return u.in.Chunks
	}
	return max(1, min(u.in.Chunks, int(10*float64(u.in.Limiter.Limit())/float64(s.each))))
}

// How often a refusal is taken for a passing one before it is believed.
const (
	uncodedTries = 8
	busyTries    = 5
	goneTries    = 3
)

// chunk sends one chunk until it is acknowledged, or the session or the upload
// is past help. After a failure that leaves open whether the chunk arrived the
// server is asked, and the chunk is sent again only if it did not.
func (u *upload) chunk(ctx context.Context, s *session, i int) error {
	var err error
	doubt := false
	for n := 1; ; n++ {
		if doubt {
			var known bool
			if known, err = u.ask(ctx, s, i); known {
				return err
			}
			doubt = err != nil
		}
		if !doubt {
			if err = u.post(ctx, s, i); err == nil {
				u.acknowledged(s, i, true)
				return nil
			}
			doubt = leavesDoubt(err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := verdict(err, n); err != nil {
			return err
		}
		if doubt && n == 1 && IsSessionGone(err) {
			continue // ask at once: it is most likely done
		}
		if err := u.back.wait(ctx, n, err); err != nil {
			return err
		}
	}
}

// leavesDoubt reports that a chunk may be in although its sending failed.
func leavesDoubt(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == wire.CodeOK || e.Code == wire.CodeDatabaseFailed || e.Code == wire.CodeUploadSessionGone || e.Code == wire.CodeLockConflict)
}

// verdict is nil for a failure after which the chunk should be tried again.
func verdict(err error, n int) error {
	switch {
	case IsRetryable(err):
		return nil
	case hasCode(err, wire.CodeUncoded, wire.CodeUploadFailed) && n < uncodedTries:
		return nil
	case hasCode(err, wire.CodeObjectChanged):
		return &restart{why: fmt.Errorf("%w: %w", ErrSourceChanged, err), cancel: true}
	case IsLocked(err):
		if n < busyTries {
			return nil // an earlier try of ours may still be read there
		}
		return &restart{why: err, cancel: true}
	case IsSessionGone(err):
		if n < goneTries {
			return nil
		}
		return &restart{why: err}
	}
	return err
}

// ask asks the server whether chunk i is in. known is false if that could not
// be learned, with the reason, or if it is not in, without.
func (u *upload) ask(ctx context.Context, s *session, i int) (known bool, err error) {
	p, err := call[wire.UploadProgress](ctx, u.c, uploadStatus(s.id))
	switch {
	case IsSessionGone(err):
		return true, &restart{why: err}
	case isUnsupported(err):
		return false, nil
	case err != nil:
		return false, err
	}
	from, to := s.bounds(i)
	switch p.State {
	case wire.StateAborted, wire.StateExpired:
		return true, &restart{why: fmt.Errorf("the upload session is %s", p.State)}
	case wire.StateDone, wire.StateSealing:
	default:
		if !covers(p.Received, from, to) {
			return false, nil
		}
	}
	u.acknowledged(s, i, false)
	return true, nil
}

func (u *upload) acknowledged(s *session, i int, posted bool) {
	confirmed := s.acknowledge(i, posted)
	u.back.progress()
	u.tells.tell(func(e *Event) {
		e.Kind, e.Confirmed = EventProgress, max(e.Confirmed, confirmed)
	})
}

// post sends chunk i once.
func (u *upload) post(ctx context.Context, s *session, i int) error {
	from, to := s.bounds(i)
	digest, err := u.sum(ctx, s, i)
	if err != nil {
		return err
	}
	address := u.c.endpoint("/file/upload/"+url.PathEscape(s.id)+"/"+strconv.Itoa(i), nil)
	var broken atomic.Pointer[error]
	tctx, w := newWatch(ctx, u.c.stall)
	defer w.stop()
	_, err = authorised[any](tctx, u.c, "upload chunk", func(ctx context.Context) (*http.Request, error) {
		open := func() (io.ReadCloser, error) {
			b := &body{ctx: ctx, src: u.in.Source, at: from, to: to, limit: u.in.Limiter, watch: w}
			b.failed = func(err error) { broken.Store(&err) }
			if s.seal != nil {
				b.stream = s.seal.at(from)
			}
			return b, nil
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
		if err != nil {
			return nil, err
		}
		if to > from {
			req.Body, _ = open()
			req.GetBody, req.ContentLength = open, to-from
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Content-Digest", digest)
		return req, nil
	})
	if p := broken.Load(); p != nil && err != nil {
		return *p // the file's fault, not the network's
	}
	if err != nil && ctx.Err() == nil && context.Cause(tctx) == errStalled { //nolint:errorlint // ours
		return &Error{Op: "upload chunk", Message: errStalled.Error(), Err: errStalled}
	}
	return err
}

// sum reads chunk i and returns the digest of it as it will be sent. The sum
// of its plain bytes is kept for the comparison at the end.
func (u *upload) sum(ctx context.Context, s *session, i int) (string, error) {
	from, to := s.bounds(i)
	var stream cipher.Stream
	if s.seal != nil {
		stream = s.seal.at(from)
	}
	plain, sent, err := measure(ctx, u.in.Source, from, to, stream)
	if err != nil {
		return "", err
	}
	s.note(i, plain)
	return wire.FormatDigests(crcDigest(sent)), nil
}

func (u *upload) crc(ctx context.Context, from, to int64) (uint64, error) {
	sum, _, err := measure(ctx, u.in.Source, from, to, nil)
	return sum, err
}

// How often the server is asked for an end before the chunk that should have
// brought it is sent again.
const sealingPolls = 4

// settle waits for the end of an upload whose chunks are all acknowledged and
// compares digests. false without an error: the server lacks some after all.
func (u *upload) settle(ctx context.Context, s *session) (whole bool, err error) {
	if len(s.have) == 1 && s.posted[0] {
		// The one chunk was the file: its digest was proved when it was taken.
		u.out.Verified = true
		return true, nil
	}
	u.tells.tell(func(e *Event) { e.Kind = EventVerifying })
	for n := 1; ; n++ {
		p, err := persist(ctx, u.back, func() (wire.UploadProgress, error) {
			return call[wire.UploadProgress](ctx, u.c, uploadStatus(s.id))
		})
		if isUnsupported(err) || IsSessionGone(err) {
			return true, u.settleByName(ctx, s, err)
		}
		if err != nil {
			return false, err
		}
		switch p.State {
		case wire.StateDone:
			u.out.Entity = p.PrimaryEntity
			return true, u.compare(ctx, s, p.ReprDigest)
		case wire.StateAborted, wire.StateExpired:
			return false, &restart{why: fmt.Errorf("the upload session is %s", p.State)}
		case wire.StateOpen:
			s.receive(p)
			return false, nil
		}
		if n%sealingPolls == 0 {
			if err := u.post(ctx, s, s.nudge); err == nil {
				continue
			} else if verdict(err, 1) != nil {
				return false, err
			} else if err := u.back.wait(ctx, 0, err); err != nil {
				return false, err
			}
		}
		if err := u.c.clock.Sleep(ctx, time.Duration(n)*250*time.Millisecond); err != nil {
			return false, err
		}
	}
}

// settleByName is for a server that does not tell about sessions, or has
// forgotten this one.
func (u *upload) settleByName(ctx context.Context, s *session, why error) error {
	f, err := u.stat(ctx)
	if err != nil {
		return err
	}
	if f.Type != wire.IsFile || f.Size != s.size {
		return &restart{why: why}
	}
	u.out.Entity = f.PrimaryEntity
	if e := primary(f); e != nil {
		return u.compare(ctx, s, e.ReprDigest)
	}
	return nil
}

// compare holds the server's digest of the stored file against that of the
// source: of the chunks as they were read for sending, and of those that were
// there before as they are now.
func (u *upload) compare(ctx context.Context, s *session, field string) error {
	want, ok := crcOf(field)
	if !ok {
		return nil
	}
	var whole uint64
	for i := range s.have {
		from, to := s.bounds(i)
		if !s.summed[i] {
			sum, err := u.crc(ctx, from, to)
			if err != nil {
				return err
			}
			s.note(i, sum)
		}
		whole = joinCRC(whole, s.sums[i], to-from)
	}
	if whole != want {
		return &restart{differ: true, why: fmt.Errorf("%w: stored %016x, read %016x", ErrDigest, want, whole)}
	}
	u.out.Verified = true
	return nil
}
