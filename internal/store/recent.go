package store

import (
	"context"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/query"
)

// recent are the rows that every read of a file asks for. A row counts only
// while nothing was committed since before its read began:
//
//   - the writer counts each commit of this process before anybody is told of
//     it, so what was acknowledged is never answered with what it replaced;
//   - what was read while a commit was under way is kept under the count from
//     before, and the commit makes it forgotten, whichever of both it saw;
//   - another process may write as well (an administrative command): nothing
//     counts for longer than recentFor;
//   - after a flush that failed nothing counts at all, as nothing is read.
//
// It serves SQLite only. PostgreSQL may have several servers.
type recent struct {
	s *Store

	mu       sync.RWMutex
	commits  int64     // of the store, when the rows were read at the earliest
	began    time.Time // of the oldest read
	versions map[core.VersionID]query.Version
	policies map[core.PolicyID]query.Policy
}

const (
	recentFor = time.Second // what a write of another process may go unseen
	recentMax = 1024        // rows in each map
)

// now is what a read that begins here is kept under.
func (r *recent) now() (commits int64, at time.Time) { return r.s.commits.Load(), r.s.clock() }

// holds says whether what is kept may be answered; mu is held.
func (r *recent) holds(commits int64, at time.Time) bool {
	age := at.Sub(r.began)
	return r.commits == commits && age >= 0 && age < recentFor && r.s.failure.err.Load() == nil
}

// turn makes room for a row whose read began at that moment, and says whether it
// may be kept; mu is held.
func (r *recent) turn(commits int64, at time.Time) bool {
	switch {
	case r.holds(commits, at):
		return true
	case commits != r.s.commits.Load():
		return false // nobody could be answered with it
	}
	r.commits, r.began = commits, at
	r.versions, r.policies = map[core.VersionID]query.Version{}, map[core.PolicyID]query.Policy{}
	return true
}

// answer looks for k in what rows gives, or asks and keeps the answer.
func answer[K comparable, R any](r *recent, rows func() map[K]R, k K, ask func() (R, error)) (R, error) {
	commits, at := r.now()
	r.mu.RLock()
	row, ok := rows()[k]
	ok = ok && r.holds(commits, at)
	r.mu.RUnlock()
	if ok {
		return row, nil
	}
	row, err := ask()
	if err != nil {
		return row, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turn(commits, at) {
		m := rows()
		if len(m) >= recentMax {
			clear(m)
		}
		m[k] = row
	}
	return row, nil
}

// Version is the one of tx, from memory where that is as good.
func (o outside) Version(ctx context.Context, id core.VersionID) (catalog.Version, error) {
	const op = "store.Version"
	r := o.s.recent
	if r == nil {
		return o.tx.Version(ctx, id)
	}
	row, err := answer(r, func() map[core.VersionID]query.Version { return r.versions }, id,
		func() (query.Version, error) { return o.q.Version(ctx, int64(id)) })
	if err != nil {
		return catalog.Version{}, o.found(op, err, errs.VersionMissing)
	}
	return toVersion(row), nil
}

// Policy is the one of tx, from memory where that is as good.
func (o outside) Policy(ctx context.Context, id core.PolicyID) (catalog.Policy, error) {
	const op = "store.Policy"
	r := o.s.recent
	if r == nil {
		return o.tx.Policy(ctx, id)
	}
	row, err := answer(r, func() map[core.PolicyID]query.Policy { return r.policies }, id,
		func() (query.Policy, error) { return o.q.Policy(ctx, int64(id)) })
	if err != nil {
		return catalog.Policy{}, o.found(op, err, errs.PolicyMissing)
	}
	p, err := toPolicy(row)
	return p, o.fail(op, err)
}
