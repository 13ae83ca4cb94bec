package client

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/flow"
	"github.com/wharfinger/wharfinger/client/pace"
	"github.com/wharfinger/wharfinger/client/plan"
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

// send sends what is missing, several pieces at once.
func (u *upload) send(ctx context.Context, s *session) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{}, 1)
	var wg sync.WaitGroup
	var under atomic.Int64
	for {
		slot, err := u.streams.Enter(ctx)
		if err != nil {
			break
		}
		running := under.Load()
		g, ok := s.Take(u.most())
		if !ok {
			slot.Leave()
			if running == 0 {
				break
			}
			select { // one that fails may give back what it had
			case <-ended:
			case <-ctx.Done():
			}
			continue
		}
		under.Add(1)
		wg.Go(func() {
			if err := u.piece(ctx, s, g, slot); err != nil {
				cancel(err)
			}
			slot.Leave()
			under.Add(-1)
			select {
			case ended <- struct{}{}:
			default:
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// most is how large a piece may be. Under a limit it is no more than can be sent
// in a few seconds: what a break would cost is what is under way.
func (u *upload) most() int64 {
	most := u.c.pace.Size.Piece()
	if l := u.in.Limiter; l != nil {
		most = min(most, int64(3*float64(l.Limit())))
	}
	return most
}

// How often a refusal is taken for a passing one before it is believed.
const (
	uncodedTries = 8
	busyTries    = 5
	goneTries    = 3
)

// piece sends one piece until it is acknowledged or given back to be cut anew,
// or the session or the upload is past help. After a failure that leaves open
// whether it arrived the server is asked, and what did is not sent again.
func (u *upload) piece(ctx context.Context, s *session, g plan.Piece, slot *pace.Slot) error {
	defer s.Return(g)
	var err error
	doubt := false
	for n := 1; ; n++ {
		if doubt {
			var known bool
			if known, err = u.ask(ctx, s, g); known {
				return err
			}
			doubt = err != nil
		}
		if !doubt {
			if n > 1 && s.Cuts() && g.Len() > u.most() {
				return nil
			}
			if err = u.post(ctx, s, g, slot); err == nil {
				u.acknowledged(s, g)
				return nil
			}
			if _, anew := errors.AsType[*restart](err); anew {
				return err
			}
			if again, verr := u.measured(s, g, err); again || verr != nil {
				return verr
			}
			doubt = leavesDoubt(err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if fail.HasCode(err, wire.CodeContentLengthWrong) && s.Cuts() {
			return u.recut(ctx, s, g, err)
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

// measured learns from a failure how large bodies may be. again: the piece is to
// be cut smaller and sent at once.
func (u *upload) measured(s *session, g plan.Piece, err error) (again bool, _ error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != wire.CodeOK || s.far != nil {
		return false, nil
	}
	switch {
	case e.HTTPStatus == http.StatusRequestEntityTooLarge:
		hope, news := u.c.pace.Size.Refused(g.Len(), e.Server)
		if !s.Cuts() || !hope {
			return false, err
		}
		if news {
			u.tellLimit(s)
		}
		return true, nil
	case e.HTTPStatus == http.StatusTooManyRequests, e.HTTPStatus == http.StatusServiceUnavailable:
		u.streams.Failed()
	case e.HTTPStatus == http.StatusRequestTimeout, e.HTTPStatus == 0 && isBroken(e.Err):
		u.c.pace.Size.Lost(g.Len())
		u.streams.Failed()
	}
	return false, nil
}

// isBroken tells a connection that ended under way from one that was not made.
func isBroken(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return err != nil && (!ok || op.Op != "dial")
}

// tellLimit says what keeps pieces small, if something is known to.
func (u *upload) tellLimit(s *session) {
	if note := u.c.pace.Size.Limit(s.Chunk()); note != "" && s.Cuts() {
		u.tells.tell(func(e *Event) { e.Kind, e.Note = EventLimited, note })
	}
}

// recut is for a piece of which the server has some bytes, cut in another way:
// what it has is noted, and the rest goes as other pieces.
func (u *upload) recut(ctx context.Context, s *session, g plan.Piece, refused error) error {
	known, err := u.ask(ctx, s, g)
	if known || err != nil && !passing(err) {
		return err
	}
	if err != nil {
		return u.back.wait(ctx, 0, err)
	}
	if _, some := s.Has(g); some {
		return nil
	}
	return refused
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
	case fail.HasCode(err, wire.CodeUncoded, wire.CodeUploadFailed) && n < uncodedTries:
		return nil
	case fail.HasCode(err, wire.CodeObjectChanged):
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

// ask asks the server whether a piece is in. known is false if that could not be
// learned, with the reason, or if it is not in, without.
func (u *upload) ask(ctx context.Context, s *session, g plan.Piece) (known bool, err error) {
	if s.far != nil {
		return u.askFar(ctx, s, g)
	}
	p, err := call[wire.UploadProgress](ctx, u.c, uploadStatus(s.id))
	switch {
	case IsSessionGone(err):
		return true, &restart{why: err}
	case isUnsupported(err):
		return false, nil
	case err != nil:
		return false, err
	case p.State == wire.StateAborted, p.State == wire.StateExpired:
		return true, &restart{why: fmt.Errorf("the upload session is %s", p.State)}
	}
	s.Learn(p.Received, complete(p))
	if in, _ := s.Has(g); !in {
		return false, nil
	}
	u.acknowledged(s, g)
	return true, nil
}

func (u *upload) acknowledged(s *session, g plan.Piece) {
	confirmed := s.Done(g)
	u.back.progress()
	u.streams.Passed(g.Len())
	u.tells.tell(func(e *Event) {
		e.Kind, e.Confirmed = EventProgress, max(e.Confirmed, confirmed)
	})
}

// post sends a piece once.
func (u *upload) post(ctx context.Context, s *session, g plan.Piece, slot *pace.Slot) error {
	digest, err := u.sum(ctx, s, g)
	if err != nil {
		return err
	}
	if s.far != nil {
		return u.putFar(ctx, s, g, slot.Sent)
	}
	address := u.c.endpoint("/file/upload/"+url.PathEscape(s.id)+"/"+strconv.FormatInt(g.Index, 10), nil)
	untried := u.c.pace.Size.Untried(g.Len())
	var broken atomic.Pointer[error]
	tctx, w := flow.NewWatch(ctx, u.c.stall)
	defer w.Stop()
	began := u.c.clock.Now()
	_, err = authorised[any](tctx, u.c, "upload chunk", func(ctx context.Context) (*http.Request, error) {
		open := func() (io.ReadCloser, error) {
			b := &flow.Body{Ctx: ctx, Source: u.in.Source, At: g.From, To: g.To, Limit: u.in.Limiter, Watch: w, Sent: slot.Sent}
			b.Failed = func(err error) { broken.Store(&err) }
			if s.seal != nil {
				b.Stream = s.seal.At(g.From)
			}
			return b, nil
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, http.NoBody)
		if err != nil {
			return nil, err
		}
		if g.Len() > 0 {
			req.Body, _ = open()
			req.GetBody, req.ContentLength = open, g.Len()
		}
		if !g.Whole {
			req.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", g.From, g.To-1, s.size))
		}
		if untried && g.Len() >= askFirst {
			req.Header.Set("Expect", "100-continue")
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		req.Header.Set("Content-Digest", digest)
		return req, nil
	})
	if p := broken.Load(); p != nil && err != nil {
		return *p // the file's fault, not the network's
	}
	if err != nil && ctx.Err() == nil && context.Cause(tctx) == flow.ErrStalled { //nolint:errorlint // ours
		return &Error{Op: "upload chunk", Message: flow.ErrStalled.Error(), Err: flow.ErrStalled}
	}
	if err == nil {
		u.c.pace.Size.Passed(g.Len(), u.c.clock.Now().Sub(began))
		if g.Len() == s.size {
			s.atOnce.Store(true)
		}
	}
	return err
}

// askFirst is from which size on a body that may be refused for its size is
// announced before it is sent (RFC 9110 §10.1.1).
const askFirst = 512 << 10

// sum reads a piece and returns the digest of it as it will be sent. The sum of
// its plain bytes is kept for the comparison at the end.
func (u *upload) sum(ctx context.Context, s *session, g plan.Piece) (string, error) {
	var stream cipher.Stream
	if s.seal != nil {
		stream = s.seal.At(g.From)
	}
	plain, sent, err := flow.Measure(ctx, u.in.Source, g.From, g.To, stream)
	if err != nil {
		return "", err
	}
	s.Note(g, plain)
	return wire.FormatDigests(wire.CRCDigest(sent)), nil
}

func (u *upload) crc(ctx context.Context, from, to int64) (uint64, error) {
	sum, _, err := flow.Measure(ctx, u.in.Source, from, to, nil)
	return sum, err
}

// How often the server is asked for an end before the chunk that should have
// brought it is sent again.
const sealingPolls = 4

// settle waits for the end of an upload whose chunks are all acknowledged and
// compares digests. false without an error: the server lacks some after all.
func (u *upload) settle(ctx context.Context, s *session) (whole bool, err error) {
	if s.atOnce.Load() {
		// The one body was the file: its digest was proved when it was taken.
		u.out.Verified = true
		return true, nil
	}
	u.tells.tell(func(e *Event) { e.Kind = EventVerifying })
	if s.far != nil {
		if whole, err := u.finishFar(ctx, s); !whole || err != nil {
			return false, err
		}
	}
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
			if s.far == nil {
				s.Receive(p.Received, false)
				return false, nil
			}
		}
		if n%sealingPolls == 0 && s.far != nil {
			if whole, err := u.finishFar(ctx, s); !whole || err != nil {
				return false, err
			}
		} else if n%sealingPolls == 0 {
			if err := u.post(ctx, s, s.Last(), nil); err == nil {
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
	want, ok := wire.CRCOf(field)
	if !ok {
		return nil
	}
	whole, err := s.CRC(func(from, to int64) (uint64, error) { return u.crc(ctx, from, to) })
	if err != nil {
		return err
	}
	if whole != want {
		return &restart{differ: true, why: fmt.Errorf("%w: stored %016x, read %016x", ErrDigest, want, whole)}
	}
	u.out.Verified = true
	return nil
}
