package arrange_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// world is a user's drive with a keeper, on one of the databases.
type world struct {
	*arrange.Keeper
	*storetest.Home
	t   *testing.T
	cat *catalog.Catalog
	who core.Actor
	now time.Time
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	for name, open := range map[string]func(testing.TB) *store.Store{"SQLite": storetest.SQLite, "PostgreSQL": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := storetest.NewHome(t, open(t), 1<<20)
			w := &world{Home: h, t: t, who: core.Actor{User: h.User.ID, Via: core.ViaToken}, now: storetest.Epoch}
			clock := func() time.Time { return w.now }
			w.cat = catalog.New(catalog.Options{Store: h.Names, Clock: clock})
			w.Keeper = arrange.New(arrange.Options{Store: h.Names, Catalog: w.cat, Clock: clock})
			test(t, w)
		})
	}
}

func (w *world) at(path string) catalog.Ref {
	w.t.Helper()
	p, err := core.ParsePath(path)
	w.Must(err)
	return catalog.At(p)
}

func (w *world) refs(paths ...string) []catalog.Ref {
	out := make([]catalog.Ref, len(paths))
	for i, p := range paths {
		out[i] = w.at(p)
	}
	return out
}

func (w *world) mkdir(path string) catalog.Node {
	w.t.Helper()
	n, err := w.cat.Create(w.Ctx, w.who, w.at(path), catalog.NewNode{Kind: catalog.Folder})
	w.Must(err)
	return n
}

// file makes a file with a content of size bytes.
func (w *world) file(path string, size int64) catalog.Node {
	w.t.Helper()
	n, err := w.cat.Create(w.Ctx, w.who, w.at(path), catalog.NewNode{Kind: catalog.File})
	w.Must(err)
	v := w.AddVersion(n.ID, size)
	n.Version, n.Size = v.ID, size
	w.Must(w.Names.UpdateNode(w.Ctx, n, n.Rev))
	n.Rev++
	return n
}

// tree prints what is in the drive, or in the trash, with sizes of files.
func (w *world) tree(root catalog.Ref) []string {
	w.t.Helper()
	out := []string{}
	l, err := w.cat.List(w.Ctx, w.who, root, catalog.ListQuery{Limit: catalog.MaxPage})
	w.Must(err)
	for _, n := range l.Nodes {
		below, name := root, n.Name
		if t := n.Token(); t != "" {
			name = t
		}
		below.Path = root.Path.Join(name)
		if n.Kind == catalog.Folder {
			for _, line := range w.tree(below) {
				out = append(out, n.Name+"/"+line)
			}
			if len(out) == 0 || !strings.HasPrefix(out[len(out)-1], n.Name+"/") {
				out = append(out, n.Name+"/")
			}
			continue
		}
		out = append(out, fmt.Sprint(n.Name, " ", n.Size))
	}
	return out
}

func (w *world) drive(want ...string) {
	w.t.Helper()
	if d := cmp.Diff(append([]string{}, want...), w.tree(w.at("/"))); d != "" {
		w.t.Errorf("the drive (-want +got):\n%s", d)
	}
}

func (w *world) trash(want ...string) {
	w.t.Helper()
	if d := cmp.Diff(append([]string{}, want...), w.tree(catalog.Ref{Trash: true})); d != "" {
		w.t.Errorf("the trash (-want +got):\n%s", d)
	}
}

// item returns the place of what was deleted from path.
func (w *world) item(path string) catalog.Ref {
	w.t.Helper()
	l, err := w.cat.List(w.Ctx, w.who, catalog.Ref{Trash: true}, catalog.ListQuery{Limit: catalog.MaxPage})
	w.Must(err)
	for _, n := range l.Nodes {
		if n.Meta[catalog.RestoreKey] == path {
			return catalog.Ref{Trash: true, Path: core.Root.Join(n.Token())}
		}
	}
	w.t.Fatalf("nothing from %s is in the trash", path)
	return catalog.Ref{}
}

// all fails the test unless everything was done.
func (w *world) all(failed arrange.Failures, err error) {
	w.t.Helper()
	w.Must(err)
	for i, err := range failed {
		w.t.Errorf("item %d: %v", i, err)
	}
}

func (w *world) want(err error, kind errs.Kind, reason errs.Reason) {
	w.t.Helper()
	if err == nil || !errs.Is(err, kind) || !errs.Has(err, reason) {
		w.t.Errorf("got %v, want %v/%v", err, kind, reason)
	}
}

// accounts checks that the ledger is what the rows add up to.
func (w *world) accounts(used int64) {
	w.t.Helper()
	got, err := w.Names.Recount(w.Ctx, w.User.ID)
	w.Must(err)
	if d := cmp.Diff(got, w.Capacity()); d != "" || got.Used != used {
		w.t.Errorf("used %d, want %d; the ledger (-rows +booked):\n%s", got.Used, used, d)
	}
}

func TestMovingTakesAllAlongButTheRows(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		f := w.file("/a/b/f", 7)
		w.mkdir("/to")
		w.all(w.Move(w.Ctx, w.who, w.refs("/a/b"), w.at("/to")))
		w.drive("a/", "to/b/f 7")
		got, err := w.cat.Find(w.Ctx, w.who, w.at("/to/b/f"))
		w.Must(err)
		if d := cmp.Diff(f, got); d != "" {
			w.t.Errorf("a file below was written (-before +after):\n%s", d)
		}
	})
}

