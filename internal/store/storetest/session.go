package storetest

import (
	"math"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// NewSession returns an open session that is not added yet.
func (h *Home) NewSession(n core.NodeID, size int64) upload.Session {
	h.T.Helper()
	id := core.NewUUID()
	return upload.Session{
		ID: core.SessionID(id), Owner: h.User.ID, Node: n, Version: core.VersionID(h.ID()), Policy: 1, PolicyRev: 1,
		URI: "cloudreve://my/f", Size: size, ChunkSize: 25 << 20, State: upload.Open, Blob: "up/" + id, Lock: core.NewUUID(),
		Created: Epoch, Touched: Epoch, Expires: Epoch.Add(24 * time.Hour),
	}
}

// AddSession adds an open session without touching the ledger.
func (h *Home) AddSession(size int64) upload.Session {
	h.T.Helper()
	s := h.NewSession(h.Root.ID, size)
	h.Must(h.Names.Reserve(h.Ctx, h.User.ID, size))
	h.Must(h.Store.Upload().AddSession(h.Ctx, s))
	return s
}

// Hold makes an open upload of no bytes that holds the node n.
func (h *Home) Hold(n core.NodeID, after time.Duration) catalog.Lock {
	h.T.Helper()
	at, err := h.Names.Node(h.Ctx, n)
	h.Must(err)
	in := h.NewSession(n, 0)
	in.Created = Epoch.Add(after)
	at.Session = in.ID
	h.Must(h.Names.UpdateNode(h.Ctx, at, at.Rev))
	h.Must(h.Store.Upload().AddSession(h.Ctx, in))
	return catalog.Lock{Token: in.Lock, Node: n, Owner: h.User.ID, Application: "upload", Session: in.ID, Created: in.Created}
}

// end gives the ledger back what the session holds.
func (h *Home) end(s upload.Session, to upload.State) {
	h.T.Helper()
	h.Must(h.Store.Upload().Advance(h.Ctx, s.ID, upload.Open, to, upload.Ending{}))
	h.Must(h.Names.Release(h.Ctx, h.User.ID, s.Size))
}

func testAdmission(t *testing.T, s *store.Store) {
	h := NewHome(t, s, 100)
	h.AddSession(0)
	for _, c := range []struct {
		n, most int64
		want    bool
	}{{60, 1, false}, {60, 2, true}, {41, 2, false}, {40, 2, true}, {1, 2, false}, {0, 2, true}, {0, 1, false}, {-1, 2, false}} {
		ok, err := s.Upload().Admit(h.Ctx, h.User.ID, c.n, c.most)
		h.Must(err)
		equal(t, "admitted", ok, c.want)
	}
	equal(t, "reserved", h.Capacity().Reserved, 100)
	h.Must(h.Names.Release(h.Ctx, h.User.ID, 100))
}

func testHolding(t *testing.T, s *store.Store) {
	up := s.Upload()
	h := NewHome(t, s, -1)
	for _, to := range []upload.State{upload.Aborted, upload.Expired, upload.Done} {
		in := h.Hold(h.Add(h.Root.ID, string(to), catalog.File).ID, 0)
		if to == upload.Done {
			h.Must(up.Advance(h.Ctx, in.Session, upload.Open, upload.Sealing, upload.Ending{}))
			_, err := h.Names.Lock(h.Ctx, in.Token)
			h.Must(err)
			h.Must(up.Advance(h.Ctx, in.Session, upload.Sealing, to, upload.Ending{}))
		} else {
			h.Must(up.Advance(h.Ctx, in.Session, upload.Open, to, upload.Ending{}))
		}
		_, err := h.Names.Lock(h.Ctx, in.Token)
		want(t, err, errs.NotFound, errs.LockUnknown)
		got, err := up.Session(h.Ctx, in.Session)
		h.Must(err)
		equal(t, "locked", got.Locked, false)
		locks, err := h.Names.LocksUnder(h.Ctx, h.User.ID, h.Root.ID)
		h.Must(err)
		equal(t, "locks", len(locks), 0)
	}
}

func testSessions(t *testing.T, s *store.Store) {
	up := s.Upload()
	t.Run("a session reads back as it was added", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 1000)
		in.Fresh, in.Kind, in.Modified, in.MIME, in.Sealed = true, catalog.LivePhoto, Epoch.Add(-time.Hour), "image/x", true
		in.Meta, in.VendorID = map[string]string{"a:b": "c"}, "vendor"
		in.Cipher = &catalog.Encryption{Algorithm: "aes-256-ctr", SealedKey: []byte{0, 1}, IV: make([]byte, 16)}
		in.Secret = []byte{9, 0}
		h.Must(h.Names.Reserve(h.Ctx, h.User.ID, in.Size))
		h.Must(up.AddSession(h.Ctx, in))
		got, err := up.Session(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "session", got, in)
	})
	t.Run("it knows whether its lock is held", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.Hold(h.Add(h.Root.ID, "f", catalog.File).ID, 0)
		for _, held := range []bool{true, false} {
			got, err := up.Session(h.Ctx, in.Session)
			h.Must(err)
			list, err := up.SessionsOf(h.Ctx, h.User.ID, upload.Open, 10)
			h.Must(err)
			equal(t, "locked", []bool{got.Locked, list[0].Locked}, []bool{held, held})
			h.Must(h.Names.Unlock(h.Ctx, in.Node, in.Token))
		}
	})
	t.Run("it holds its file until it ends", func(t *testing.T) { testHolding(t, s) })
	t.Run("so many are admitted, and as fit", func(t *testing.T) { testAdmission(t, s) })
	t.Run("states advance once, and done keeps its ending", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.AddSession(0)
		e := upload.Ending{At: Epoch.Add(time.Minute), CRC64: math.MaxUint64, SHA256: []byte{0xff, 0}}
		h.Must(up.Advance(h.Ctx, in.ID, upload.Open, upload.Sealing, e))
		got, err := up.Session(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "ending of a sealing session", got.Ending, upload.Ending{})
		want(t, up.Advance(h.Ctx, in.ID, upload.Open, upload.Sealing, e), errs.Conflict, errs.Changed)
		h.Must(up.Advance(h.Ctx, in.ID, upload.Sealing, upload.Done, e))
		got, err = up.Session(h.Ctx, in.ID)
		h.Must(err)
		in.State, in.Ending = upload.Done, e
		equal(t, "session", got, in)
		want(t, up.Advance(h.Ctx, "nothing", upload.Open, upload.Sealing, e), errs.NotFound, errs.SessionGone)
	})
	t.Run("a user's sessions are listed newest first and counted", func(t *testing.T) {
		h := NewHome(t, s, -1)
		var order []core.SessionID
		for i := range 5 {
			in := h.NewSession(h.Root.ID, 0)
			in.Created = Epoch.Add(time.Duration(i) * time.Second)
			h.Must(up.AddSession(h.Ctx, in))
			order = append([]core.SessionID{in.ID}, order...)
		}
		h.Must(up.Advance(h.Ctx, order[4], upload.Open, upload.Sealing, upload.Ending{}))
		h.Must(up.Advance(h.Ctx, order[0], upload.Open, upload.Expired, upload.Ending{}))
		list, err := up.SessionsOf(h.Ctx, h.User.ID, upload.Open, 2)
		h.Must(err)
		equal(t, "two", []core.SessionID{list[0].ID, list[1].ID}, order[1:3])
		list, err = up.SessionsOf(h.Ctx, h.User.ID, upload.Open, 20)
		h.Must(err)
		equal(t, "open", len(list), 3)
		n, err := up.CountOpen(h.Ctx, h.User.ID)
		h.Must(err)
		equal(t, "open or sealing", n, 4)
	})
	t.Run("only an ended session is forgotten, with its parts", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.AddSession(10)
		_, err := up.AddPart(h.Ctx, in.ID, part(0, 10))
		h.Must(err)
		want(t, up.ForgetSession(h.Ctx, in.ID), errs.Conflict, errs.Changed)
		h.end(in, upload.Aborted)
		h.Must(up.ForgetSession(h.Ctx, in.ID))
		h.Must(up.ForgetSession(h.Ctx, in.ID))
		_, err = up.Session(h.Ctx, in.ID)
		want(t, err, errs.NotFound, errs.SessionGone)
		parts, err := up.Parts(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "parts", len(parts), 0)
	})
}

