package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/auth"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func testTransactions(t *testing.T, s *store.Store) {
	boom := errors.New("boom")
	t.Run("a failed one leaves nothing, and its error comes back as it is", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.New(h.Root.ID, "n", catalog.File)
		err := h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			h.Must(tx.InsertNode(h.Ctx, n))
			if _, err := tx.Node(h.Ctx, n.ID); err != nil {
				t.Errorf("it does not see its own row: %v", err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Errorf("got %v", err)
		}
		_, err = h.Names.Node(h.Ctx, n.ID)
		want(t, err, errs.NotFound, errs.PathMissing)
	})
	t.Run("nobody sees one before it is committed", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.New(h.Root.ID, "n", catalog.File)
		h.Must(h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			h.Must(tx.InsertNode(h.Ctx, n))
			_, err := h.Names.Node(h.Ctx, n.ID)
			want(t, err, errs.NotFound, errs.PathMissing)
			return nil
		}))
		_, err := h.Names.Node(h.Ctx, n.ID)
		h.Must(err)
	})
	t.Run("a panic is the caller's, leaves nothing and stops nobody", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.New(h.Root.ID, "n", catalog.File)
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, boom) {
					t.Errorf("recovered %v", err)
				}
			}()
			_ = h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				h.Must(tx.InsertNode(h.Ctx, n))
				panic(boom)
			})
		}()
		_, err := h.Names.Node(h.Ctx, n.ID)
		want(t, err, errs.NotFound, errs.PathMissing)
		h.Must(h.Names.InsertNode(h.Ctx, n))
	})
	t.Run("who has given up is not run", func(t *testing.T) {
		h := NewHome(t, s, -1)
		ctx, cancel := context.WithCancel(h.Ctx)
		cancel()
		err := h.Names.InTx(ctx, func(catalog.Tx) error {
			t.Error("it ran")
			return nil
		})
		if !errs.Is(err, errs.Canceled) {
			t.Errorf("got %v", err)
		}
		_, err = h.Names.Node(ctx, h.Root.ID)
		if !errs.Is(err, errs.Canceled) {
			t.Errorf("a read said %v", err)
		}
	})
	t.Run("names, bytes and progress change together", func(t *testing.T) {
		h := NewHome(t, s, 100)
		f, in := h.New(h.Root.ID, "f", catalog.File), h.NewSession(h.Root.ID, 60)
		f.Session, in.Node = in.ID, f.ID
		for _, fail := range []error{boom, nil} {
			err := s.Upload().InTx(h.Ctx, func(tx upload.Tx) error {
				return errors.Join(tx.InsertNode(h.Ctx, f), tx.Reserve(h.Ctx, h.User.ID, 60), tx.AddSession(h.Ctx, in), fail)
			})
			if !errors.Is(err, fail) {
				t.Fatal(err)
			}
			_, nodeErr := h.Names.Node(h.Ctx, f.ID)
			_, sessionErr := s.Upload().Session(h.Ctx, in.ID)
			_, lockErr := h.Names.Lock(h.Ctx, in.Lock)
			there := []bool{nodeErr == nil, sessionErr == nil, lockErr == nil, h.Capacity().Reserved == 60}
			equal(t, "there", there, []bool{fail == nil, fail == nil, fail == nil, fail == nil})
		}
	})
	t.Run("those that fail do not touch those beside them", func(t *testing.T) { testNeighbours(t, s, boom) })
}

func testNeighbours(t *testing.T, s *store.Store, boom error) {
	h := NewHome(t, s, -1)
	const n = 96
	nodes := make([]catalog.Node, n)
	for i := range nodes {
		nodes[i] = h.New(h.Root.ID, fmt.Sprint(i), catalog.File)
	}
	got := race(n, func(i int) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = boom
			}
		}()
		return h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
			if err := tx.InsertNode(h.Ctx, nodes[i]); err != nil {
				return err
			}
			switch i % 4 {
			case 1:
				return boom
			case 2:
				panic(boom)
			case 3: // an error of the database itself
				return tx.AddVersion(h.Ctx, h.NewVersionAt(1, 0))
			}
			return nil
		})
	})
	for i, err := range got {
		if (err == nil) != (i%4 == 0) {
			t.Errorf("transaction %d said %v", i, err)
		}
		_, err := h.Names.Node(h.Ctx, nodes[i].ID)
		if (err == nil) != (i%4 == 0) {
			t.Errorf("node %d: %v", i, err)
		}
	}
}

