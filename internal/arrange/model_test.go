package arrange_test

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/storetest"
)

// dir is the size of a folder in the model.
const dir = -1

// model is a drive and its trash as maps of paths.
type model struct {
	drive map[string]int64
	trash map[string]map[string]int64 // by where it was: what is below, "" for itself
	blobs map[string]bool             // that were ever there
	next  int64
}

// below are p and all below it, with p taken off.
func (m *model) below(p string) map[string]int64 {
	out := map[string]int64{}
	for q, size := range m.drive {
		if q == p || strings.HasPrefix(q, p+"/") {
			out[strings.TrimPrefix(q, p)] = size
		}
	}
	return out
}

func (m *model) drop(p string) {
	maps.DeleteFunc(m.drive, func(q string, _ int64) bool { return q == p || strings.HasPrefix(q, p+"/") })
}

func (m *model) put(p string, tree map[string]int64) {
	for rest, size := range tree {
		m.drive[p+rest] = size
	}
}

// folders are those that things go into; "" is the root.
func (m *model) folders() []string {
	out := []string{""}
	for p, size := range m.drive {
		if size == dir {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

func (m *model) used() (sum int64) {
	for _, size := range m.drive {
		sum += max(size, 0)
	}
	for _, tree := range m.trash {
		for _, size := range tree {
			sum += max(size, 0)
		}
	}
	return sum
}

// refuses says whether src cannot be put into the folder to.
func (m *model) refuses(src, to string) bool {
	_, taken := m.drive[to+"/"+path.Base(src)]
	return taken || to == src || strings.HasPrefix(to, src+"/")
}

// origin prepares the restoring of something to p: false when it cannot be.
func (m *model) origin(p string) bool {
	if _, taken := m.drive[p]; taken {
		return false
	}
	for up := path.Dir(p); up != "/"; up = path.Dir(up) {
		if size, ok := m.drive[up]; ok && size != dir {
			return false
		}
	}
	for up := path.Dir(p); up != "/"; up = path.Dir(up) {
		m.drive[up] = dir
	}
	return true
}

// step does one thing to both, and says whether the model refuses it.
func (w *world) step(rt *rapid.T, m *model) (failed arrange.Failures, err error, refused bool) {
	to := rapid.SampledFrom(m.folders()).Draw(rt, "folder")
	all := slices.Sorted(maps.Keys(m.drive))
	gone := slices.Sorted(maps.Keys(m.trash))
	what := rapid.IntRange(0, 9).Draw(rt, "what")
	if what < 3 || len(all) == 0 && len(gone) == 0 {
		p := to + "/" + rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "name")
		if _, taken := m.drive[p]; taken || strings.Count(p, "/") > 6 {
			return nil, nil, false
		}
		if m.drive[p] = dir; what == 0 {
			w.mkdir(p)
			return nil, nil, false
		}
		m.next++
		m.drive[p] = m.next
		v, err := w.Names.Version(w.Ctx, w.file(p, m.next).Version)
		w.Must(err)
		m.blobs[v.Blob] = true
		return nil, nil, false
	}
	if len(gone) > 0 && (what > 7 || len(all) == 0) {
		p := rapid.SampledFrom(gone).Draw(rt, "item")
		refs, tree := []catalog.Ref{w.item(p)}, m.trash[p]
		if what == 9 {
			delete(m.trash, p)
			failed, err = w.Remove(w.Ctx, w.who, refs)
			return failed, err, false
		}
		if refused = !m.origin(p); !refused {
			delete(m.trash, p)
			m.put(p, tree)
		}
		failed, err = w.Restore(w.Ctx, w.who, refs)
		return failed, err, refused
	}
	if len(all) == 0 {
		return nil, nil, false
	}
	src := rapid.SampledFrom(all).Draw(rt, "source")
	refs, tree, dst := w.refs(src), m.below(src), w.at(to+"/")
	switch what {
	case 3, 4:
		refused = m.refuses(src, to) && path.Dir(src) != path.Join("/", to)
		if !refused {
			m.drop(src)
			m.put(to+"/"+path.Base(src), tree)
		}
		failed, err = w.Move(w.Ctx, w.who, refs, dst)
	case 5:
		if refused = m.refuses(src, to) || len(m.drive)+len(tree) > 60; len(m.drive)+len(tree) > 60 {
			return nil, nil, false
		}
		if !refused {
			m.put(to+"/"+path.Base(src), tree)
		}
		failed, err = w.Copy(w.Ctx, w.who, refs, dst)
	case 6:
		m.drop(src)
		failed, err = w.Remove(w.Ctx, w.who, refs)
	default:
		if m.trash[src] != nil {
			return nil, nil, false // the model knows items by their place
		}
		m.drop(src)
		m.trash[src] = tree
		failed, err = w.Trash(w.Ctx, w.who, refs)
	}
	return failed, err, refused
}

// lines prints the model as world.tree does.
func (m *model) lines() (out []string) {
	for p, size := range m.drive {
		switch {
		case size != dir:
			out = append(out, fmt.Sprint(p[1:], " ", size))
		case len(m.below(p)) == 1:
			out = append(out, p[1:]+"/")
		}
	}
	slices.Sort(out)
	return out
}

// Whatever is moved, copied, thrown away and restored in whatever order, the
// drive is what a map of paths is, the account is charged for each file in it and
// in the trash, and bytes are doomed if and only if nobody has them.
func TestADriveIsAMapOfPaths(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		rapid.Check(t, func(rt *rapid.T) {
			w.Home = storetest.NewHome(t, w.Store, 1<<40)
			w.who.User = w.User.ID
			w.BoundCopies(rapid.SampledFrom([]int{2, 1000}).Draw(rt, "turn"), 1000)
			m := &model{drive: map[string]int64{}, trash: map[string]map[string]int64{}, blobs: map[string]bool{}}
			for range rapid.IntRange(1, 30).Draw(rt, "steps") {
				failed, err, refused := w.step(rt, m)
				if err != nil || (len(failed) > 0) != refused {
					rt.Fatalf("the keeper says %v, %v; the model refuses: %v", failed, err, refused)
				}
				got := w.tree(w.at("/"))
				slices.Sort(got)
				if d := cmp.Diff(append([]string{}, m.lines()...), got); d != "" {
					rt.Fatalf("the drive (-model +got):\n%s", d)
				}
			}
			counted, err := w.Names.Recount(w.Ctx, w.User.ID)
			w.Must(err)
			if got := w.Capacity(); got != counted || got.Used != m.used() {
				rt.Fatalf("%d bytes are charged, %d counted, the model has %d", got.Used, counted.Used, m.used())
			}
			for b := range m.blobs {
				_, err := w.Names.VersionOfBlob(w.Ctx, 1, b)
				doomed, derr := w.Names.IsDoomed(w.Ctx, 1, b)
				w.Must(derr)
				if named := !errs.Is(err, errs.NotFound); named == doomed {
					rt.Fatalf("the blob %s is named by a row: %v, and doomed: %v", b, named, doomed)
				}
			}
		})
	})
}
