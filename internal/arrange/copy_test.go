package arrange_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// blob returns the key of what a file has, and whether that waits to be unlinked.
func (w *world) blob(path string) (key string, doomed bool) {
	w.t.Helper()
	n, err := w.cat.Find(w.Ctx, w.who, w.at(path))
	w.Must(err)
	v, err := w.Names.Version(w.Ctx, n.Version)
	w.Must(err)
	doomed, err = w.Names.IsDoomed(w.Ctx, v.Policy, v.Blob)
	w.Must(err)
	return v.Blob, doomed
}

func TestACopyHasTheBytesOfItsOriginalAndIsChargedForThem(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		f := w.file("/a/b/f", 7)
		w.file("/a/g", 5)
		w.mkdir("/a/empty")
		w.mkdir("/to")
		w.all(w.Label(w.Ctx, w.who, w.refs("/a/g"), []arrange.Patch{{Key: "tag:x", Value: "red"}}))
		w.AddVersion(f.ID, 100) // history stays with the original
		w.all(w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to")))
		w.drive("a/b/f 7", "a/empty/", "a/g 5", "to/a/b/f 7", "to/a/empty/", "to/a/g 5")
		w.accounts(7 + 5 + 100 + 7 + 5)
		g, err := w.cat.Find(w.Ctx, w.who, w.at("/to/a/g"))
		w.Must(err)
		if g.Meta["tag:x"] != "red" {
			w.t.Errorf("the metadata of the copy is %v", g.Meta)
		}

		w.all(w.Remove(w.Ctx, w.who, w.refs("/a")))
		w.accounts(12)
		key, doomed := w.blob("/to/a/b/f")
		if doomed {
			w.t.Errorf("the bytes of the copy went with the original")
		}
		w.all(w.Remove(w.Ctx, w.who, w.refs("/to")))
		if doomed, err := w.Names.IsDoomed(w.Ctx, 1, key); err != nil || !doomed {
			w.t.Errorf("the bytes stay without anybody who has them: %v", err)
		}
		w.accounts(0)
	})
}

func TestACopyIsRefusedWhereAMoveIs(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.file("/a/f", 7)
		w.mkdir("/a/b")
		w.file("/to/f", 1)
		failed, err := w.Copy(w.Ctx, w.who, w.refs("/a/f", "/a", "/nope", "/"), w.at("/to"))
		w.Must(err)
		w.want(failed[0], errs.Exists, errs.NameTaken)
		w.want(failed[2], errs.NotFound, errs.PathMissing)
		w.want(failed[3], errs.Forbidden, errs.RootProtected)
		failed, err = w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/a/b"))
		w.Must(err)
		w.want(failed[0], errs.Forbidden, errs.NoPermission)
		_, err = w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to/f"))
		w.want(err, errs.Forbidden, errs.ParentIsFile)
		w.drive("a/b/", "a/f 7", "to/a/b/", "to/a/f 7", "to/f 1")
		w.accounts(15)
	})
}

func TestWhatIsNotThereYetIsNotCopied(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.file("/a/f", 7)
		w.mkdir("/to")
		coming := w.New(w.mkdir("/a").ID, "coming", catalog.File)
		w.Must(w.Names.InsertNode(w.Ctx, coming))
		w.Hold(coming.ID, 0)
		failed, err := w.Copy(w.Ctx, w.who, w.refs("/a/coming", "/a"), w.at("/to"))
		w.Must(err)
		w.want(failed[0], errs.Conflict, errs.Locked)
		w.drive("a/coming 0", "a/f 7", "to/a/f 7")
	})
}

func TestACopyThatDoesNotFitLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.file("/a/f", 600<<10)
		w.mkdir("/to")
		for _, turn := range []int{1000, 1} {
			w.BoundCopies(turn, 1000)
			failed, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
			w.Must(err)
			w.want(failed[0], errs.NoSpace, errs.QuotaFull)
			w.drive("a/f 614400", "to/")
			w.accounts(600 << 10)
		}
		w.BoundCopies(1, 1)
		failed, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
		w.Must(err)
		w.want(failed[0], errs.Invalid, errs.TooMany)
	})
}

func TestALargeCopyIsSeenWhenItIsWhole(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		want := []string{}
		for d := range 3 {
			for i := range 4 {
				w.file(fmt.Sprintf("/a/%d/%d", d, i), 1)
				want = append(want, fmt.Sprintf("a/%d/%d 1", d, i))
			}
		}
		for i := range 12 {
			want = append(want, "to/"+want[i])
		}
		w.mkdir("/to")
		w.BoundCopies(3, 1000)
		w.all(w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to")))
		w.drive(want...)
		w.accounts(24)
		w.now = w.now.AddDate(0, 1, 0)
		if n, err := w.Sweep(w.Ctx, 10); n != 0 || err != nil {
			w.t.Errorf("swept %d, %v", n, err)
		}
		failed, err := w.Copy(w.Ctx, w.who, w.refs("/a"), w.at("/to"))
		w.Must(err)
		w.want(failed[0], errs.Exists, errs.NameTaken)
		w.drive(want...)
	})
}

func TestWhatACrashLeavesOfALargeCopyIsSwept(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		root := w.New(0, "copies", catalog.Folder)
		half := w.New(root.ID, "half", catalog.Folder)
		w.Must(w.Names.InTx(w.Ctx, func(tx catalog.Tx) error {
			w.Must(tx.AddHiddenRoot(w.Ctx, root))
			w.Must(tx.InsertNode(w.Ctx, half))
			return tx.MarkDue(w.Ctx, half.ID, core.NewUUID(), w.now.Add(24*time.Hour))
		}))
		w.now = w.now.Add(25 * time.Hour)
		if n, err := w.Sweep(w.Ctx, 10); n != 1 || err != nil {
			w.t.Errorf("swept %d, %v", n, err)
		}
	})
}

// Whoever wins, a copy that is there has its bytes.
func TestACopyAndADeleteAtOnceLoseNoBytes(t *testing.T) {
	t.Parallel()
	each(t, func(_ *testing.T, w *world) {
		w.mkdir("/to")
		for round := range 25 {
			from := fmt.Sprint("/f", round)
			w.file(from, 1)
			var both sync.WaitGroup
			both.Go(func() {
				if _, err := w.Copy(w.Ctx, w.who, w.refs(from), w.at("/to")); err != nil && !errs.Is(err, errs.NotFound) {
					w.t.Errorf("copy: %v", err)
				}
			})
			both.Go(func() {
				if failed, err := w.Remove(w.Ctx, w.who, w.refs(from)); err != nil || len(failed) > 0 {
					w.t.Errorf("remove: %v, %v", failed, err)
				}
			})
			both.Wait()
			if _, err := w.cat.Find(w.Ctx, w.who, w.at("/to"+from)); err != nil {
				continue
			}
			if key, doomed := w.blob("/to" + from); doomed {
				w.t.Fatalf("round %d: the bytes %s of a copy are doomed", round, key)
			}
		}
		got, err := w.Names.Recount(w.Ctx, w.User.ID)
		w.Must(err)
		w.accounts(got.Used)
	})
}