// NewVersionAt returns a version of a node that is not there, without minting.
func (h *Home) NewVersionAt(id core.VersionID, n core.NodeID) catalog.Version {
	return catalog.Version{ID: id, Node: n, Owner: h.User.ID, Policy: 1, Created: Epoch, Creator: h.User.ID}
}

// racers is how many meet in each race.
const racers = 32

func testRaces(t *testing.T, s *store.Store) {
	up := s.Upload()
	t.Run("one name is inserted once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		nodes := make([]catalog.Node, racers)
		for i := range nodes {
			nodes[i] = h.New(h.Root.ID, "same", catalog.File)
		}
		onlyOne(t, race(racers, func(i int) error { return h.Names.InsertNode(h.Ctx, nodes[i]) }), errs.Exists, errs.NameTaken)
	})
	t.Run("one revision is updated once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		n := h.Add(h.Root.ID, "n", catalog.File)
		onlyOne(t, race(racers, func(int) error { return h.Names.UpdateNode(h.Ctx, n, 1) }), errs.Conflict, errs.Changed)
	})
	t.Run("one name is renamed to once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		nodes := make([]catalog.Node, racers)
		for i := range nodes {
			nodes[i] = h.Add(h.Root.ID, fmt.Sprint(i), catalog.File)
			nodes[i].Name, nodes[i].Key = "same", "same"
		}
		onlyOne(t, race(racers, func(i int) error { return h.Names.UpdateNode(h.Ctx, nodes[i], 1) }), errs.Exists, errs.NameTaken)
	})
	t.Run("one state is left once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		onlyOne(t, race(racers, func(i int) error {
			return up.Advance(h.Ctx, in.ID, upload.Open, []upload.State{upload.Sealing, upload.Aborted}[i%2], upload.Ending{})
		}), errs.Conflict, errs.Changed)
	})
	t.Run("one refresh token is used once", func(t *testing.T) {
		h, a := NewHome(t, s, -1), s.Auth()
		f := auth.Family{ID: core.NewUUID(), User: h.User.ID, Serial: 1, Created: Epoch, Rotated: Epoch, Expires: Epoch}
		h.Must(a.AddFamily(h.Ctx, f))
		onlyOne(t, race(racers, func(int) error { return a.Rotate(h.Ctx, f.ID, 1, Epoch, Epoch) }), errs.Conflict, errs.Changed)
	})
	t.Run("one address is taken once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		users, roots := make([]catalog.User, racers), make([]core.NodeID, racers)
		for i := range users {
			users[i] = h.User
			users[i].ID, users[i].Email, roots[i] = core.UserID(h.ID()), "race."+h.User.Email, core.NodeID(h.ID())
		}
		onlyOne(t, race(racers, func(i int) error { return h.Names.AddUser(h.Ctx, users[i], roots[i]) }), errs.Exists, errs.NameTaken)
	})
	t.Run("one part comes in once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		onlyOne(t, race(racers, func(int) error {
			_, err := up.AddPart(h.Ctx, in.ID, part(0, 10))
			return err
		}), errs.Exists, errs.NameTaken)
		got, err := up.Session(h.Ctx, in.ID)
		h.Must(err)
		equal(t, "received", got.Received, 10)
	})
	t.Run("of parts that share a byte one comes in", func(t *testing.T) { testPartsThatOverlap(t, s) })
	t.Run("different parts each count once", func(t *testing.T) {
		h := NewHome(t, s, -1)
		in := h.NewSession(h.Root.ID, 0)
		h.Must(up.AddSession(h.Ctx, in))
		var full atomic.Int64
		for _, err := range race(racers, func(i int) error {
			n, err := up.AddPart(h.Ctx, in.ID, part(int64(i)*10, int64(i)*10+10))
			if n == racers*10 {
				full.Add(1)
			}
			return err
		}) {
			h.Must(err)
		}
		equal(t, "how many saw the last byte", full.Load(), 1)
	})
	t.Run("a session that ends takes no part after it", func(t *testing.T) { testPartsAgainstEnd(t, s) })
	t.Run("a quota is never exceeded", func(t *testing.T) {
		h := NewHome(t, s, 10)
		won := 0
		for _, err := range race(racers, func(int) error { return h.Names.Reserve(h.Ctx, h.User.ID, 3) }) {
			if err == nil {
				won++
			} else {
				want(t, err, errs.NoSpace, errs.QuotaFull)
			}
		}
		equal(t, "won", won, 3)
		h.Must(h.Names.Release(h.Ctx, h.User.ID, 9))
	})
	t.Run("what is added to a tree that goes, goes or is refused", func(t *testing.T) { testRemovalRace(t, s) })
}