func TestABatchIsDoneButForWhatFails(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		const n = 230 // more than two turns
		refs := make([]catalog.Ref, n)
		for i := range n {
			name := fmt.Sprint("/f", i)
			refs[i] = w.at(name)
			if i%50 != 7 {
				_, err := w.cat.Create(w.Ctx, w.who, refs[i], catalog.NewNode{Kind: catalog.File})
				w.Must(err)
			}
		}
		w.mkdir("/to/f3")
		failed, err := w.Move(w.Ctx, w.who, refs, w.at("/to"))
		w.Must(err)
		for i := range n {
			switch {
			case i%50 == 7:
				w.want(failed[i], errs.NotFound, errs.PathMissing)
			case i == 3:
				w.want(failed[i], errs.Exists, errs.NameTaken)
			case failed[i] != nil:
				w.t.Errorf("item %d: %v", i, failed[i])
			}
		}
		got, err := w.cat.List(w.Ctx, w.who, w.at("/to"), catalog.ListQuery{Limit: catalog.MaxPage})
		w.Must(err)
		if len(got.Nodes) != n-5 {
			w.t.Errorf("%d are there", len(got.Nodes))
		}
	})
}

func TestNoFolderComesToLieInItself(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		for round := range 10 {
			a, b := fmt.Sprint("/a", round), fmt.Sprint("/b", round)
			w.mkdir(a)
			w.mkdir(b)
			var failed [2]arrange.Failures
			var both sync.WaitGroup
			for i, way := range [2][2]string{{a, b}, {b, a}} {
				both.Go(func() {
					var err error
					if failed[i], err = w.Move(w.Ctx, w.who, w.refs(way[0]), w.at(way[1])); err != nil {
						failed[i] = arrange.Failures{0: err}
					}
				})
			}
			both.Wait()
			if len(failed[0])+len(failed[1]) != 1 {
				w.t.Fatalf("round %d: of two moves into each other these failed: %v", round, failed)
			}
		}
	})
}

func TestPathsStayShortEnoughToWalk(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.mkdir("/a" + strings.Repeat("/d", 200))
		w.mkdir("/b" + strings.Repeat("/d", 100))
		failed, err := w.Move(w.Ctx, w.who, w.refs("/b"), w.at("/a"+strings.Repeat("/d", 200)))
		w.Must(err)
		w.want(failed[0], errs.Invalid, errs.NameRejected)
		w.all(w.Move(w.Ctx, w.who, w.refs("/b"), w.at("/a"+strings.Repeat("/d", 100))))
	})
}

func TestWhatIsDeletedComesBackUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.file("/a/f", 7)
		w.file("/a/g", 5)
		w.all(w.Trash(w.Ctx, w.who, w.refs("/a/f", "/a")))
		w.drive()
		w.trash("a/g 5", "f 7")
		w.accounts(12)
		w.all(w.Restore(w.Ctx, w.who, []catalog.Ref{w.item("/a/f")}))
		w.drive("a/f 7")
		failed, err := w.Restore(w.Ctx, w.who, []catalog.Ref{w.item("/a")})
		w.Must(err)
		w.want(failed[0], errs.Exists, errs.NameTaken)

		w.now = w.now.Add(7*24*time.Hour - time.Second)
		if n, err := w.Sweep(w.Ctx, 100); n != 0 || err != nil {
			w.t.Errorf("too early: %d, %v", n, err)
		}
		w.now = w.now.Add(2 * time.Second)
		if n, err := w.Sweep(w.Ctx, 100); n != 1 || err != nil {
			w.t.Errorf("swept %d, %v", n, err)
		}
		w.trash()
		w.accounts(7)
	})
}

func TestWhatIsHeldStaysInTheTrash(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		f := w.file("/f", 7)
		w.file("/g", 5)
		lock := w.Hold(f.ID, 0)
		failed, err := w.Trash(w.Ctx, w.who, w.refs("/f", "/g"))
		w.Must(err)
		w.want(failed[0], errs.Conflict, errs.Locked)

		w.Must(w.Names.Unlock(w.Ctx, f.ID, lock.Token))
		w.all(w.Trash(w.Ctx, w.who, w.refs("/f")))
		lock = w.Hold(f.ID, 0) // an upload that was on its way into it
		w.want(w.Empty(w.Ctx, w.who), errs.Conflict, errs.Locked)
		w.trash("f 7")
		w.now = w.now.AddDate(0, 1, 0)
		if n, err := w.Sweep(w.Ctx, 100); n != 0 || err != nil {
			w.t.Errorf("swept %d, %v", n, err)
		}
		w.Must(w.Names.Unlock(w.Ctx, f.ID, lock.Token))
		w.now = w.now.Add(2 * time.Hour)
		if n, err := w.Sweep(w.Ctx, 100); n != 1 || err != nil {
			w.t.Errorf("swept %d, %v", n, err)
		}
		w.accounts(0)
	})
}

func TestTheTrashIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.file("/f", 7)
		w.all(w.Trash(w.Ctx, w.who, w.refs("/f")))
		other := storetest.NewHome(w.t, w.Store, 100)
		who := core.Actor{User: other.User.ID, Via: core.ViaToken}
		w.Must(w.Empty(w.Ctx, who))
		stolen := w.item("/f")
		for name, try := range map[string]func() (arrange.Failures, error){
			"restore": func() (arrange.Failures, error) { return w.Restore(w.Ctx, who, []catalog.Ref{stolen}) },
			"remove":  func() (arrange.Failures, error) { return w.Remove(w.Ctx, who, []catalog.Ref{stolen}) },
		} {
			failed, err := try()
			if err != nil || !errs.Is(failed[0], errs.NotFound) {
				w.t.Errorf("%s: %v, %v", name, failed, err)
			}
		}
		if _, err := w.cat.Look(w.Ctx, who, stolen); !errs.Is(err, errs.NotFound) {
			w.t.Errorf("looked at: %v", err)
		}
		w.trash("f 7")
	})
}
