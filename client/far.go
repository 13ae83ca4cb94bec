package client

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/api/wire"
	"github.com/wharfinger/wharfinger/client/fail"
	"github.com/wharfinger/wharfinger/client/flow"
	"github.com/wharfinger/wharfinger/client/plan"
	"github.com/wharfinger/wharfinger/client/straight"
)

// Way is how bytes go to a store behind the server.
type Way string

// The ways. Where the bytes are kept by the server itself there is only one.
const (
	Straight Way = "straight" // to the store, or not at all
	Relayed  Way = "relay"    // through the server
)

// leastFar is from which size on a file goes straight to the store: the smallest part
// that all stores take. Smaller ones are two requests through the server and five past it.
const leastFar = 5 << 20

// far is the way past the server of one session.
type far struct {
	*straight.Upload
	took atomic.Bool // the store has taken something of it
}

// relays reports whether the session is to be one through the server.
func (u *upload) relays() bool {
	if u.detour || u.in.Way != "" {
		return u.detour || u.in.Way == Relayed
	}
	return u.in.Size < leastFar
}

// farAt is nil for a kind of store that is not known here.
func (u *upload) farAt(kind, session string) *far {
	if !slices.Contains(straight.Kinds, kind) {
		return nil
	}
	return &far{Upload: straight.New(kind, u.c.stores, func(ctx context.Context, from int, stored bool) (straight.Page, error) {
		a, err := call[wire.UploadAddresses](ctx, u.c, request{
			op: "get addresses", method: http.MethodGet, path: "/file/upload/" + url.PathEscape(session) + "/addresses",
			query: url.Values{"from": {strconv.Itoa(from)}, "stored": {strconv.FormatBool(stored)}},
		})
		page := straight.Page{
			From: a.From, Parts: a.UploadURLs, Complete: a.CompleteURL, Header: a.Headers, Expires: a.Expires, Whole: a.Complete, Secret: a.CallbackSecret,
		}
		if e := a.Completion; e != nil {
			page.End = straight.End{Method: e.Method, Header: e.Headers, Bare: e.Body == "none"}
		}
		for _, p := range a.Stored {
			page.Stored = append(page.Stored, straight.Stored{Index: p.Index, Size: p.Size, ETag: p.Etag})
		}
		return page, err
	})}
}

// putFar sends a chunk to the store. If the store cannot be had from here at all, the
// upload begins anew by the other way.
func (u *upload) putFar(ctx context.Context, s *session, g plan.Piece, sent func()) error {
	var broken atomic.Pointer[error]
	tctx, w := flow.NewWatch(ctx, u.c.stall)
	defer w.Stop()
	err := s.far.Put(tctx, int(g.Index), func() io.ReadCloser {
		b := &flow.Body{Ctx: tctx, Source: u.in.Source, At: g.From, To: g.To, Limit: u.in.Limiter, Watch: w, Sent: sent}
		b.Failed = func(err error) { broken.Store(&err) }
		if s.seal != nil {
			b.Stream = s.seal.At(g.From)
		}
		return b
	}, g.Len())
	switch p := broken.Load(); {
	case err == nil:
		s.far.took.Store(true)
		return nil
	case p != nil:
		return *p // the file's fault, not the network's
	case ctx.Err() == nil && context.Cause(tctx) == flow.ErrStalled: //nolint:errorlint // ours
		err = &straight.Unreachable{Err: flow.ErrStalled, Met: true}
	}
	return u.farFailed(s, err)
}

// farFailed makes an error of the store one of a call, or the reason for the other way.
func (u *upload) farFailed(s *session, err error) error {
	out := &Error{Op: "send to the store", Err: err}
	var refused *straight.Refused
	var away *straight.Unreachable
	switch {
	case errors.As(err, &refused):
		out.HTTPStatus, out.Message, out.RetryAfter, out.Server = refused.Status, refused.Error(), refused.After, "the store"
		if IsRetryable(out) {
			u.streams.Failed()
		}
		if IsRetryable(out) || refused.Code != "" { // the store itself, and not what lies between
			return out
		}
	case errors.As(err, &away):
		if !away.Final() {
			u.streams.Failed()
			return out
		}
	default:
		return err // of the server
	}
	if s.far.took.Load() || u.in.Way == Straight {
		return out
	}
	u.detour = true
	u.c.barred.Add(s.far.At(), u.c.clock.Now())
	u.tells.tell(func(e *Event) {
		e.Kind, e.Note = EventLimited, fmt.Sprintf("the bytes go through the server: %v", err)
	})
	return &restart{why: out, cancel: true}
}