func testPartsThatOverlap(t *testing.T, s *store.Store) {
	h, up := NewHome(t, s, -1), s.Upload()
	in := h.NewSession(h.Root.ID, 0)
	h.Must(up.AddSession(h.Ctx, in))
	onlyOne(t, race(racers, func(i int) error {
		_, err := up.AddPart(h.Ctx, in.ID, part(int64(i), int64(racers+1)))
		return err
	}), errs.Exists, errs.NameTaken)
}

func testPartsAgainstEnd(t *testing.T, s *store.Store) {
	h, up := NewHome(t, s, -1), s.Upload()
	in := h.NewSession(h.Root.ID, 0)
	h.Must(up.AddSession(h.Ctx, in))
	var added atomic.Int64
	for i, err := range race(racers, func(i int) error {
		if i == racers/2 {
			return up.Advance(h.Ctx, in.ID, upload.Open, upload.Sealing, upload.Ending{})
		}
		_, err := up.AddPart(h.Ctx, in.ID, part(int64(i), int64(i)+1))
		if err == nil {
			added.Add(1)
		}
		return err
	}) {
		if err != nil && i != racers/2 {
			want(t, err, errs.Conflict, errs.SessionGone)
		} else {
			h.Must(err)
		}
	}
	got, err := up.Session(h.Ctx, in.ID)
	h.Must(err)
	parts, err := up.Parts(h.Ctx, in.ID)
	h.Must(err)
	equal(t, "received and rows", []int64{got.Received, int64(len(parts))}, []int64{added.Load(), added.Load()})
}

func testRemovalRace(t *testing.T, s *store.Store) {
	for round := range 8 {
		h := NewHome(t, s, 1<<30)
		dir := h.Add(h.Root.ID, "dir", catalog.Folder)
		sub := h.Add(dir.ID, "sub", catalog.Folder)
		nodes, versions := make([]catalog.Node, racers), make([]catalog.Version, racers)
		for i := range nodes {
			nodes[i] = h.New(sub.ID, fmt.Sprint(i), catalog.File)
			versions[i] = h.NewVersion(nodes[i].ID, 7)
		}
		for i, err := range race(racers, func(i int) error {
			if i == round*racers/8 {
				_, err := h.Names.RemoveTree(h.Ctx, dir.ID, Epoch.Add(time.Hour))
				return err
			}
			return h.Names.InTx(h.Ctx, func(tx catalog.Tx) error {
				if err := tx.InsertNode(h.Ctx, nodes[i]); err != nil {
					return err
				}
				return errors.Join(tx.Reserve(h.Ctx, h.User.ID, 7), tx.Settle(h.Ctx, h.User.ID, 7),
					tx.AddVersion(h.Ctx, versions[i]))
			})
		}) {
			if err != nil && i != round*racers/8 {
				want(t, err, errs.NotFound, errs.PathMissing)
			} else {
				h.Must(err)
			}
		}
		equal(t, "used", h.Capacity().Used, 0)
		left, err := h.Names.Summary(h.Ctx, h.Root.ID)
		h.Must(err)
		equal(t, "left", left, catalog.Summary{})
	}
}