func part(from, to int64) upload.Part {
	return upload.Part{
		Range: core.Range{From: from, To: to}, CRC64: math.MaxUint64 - uint64(from), SHA256: []byte{1, 2, 3},
		At: Epoch.Add(time.Duration(from) * time.Microsecond),
	}
}

func testParts(t *testing.T, s *store.Store) {
	up := s.Upload()
	t.Run("parts add up in any order and read back in theirs", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		for i, p := range []upload.Part{part(20, 25), part(0, 10), part(10, 20)} {
			got, err := up.AddPart(h.Ctx, in.ID, p)
			h.Must(err)
			equal(t, "received", got, []int64{5, 15, 25}[i])
		}
		all, err := up.Parts(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "parts", all, []upload.Part{part(0, 10), part(10, 20), part(20, 25)})
		for r, want := range map[core.Range][]upload.Part{
			{From: 10, To: 20}: {part(10, 20)},
			{From: 11, To: 12}: {part(10, 20)},
			{From: 9, To: 11}:  {part(0, 10), part(10, 20)},
			{From: 0, To: 25}:  all,
			{From: 10, To: 10}: {part(10, 20)},
			{From: 25, To: 30}: {},
		} {
			got, err := up.PartsIn(h.Ctx, in.ID, r)
			h.Must(err)
			equal(t, "parts in", got, want)
		}
		now, err := up.Session(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "received", now.Received, 25)
		equal(t, "touched", now.Touched, part(10, 20).At)
	})
	t.Run("a part that is there is never changed, and the transaction goes on", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		_, err := up.AddPart(h.Ctx, in.ID, part(0, 10))
		h.Must(err)
		h.Must(up.InTx(h.Ctx, func(tx upload.Tx) error {
			for _, r := range [][2]int64{{0, 10}, {0, 7}, {0, 12}, {3, 4}, {9, 20}} {
				other := part(r[0], r[1])
				other.At = Epoch.Add(time.Hour)
				_, err := tx.AddPart(h.Ctx, in.ID, other)
				want(t, err, errs.Exists, errs.NameTaken)
			}
			got, err := tx.AddPart(h.Ctx, in.ID, part(10, 11))
			equal(t, "received", got, 11)
			return err
		}))
		one, err := up.PartsIn(h.Ctx, in.ID, core.Range{To: 10})
		h.Must(err)
		equal(t, "part", one, []upload.Part{part(0, 10)})
	})
	t.Run("only an open session takes parts", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		h.Must(up.Advance(h.Ctx, in.ID, upload.Open, upload.Sealing, upload.Ending{}))
		for _, id := range []core.SessionID{in.ID, "nothing"} {
			_, err := up.AddPart(h.Ctx, id, part(0, 10))
			want(t, err, errs.Conflict, errs.SessionGone)
		}
		_, err := up.AddPart(h.Ctx, in.ID, upload.Part{Range: core.Range{From: 4, To: 3}})
		want(t, err, errs.Invalid, errs.BadParam)
		parts, err := up.Parts(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "parts", len(parts), 0)
	})
	t.Run("a part may be empty and may lack digests", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		p := upload.Part{At: Epoch}
		_, err := up.AddPart(h.Ctx, in.ID, p)
		h.Must(err)
		_, err = up.AddPart(h.Ctx, in.ID, p)
		want(t, err, errs.Exists, errs.NameTaken)
		got, err := up.PartsIn(h.Ctx, in.ID, core.Range{})
		h.Must(err)
		equal(t, "part", got, []upload.Part{p})
	})
}

func testDue(t *testing.T, s *store.Store) {
	h, up := NewHome(t, s, -1), s.Upload()
	var all []core.SessionID
	for i := range 4 {
		in := h.NewSession(h.Root.ID, 0)
		in.Expires = Epoch.Add(time.Duration(i) * time.Hour)
		h.Must(up.AddSession(h.Ctx, in))
		all = append(all, in.ID)
	}
	h.Must(up.Advance(h.Ctx, all[0], upload.Open, upload.Sealing, upload.Ending{}))
	due := func(state upload.State, before time.Time, limit int) []core.SessionID {
		list, err := up.Due(h.Ctx, state, before, limit)
		h.Must(err)
		var got []core.SessionID
		for _, x := range list {
			got = append(got, x.ID)
		}
		return got
	}
	equal(t, "at the deadline", due(upload.Open, Epoch.Add(2*time.Hour), 10), all[1:3])
	equal(t, "limited", due(upload.Open, Epoch.Add(9*time.Hour), 1), all[1:2])
	equal(t, "before the first", len(due(upload.Open, Epoch, 10)), 0)
	equal(t, "all that seal", due(upload.Sealing, Epoch.AddDate(1000, 0, 0), 10), all[:1])
}