// ranges are the bytes of parts.
func ranges(s *session, parts []straight.Stored) (all [][2]int64) {
	for _, p := range parts {
		from := int64(p.Index) * s.Chunk()
		all = append(all, [2]int64{from, from + p.Size})
	}
	return all
}

// askFar asks whether the store has a chunk, as ask does.
func (u *upload) askFar(ctx context.Context, s *session, g plan.Piece) (known bool, err error) {
	parts, whole, err := s.far.Look(ctx)
	switch {
	case IsSessionGone(err):
		return true, &restart{why: err}
	case err != nil:
		return false, err
	}
	i := slices.IndexFunc(parts, func(p straight.Stored) bool { return int64(p.Index) == g.Index && p.Size == g.Len() })
	same := whole
	if !whole && i >= 0 {
		// A store may keep a part that broke off, as long as it was to be.
		if same, err = u.tagged(s, parts[i]); err != nil {
			return false, err
		}
	}
	if !same {
		return false, nil
	}
	u.acknowledged(s, g)
	return true, nil
}

// adoptFar goes on with a session past the server; is says that it is one. Parts of other
// bytes than the source's, which broke off or are of another file, are sent again. It
// leaves s.far nil where the session is gone.
func (u *upload) adoptFar(ctx context.Context, s *session, p wire.UploadProgress) (is bool, err error) {
	way := u.farAt(p.StoragePolicy.Type, s.id)
	if way == nil || p.StoragePolicy.Relay {
		return false, nil
	}
	parts, whole, err := way.Look(ctx)
	switch {
	case fail.HasCode(err, wire.CodePolicyUnsuitable):
		return false, nil // it goes through the server
	case IsSessionGone(err):
		return true, nil
	case err != nil:
		return true, err
	}
	s.far = way
	var same []straight.Stored
	for _, one := range parts {
		ok, err := u.tagged(s, one)
		if err != nil {
			return true, err
		}
		if ok {
			same = append(same, one)
		}
	}
	if s.Plan, err = plan.New(plan.Shape{Size: p.Size, Chunk: p.ChunkSize}); err != nil {
		return true, err
	}
	way.took.Store(len(parts) > 0)
	s.Receive(ranges(s, same), whole)
	u.started(s)
	return true, nil
}

// tagged compares a part with the source by its ETag.
func (u *upload) tagged(s *session, part straight.Stored) (bool, error) {
	from := int64(part.Index) * s.Chunk()
	var b io.Reader = io.NewSectionReader(u.in.Source, from, min(part.Size, s.size-from))
	if s.seal != nil {
		b = cipher.StreamReader{S: s.seal.At(from), R: b}
	}
	return s.far.Holds(part, b)
}

// finishFar completes the upload at the store and says so to the server. whole is false
// if the store lacks some after all.
func (u *upload) finishFar(ctx context.Context, s *session) (whole bool, err error) {
	parts := int((s.size + s.Chunk() - 1) / max(1, s.Chunk()))
	for n := 1; ; n++ {
		have, done, err := s.far.Look(ctx)
		switch {
		case IsSessionGone(err):
			return true, nil // it has ended: its state says how
		case err == nil && !done && len(have) < parts:
			s.Receive(ranges(s, have), false)
			return false, nil
		case err == nil && !done:
			err = s.far.Complete(ctx, parts)
		}
		if err == nil { // also where the store calls by itself: it may not reach a server that we do
			_, err = call[any](ctx, u.c, request{
				op: "finish upload", method: http.MethodGet,
				path: "/callback/" + s.far.Kind + "/" + url.PathEscape(s.id) + "/" + url.PathEscape(s.far.Secret()),
			})
			if err != nil && !IsRetryable(err) {
				return true, nil // it may have been heard before: the state says
			}
		}
		if err == nil {
			return true, nil
		}
		if _, ours := errors.AsType[*Error](err); !ours {
			err = u.farFailed(s, err)
		}
		if !IsRetryable(err) {
			return false, err
		}
		if err := u.back.wait(ctx, n, err); err != nil {
			return false, err
		}
	}
}
