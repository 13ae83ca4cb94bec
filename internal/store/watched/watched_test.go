package watched_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/event"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
	"github.com/wharfinger/wharfinger/internal/store/watched"
	"github.com/wharfinger/wharfinger/internal/upload"
)

type world struct {
	*storetest.Home
	store catalog.Store
	cat   *catalog.Catalog
	hub   *event.Hub
	who   core.Actor
	heard *event.Listener
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := storetest.NewHome(t, open(t), 1<<20)
			w := &world{Home: h, hub: event.New(), who: core.Actor{User: h.User.ID}}
			w.store = watched.Catalog(h.Names, w.hub)
			w.cat = catalog.New(catalog.Options{Store: w.store, Clock: func() time.Time { return storetest.Epoch }})
			var err error
			w.heard, err = w.hub.Listen(h.User.ID, event.Origin{})
			w.Must(err)
			test(t, w)
		})
	}
}

func (w *world) at(path string) catalog.Ref {
	p, err := core.ParsePath(path)
	w.Must(err)
	return catalog.At(p)
}

func (w *world) make(path string, kind catalog.Kind) catalog.Node {
	n, err := w.cat.Create(w.Ctx, w.who, w.at(path), catalog.NewNode{Kind: kind})
	w.Must(err)
	return n
}

// hears fails unless exactly that was told since the last time.
func (w *world) hears(want ...string) {
	w.T.Helper()
	changes, all := w.heard.Take()
	var got []string
	for _, c := range changes {
		got = append(got, fmt.Sprintf("%s %s %s", c.Kind, c.From, c.To))
	}
	if strings.Join(got, "; ") != strings.Join(want, "; ") || all {
		w.T.Errorf("heard %q all=%v, want %q", got, all, want)
	}
}

func TestWhatIsCommittedIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.make("/a/b", catalog.Folder)
		w.hears("create /a /a", "create /a/b /a/b")
		f := w.make("/a/b/f", catalog.File)
		w.hears("create /a/b/f /a/b/f")
		_, err := w.cat.Rename(w.Ctx, w.who, w.at("/a/b"), "c")
		w.Must(err)
		w.hears("rename /a/b /a/c")
		f.Meta = map[string]string{"tag:x": ""}
		w.Must(w.store.InTx(w.Ctx, func(tx catalog.Tx) error { return tx.UpdateNode(w.Ctx, f, f.Rev) }))
		w.hears("modify /a/c/f /a/c/f")
		w.Must(w.cat.SetView(w.Ctx, w.who, w.at("/a"), "{}"))
		w.hears()
		failed, err := arrange.New(arrange.Options{Store: w.store, Catalog: w.cat, Clock: time.Now}).Remove(w.Ctx, w.who, []catalog.Ref{w.at("/a/c")})
		w.Must(errors.Join(err, failed[0]))
		w.hears("delete /a/c /a/c")
	})
}

func TestTheTrashIsNotThePlaceOfAFile(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		n := w.make("/f", catalog.File)
		w.hears("create /f /f")
		bin := catalog.Node{ID: core.NodeID(w.ID()), Owner: w.User.ID, Key: "trash", Created: storetest.Epoch}
		w.Must(w.store.InTx(w.Ctx, func(tx catalog.Tx) error { return tx.AddHiddenRoot(w.Ctx, bin) }))
		away := n
		away.Parent = bin.ID
		w.Must(w.store.InTx(w.Ctx, func(tx catalog.Tx) error { return tx.UpdateNode(w.Ctx, away, n.Rev) }))
		w.hears("delete /f /f")
		w.Must(w.store.InTx(w.Ctx, func(tx catalog.Tx) error { return tx.UpdateNode(w.Ctx, n, n.Rev+1) }))
		w.hears("create /f /f")
	})
}

func TestWhatIsRolledBackIsNotTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		stop := errors.New("stop")
		err := w.store.InTx(w.Ctx, func(tx catalog.Tx) error {
			n := catalog.Node{ID: 1 << 40, Owner: w.User.ID, Parent: w.Root.ID, Name: "x", Key: "x", Created: storetest.Epoch, Updated: storetest.Epoch}
			if err := tx.InsertNode(w.Ctx, n); err != nil {
				return err
			}
			return stop
		})
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
		w.hears()
	})
}

func TestAnUploadIsToldOfWhenItIsThere(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		up := watched.Upload(w.Store.Upload(), w.hub)
		n := catalog.Node{
			ID: core.NodeID(w.ID()), Owner: w.User.ID, Parent: w.Root.ID, Name: "f", Key: "f",
			Session: "s", Created: storetest.Epoch, Updated: storetest.Epoch,
		}
		w.Must(up.InTx(w.Ctx, func(tx upload.Tx) error { return tx.InsertNode(w.Ctx, n) }))
		w.hears()
		n.Version, n.Session, n.Rev = 7, "", 1
		w.Must(up.InTx(w.Ctx, func(tx upload.Tx) error { return tx.UpdateNode(w.Ctx, n, 1) }))
		w.hears("create /f /f")
		n.Version = 8
		w.Must(up.InTx(w.Ctx, func(tx upload.Tx) error { return tx.UpdateNode(w.Ctx, n, 2) }))
		w.hears("modify /f /f")
	})
}

func TestTooMuchAtOnceIsEverything(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.ID()
		w.Must(w.store.InTx(w.Ctx, func(tx catalog.Tx) error {
			for i := range event.MaxWaiting + 10 {
				name := fmt.Sprint(i)
				if err := tx.InsertNode(context.Background(), catalog.Node{
					ID: core.NodeID(id<<20 + int64(i)), Owner: w.User.ID, Parent: w.Root.ID, Name: name, Key: name,
					Created: storetest.Epoch, Updated: storetest.Epoch,
				}); err != nil {
					return err
				}
			}
			return nil
		}))
		if changes, all := w.heard.Take(); len(changes) != 0 || !all {
			t.Errorf("heard %d changes, all=%v", len(changes), all)
		}
	})
}
