package shares

import (
	"context"
	"math"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/share"
	"github.com/wharfinger/wharfinger/internal/store/part"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

var _ share.Store = (*Shares)(nil)

// Shares keeps shares in a database.
type Shares struct{ base part.Base }

// Over returns the shares of a store.
func Over(b part.Base) *Shares { return &Shares{base: b} }

func toShare(r query.Share) share.Share {
	if len(r.Sealed) == 0 {
		r.Sealed = nil // as the other database says it
	}
	return share.Share{
		ID: core.ShareID(r.ID), Owner: core.UserID(r.Owner), Node: core.NodeID(r.Node), Name: r.Name,
		Kind: catalog.Kind(r.Kind), Sealed: r.Sealed, Expires: core.FromMicros(r.ExpiresUs), Remain: r.Remain,
		Visited: r.Visited, Downloaded: r.Downloaded, ShowView: r.ShowView, ShowReadme: r.ShowReadme,
		Created: core.FromMicros(r.CreatedUs),
	}
}

// micros is core.Micros with the zero time as 0, which core.FromMicros reverses.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return core.Micros(t)
}

// Share implements share.Store.
func (s *Shares) Share(ctx context.Context, id core.ShareID) (share.Share, error) {
	t := s.base.Read()
	r, err := t.Share(ctx, int64(id))
	if err != nil {
		return share.Share{}, t.Found("shares.Share", err, errs.ShareMissing)
	}
	return toShare(r), nil
}

// Add implements share.Store.
func (s *Shares) Add(ctx context.Context, n share.Share) error {
	return s.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("shares.Add", t.AddShare(ctx, query.AddShareParams{
			ID: int64(n.ID), Owner: int64(n.Owner), Node: int64(n.Node), Name: n.Name, Kind: int64(n.Kind),
			Sealed: append([]byte{}, n.Sealed...), ExpiresUs: micros(n.Expires), Remain: n.Remain,
			ShowView: n.ShowView, ShowReadme: n.ShowReadme, CreatedUs: micros(n.Created),
		}))
	})
}

// Update implements share.Store.
func (s *Shares) Update(ctx context.Context, n share.Share) error {
	return s.one(ctx, "shares.Update", errs.ShareMissing, func(t part.Turn) (int64, error) {
		return t.UpdateShare(ctx, query.UpdateShareParams{
			Sealed: append([]byte{}, n.Sealed...), ExpiresUs: micros(n.Expires), Remain: n.Remain,
			ShowView: n.ShowView, ShowReadme: n.ShowReadme, ID: int64(n.ID), Owner: int64(n.Owner),
		})
	})
}

// Remove implements share.Store.
func (s *Shares) Remove(ctx context.Context, id core.ShareID, owner core.UserID) error {
	return s.one(ctx, "shares.Remove", errs.ShareMissing, func(t part.Turn) (int64, error) {
		return t.RemoveShare(ctx, query.RemoveShareParams{ID: int64(id), Owner: int64(owner)})
	})
}

// Take implements share.Store.
func (s *Shares) Take(ctx context.Context, id core.ShareID, now time.Time) error {
	return s.one(ctx, "shares.Take", errs.ShareExpired, func(t part.Turn) (int64, error) {
		return t.TakeShare(ctx, query.TakeShareParams{ID: int64(id), NowUs: core.Micros(now)})
	})
}

// one runs a statement that must touch a row; none is NotFound with that reason.
func (s *Shares) one(ctx context.Context, op string, missing errs.Reason, run func(part.Turn) (int64, error)) error {
	return s.base.Write(ctx, func(t part.Turn) error {
		rows, err := run(t)
		if err == nil && rows == 0 {
			return errs.New(errs.NotFound, missing).At(op)
		}
		return t.Fail(op, err)
	})
}

// Of implements share.Store.
func (s *Shares) Of(ctx context.Context, q share.Query) ([]share.Share, error) {
	t := s.base.Read()
	up := query.SharesUpParams{Owner: int64(q.Owner), After: int64(q.After), Most: int32(min(q.Limit, math.MaxInt32))}
	down := query.SharesDownParams(up)
	if q.After == 0 {
		down.After = math.MaxInt64
	}
	by := query.SharesByUpParams{Owner: up.Owner, After: up.After, By: int64(q.By), Rank: q.Rank, Most: up.Most}
	var rows []query.Share
	var err error
	switch {
	case q.By != share.ByMade && q.Desc:
		rows, err = t.SharesByDown(ctx, query.SharesByDownParams(by))
	case q.By != share.ByMade:
		rows, err = t.SharesByUp(ctx, by)
	case q.Desc:
		rows, err = t.SharesDown(ctx, down)
	default:
		rows, err = t.SharesUp(ctx, up)
	}
	if err != nil {
		return nil, t.Fail("shares.Of", err)
	}
	out := make([]share.Share, len(rows))
	for i, r := range rows {
		out[i] = toShare(r)
	}
	return out, nil
}

// Visit implements share.Store.
func (s *Shares) Visit(ctx context.Context, id core.ShareID) error {
	return s.base.Write(ctx, func(t part.Turn) error {
		return t.Fail("shares.Visit", t.VisitShare(ctx, int64(id)))
	})
}
