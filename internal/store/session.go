package store

import (
	"context"
	"errors"
	"time"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/dialect"
	"github.com/wharfinger/wharfinger/internal/store/query"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func (t *tx) AddSession(ctx context.Context, s upload.Session) error {
	const op = "store.AddSession"
	c := fromCipher(s.Cipher)
	return t.fail(op, t.q.AddSession(ctx, query.AddSessionParams{
		ID: string(s.ID), Owner: int64(s.Owner), Node: int64(s.Node), Version: int64(s.Version),
		Policy: int64(s.Policy), PolicyRev: int64(s.PolicyRev), URI: s.URI, Size: s.Size, ChunkSize: s.ChunkSize,
		Fresh: s.Fresh, Kind: int64(s.Kind), ModifiedUs: micros(s.Modified), MIME: s.MIME, Meta: toJSON(s.Meta),
		Blob: s.Blob, VendorID: s.VendorID, Cipher: c.Algorithm, SealedKey: c.SealedKey, IV: c.IV, Sealed: s.Sealed,
		LockToken: s.Lock, Secret: s.Secret, CreatedUs: micros(s.Created), TouchedUs: micros(s.Touched),
		ExpiresUs: micros(s.Expires),
	}))
}

func (t *tx) Session(ctx context.Context, id core.SessionID) (upload.Session, error) {
	const op = "store.Session"
	r, err := t.q.Session(ctx, string(id))
	if err != nil {
		return upload.Session{}, t.found(op, err, errs.SessionGone)
	}
	s, err := toSession(r.Session, r.Locked)
	return s, t.fail(op, err)
}

func (t *tx) Advance(ctx context.Context, id core.SessionID, from, to upload.State, e upload.Ending) error {
	const op = "store.Advance"
	if to != upload.Done {
		e = upload.Ending{}
	}
	rows, err := t.q.Advance(ctx, query.AdvanceParams{
		Upto: string(to), EndedUs: micros(e.At), EndCRC64: int64(e.CRC64), EndSHA256: e.SHA256,
		ID: string(id), State: string(from),
	})
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	state, err := t.q.SessionState(ctx, string(id))
	if err != nil {
		return t.found(op, err, errs.SessionGone)
	}
	return errs.Newf(errs.Conflict, errs.Changed, "The upload is %s, not %s.", state, from).At(op)
}

func (t *tx) SessionsOf(ctx context.Context, u core.UserID, state upload.State, limit int) ([]upload.Session, error) {
	const op = "store.SessionsOf"
	rows, err := t.q.SessionsOf(ctx, query.SessionsOfParams{
		Owner: int64(u), State: string(state), Lim: int64(max(limit, 0)),
	})
	if err != nil {
		return nil, t.fail(op, err)
	}
	all, err := each(rows, func(r query.SessionsOfRow) (upload.Session, error) { return toSession(r.Session, r.Locked) })
	return all, t.fail(op, err)
}

func (t *tx) CountOpen(ctx context.Context, u core.UserID) (int64, error) {
	const op = "store.CountOpen"
	n, err := t.q.CountOpen(ctx, int64(u))
	return n, t.fail(op, err)
}

func (t *tx) Due(ctx context.Context, state upload.State, before time.Time, limit int) ([]upload.Session, error) {
	const op = "store.Due"
	ask := query.DueLiveParams{State: string(state), BeforeUs: micros(before), Lim: int64(max(limit, 0))}
	var rows []query.DueLiveRow
	var err error
	if state.Ended() {
		var ended []query.DueEndedRow
		ended, err = t.q.DueEnded(ctx, query.DueEndedParams(ask))
		for _, r := range ended {
			rows = append(rows, query.DueLiveRow(r))
		}
	} else {
		rows, err = t.q.DueLive(ctx, ask)
	}
	if err != nil {
		return nil, t.fail(op, err)
	}
	all, err := each(rows, func(r query.DueLiveRow) (upload.Session, error) { return toSession(r.Session, r.Locked) })
	return all, t.fail(op, err)
}

func (t *tx) ForgetSession(ctx context.Context, id core.SessionID) error {
	const op = "store.ForgetSession"
	rows, err := t.q.ForgetSession(ctx, string(id))
	if err != nil || rows == 1 {
		return t.fail(op, err)
	}
	state, err := t.q.SessionState(ctx, string(id))
	if dialect.IsNoRows(err) {
		return nil
	}
	if err != nil {
		return t.fail(op, err)
	}
	return errs.Newf(errs.Conflict, errs.Changed, "The upload is %s and cannot be forgotten.", state).At(op)
}

// AddPart counts first: that takes the row of the session, behind which other
// parts and changes of state wait.
func (t *tx) AddPart(ctx context.Context, id core.SessionID, p upload.Part) (int64, error) {
	const op = "store.AddPart"
	if !p.Range.Valid() {
		return 0, errs.New(errs.Invalid, errs.BadParam).At(op)
	}
	at := micros(p.At)
	received, err := t.q.CountPart(ctx, query.CountPartParams{
		N: p.Range.Len(), AtUs: at, ID: string(id), Start: p.Range.From, Last: last(p.Range),
	})
	if dialect.IsNoRows(err) {
		return 0, t.refusePart(ctx, op, id)
	}
	if err != nil {
		return 0, t.fail(op, err)
	}
	rows, err := t.q.AddPart(ctx, query.AddPartParams{
		Session: string(id), Start: p.Range.From, Stop: p.Range.To, CRC64: int64(p.CRC64), SHA256: p.SHA256, AtUs: at,
	})
	if err == nil && t.dialect == dialect.Postgres {
		// While we waited for the session's row, bytes of this part may have
		// come in, which the statement that waited could not see.
		var in []upload.Part
		if in, err = t.PartsIn(ctx, id, p.Range); err == nil && (rows == 0 || len(in) != 1) {
			err = &dialect.LostRace{Err: errors.New("the part came in meanwhile")}
		}
	}
	return received, t.fail(op, err)
}

func (t *tx) refusePart(ctx context.Context, op string, id core.SessionID) error {
	state, err := t.q.SessionState(ctx, string(id))
	switch {
	case err != nil && !dialect.IsNoRows(err):
		return t.fail(op, err)
	case err == nil && upload.State(state) == upload.Open:
		return errs.New(errs.Exists, errs.NameTaken).At(op)
	}
	return errs.New(errs.Conflict, errs.SessionGone).At(op)
}

// last is the last byte of a part; of an empty one, its place.
func last(r core.Range) int64 { return max(r.From, r.To-1) }

func (t *tx) PartsIn(ctx context.Context, id core.SessionID, r core.Range) ([]upload.Part, error) {
	const op = "store.PartsIn"
	rows, err := t.q.PartsIn(ctx, query.PartsInParams{Session: string(id), Start: r.From, Last: last(r)})
	if err != nil {
		return nil, t.fail(op, err)
	}
	if len(rows) > 0 && rows[0].Start < r.From && rows[0].Stop <= r.From {
		rows = rows[1:]
	}
	return each(rows, sound(toPart))
}

func (t *tx) Parts(ctx context.Context, id core.SessionID) ([]upload.Part, error) {
	const op = "store.Parts"
	rows, err := t.q.Parts(ctx, string(id))
	if err != nil {
		return nil, t.fail(op, err)
	}
	return each(rows, sound(toPart))
}
