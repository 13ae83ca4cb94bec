package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// Claims reports whether a blob belongs to an upload that has not ended.
func (e *Engine) Claims(ctx context.Context, key string) (bool, error) {
	const op = "upload.Claims"
	id := sessionOf(key)
	if id == "" {
		return false, nil
	}
	s, err := e.Store.Session(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil && !s.State.Ended(), errs.Wrap(op, err)
}

// Inspect compares sessions with the bytes they staged, both ways, and reports
// uploads that hang. With Fix, uploads that a vendor's store holds for nobody are
// aborted there; the rest is for Sweep. It returns how many sessions it looked at.
func (e *Engine) Inspect(ctx context.Context, in catalog.Inspection) (int64, error) {
	const op = "upload.Inspect"
	var seen int64
	for after := core.UserID(0); ; {
		users, err := e.Store.Users(ctx, after, sweepBatch)
		if err != nil {
			return seen, errs.Wrap(op, err)
		}
		if len(users) == 0 {
			break
		}
		for _, u := range users {
			after = u.ID
			n, err := e.inspectUser(ctx, u.ID, in)
			if seen += n; err != nil {
				return seen, errs.Wrap(op, err)
			}
		}
	}
	return seen, errs.Wrap(op, e.inspectStaged(ctx, in))
}

// allOf is more sessions than a user can have.
const allOf = 1 << 20

func (e *Engine) inspectUser(ctx context.Context, u core.UserID, in catalog.Inspection) (seen int64, err error) {
	for _, state := range []State{Open, Sealing} {
		all, err := e.Store.SessionsOf(ctx, u, state, allOf)
		if err != nil {
			return seen, err
		}
		for _, s := range all {
			seen++
			if in.Silent[s.Policy] {
				continue
			}
			if err := in.Told(e.inspectSession(ctx, s, in.Found)); err != nil {
				return seen, err
			}
		}
	}
	return seen, nil
}

func (e *Engine) inspectSession(ctx context.Context, s Session, found func(catalog.Finding)) error {
	if e.fresh(s) || e.past(s) {
		return nil
	}
	f := catalog.Finding{User: s.Owner, Session: s.ID, Blob: s.Blob}
	there, err := e.isStaged(ctx, s)
	if err != nil {
		return err
	}
	if now, err := e.Store.Session(ctx, s.ID); err != nil || now.State != s.State {
		return except(err, errs.NotFound) // it went on meanwhile
	}
	switch {
	case !there && !s.small():
		f.Trouble = catalog.StagedMissing
		f.Message = fmt.Sprintf("upload %s of %s says that %d bytes are in, and the storage has none", s.ID, s.URI, s.Received)
		found(f)
	case s.State == Sealing:
		f.Trouble = catalog.SessionStuck
		f.Message = fmt.Sprintf("upload %s of %s has all its bytes since %s and is not completed; a running server tries every minute and logs why not",
			s.ID, s.URI, s.Touched.UTC().Format(time.RFC3339))
		found(f)
	}
	return nil
}

func except(err error, k errs.Kind) error {
	if errs.Is(err, k) {
		return nil
	}
	return err
}

// fresh reports whether steps of s may be under way just now.
func (e *Engine) fresh(s Session) bool {
	last := s.Touched
	if s.Created.After(last) {
		last = s.Created
	}
	return e.Clock().Sub(last) < catalog.Settling
}

// isStaged reports whether the bytes of s are in the storage, finished or not.
func (e *Engine) isStaged(ctx context.Context, s Session) (bool, error) {
	p, err := e.Store.Policy(ctx, s.Policy)
	if err != nil {
		return false, err
	}
	b, err := e.Buckets.Bucket(ctx, p)
	if err != nil {
		return false, catalog.Silent(p, err)
	}
	if s.State == Sealing {
		if _, err := b.Stat(ctx, s.Blob); !errs.Is(err, errs.NotFound) {
			return err == nil, catalog.Silent(p, err)
		}
	}
	// The last character is that of a hexadecimal number: at most 16 come before.
	near, err := b.Pending(ctx, s.Blob[:len(s.Blob)-1], 16)
	for _, h := range near {
		if h.Key == s.Blob {
			return true, nil
		}
	}
	return false, catalog.Silent(p, err)
}

// inspectStaged looks for staged bytes that no upload owns.
func (e *Engine) inspectStaged(ctx context.Context, in catalog.Inspection) error {
	policies, err := e.Store.Policies(ctx)
	if err != nil {
		return err
	}
	for _, p := range policies {
		if in.Silent[p.ID] {
			continue
		}
		if err := in.Told(e.inspectStorage(ctx, p, in)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) inspectStorage(ctx context.Context, p catalog.Policy, in catalog.Inspection) error {
	b, err := e.Buckets.Bucket(ctx, p)
	if err != nil {
		return catalog.Silent(p, err)
	}
	for after := ""; ; {
		staged, err := b.Pending(ctx, after, sweepBatch)
		if err != nil || len(staged) == 0 {
			return catalog.Silent(p, err)
		}
		for _, h := range staged {
			after = h.Key
			stray, err := e.isStray(ctx, h)
			if err != nil {
				return err
			}
			if !stray {
				continue
			}
			f := strayFinding(p, h)
			if in.Fix && b.Can().Direct {
				if err := b.Abort(ctx, h); err != nil {
					return catalog.Silent(p, err)
				}
				f.Fixed = "aborted at the store"
			}
			in.Found(f)
		}
	}
}

func strayFinding(p catalog.Policy, h blob.Handle) catalog.Finding {
	return catalog.Finding{
		Trouble: catalog.StagedStray, Policy: p.Name, Blob: h.Key, Session: sessionOf(h.Key),
		Message: fmt.Sprintf("%d bytes are staged for an upload that does not exist any more; a running server discards them", h.Size),
	}
}

func (e *Engine) isStray(ctx context.Context, h blob.Handle) (bool, error) {
	s, err := e.Store.Session(ctx, sessionOf(h.Key))
	switch {
	case errs.Is(err, errs.NotFound):
		return true, nil
	case err != nil:
		return false, err
	}
	return s.State.Ended() && !e.fresh(s) && e.Clock().Sub(s.Expires).Abs() > catalog.Settling, nil
}
