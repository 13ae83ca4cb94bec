package search

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
)

// forest is a Tree in memory.
type forest struct {
	nodes map[core.NodeID][]catalog.Node // by parent, folders first, then by name
	reads int
}

func (f *forest) Children(_ context.Context, q catalog.Query) ([]catalog.Node, error) {
	f.reads++
	all := f.nodes[q.Parent]
	if q.After != nil {
		i := slices.IndexFunc(all, func(n catalog.Node) bool { return n.ID == q.After.ID })
		all = all[i+1:]
	}
	return all[:min(len(all), q.Limit)], nil
}

// plant makes a forest of paths; those that end in a slash are folders.
func plant(paths ...string) *forest {
	f, ids := &forest{nodes: map[core.NodeID][]catalog.Node{}}, map[string]core.NodeID{"": 1}
	next := core.NodeID(2)
	for _, p := range paths {
		kind, clean := catalog.File, strings.TrimSuffix(p, "/")
		if clean != p {
			kind = catalog.Folder
		}
		dir, name := "", clean
		if i := strings.LastIndexByte(clean, '/'); i >= 0 {
			dir, name = clean[:i], clean[i+1:]
		}
		ids[clean] = next
		f.nodes[ids[dir]] = append(f.nodes[ids[dir]], catalog.Node{
			ID: next, Name: name, Key: catalog.NameKey(name), Kind: kind, Size: int64(next),
			Created: time.Unix(int64(next), 5000), Updated: time.Unix(int64(next)*2, 0),
		})
		next++
	}
	for _, all := range f.nodes {
		slices.SortFunc(all, func(a, b catalog.Node) int {
			return cmp.Or(cmp.Compare(b.Kind, a.Kind), cmp.Compare(a.Key, b.Key))
		})
	}
	return f
}

func find(t testing.TB, f *forest, query string, q catalog.ListQuery) (paths []string, l catalog.Listing) {
	t.Helper()
	by, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	terms, err := Parse(by)
	if err != nil || terms == nil {
		t.Fatalf("Parse(%s) = %v, %v", query, terms, err)
	}
	w := walk{tree: f, terms: terms, clock: time.Now, page: newPage(q)}
	root := catalog.Node{ID: 1, Kind: catalog.Folder}
	if err := w.run(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	l = w.listing(root)
	for i, n := range l.Nodes {
		paths = append(paths, l.In[i].Join(n.Name).String())
	}
	return paths, l
}

func TestASearchFindsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	f := plant("Bilder/", "Bilder/Meer.JPG", "Bilder/100%.png", "Bilder/alt/", "Bilder/alt/meerblick.txt", "a*b.txt", "film.mp4")
	meta := &f.nodes[1][len(f.nodes[1])-1]
	meta.Meta = map[string]string{"tag:rot": "#ff0000", "sys:view": "{}"}
	for query, want := range map[string]string{
		"name=meer":                      "/Bilder/alt/meerblick.txt",
		"name=meer&case_folding":         "/Bilder/Meer.JPG /Bilder/alt/meerblick.txt",
		"name=M*r*G":                     "/Bilder/Meer.JPG",
		"name=G*r":                       "",
		"name=%22a*b%22":                 "/a*b.txt",
		"name=100%25":                    "/Bilder/100%.png",
		"name=txt&name=meer":             "/Bilder/alt/meerblick.txt",
		"name=film&name=100&name_op_or":  "/Bilder/100%.png /film.mp4",
		"name=film&name=100&use_or=true": "/Bilder/100%.png /film.mp4",
		"type=folder":                    "/Bilder /Bilder/alt",
		"category=image":                 "/Bilder/100%.png /Bilder/Meer.JPG",
		"category=video&type=folder":     "",
		"size_gte=7":                     "/a*b.txt /film.mp4",
		"size_gte=7&size_lte=7":          "/a*b.txt",
		"created_gte=8":                  "/film.mp4",
		"created_lte=2":                  "/Bilder",
		"updated_lte=4":                  "/Bilder",
		"meta_tag:rot=":                  "/film.mp4",
		"meta_tag:rot=FF00":              "/film.mp4",
		"exact_meta_tag:rot=FF00":        "",
		"exact_meta_tag:rot=%23ff0000":   "/film.mp4",
		"meta_sys:view=":                 "",
		"meta_tag:blau=":                 "",
		"type=file&name=*&size_gte=0&updated_gte=-9999": "/Bilder/100%.png /Bilder/Meer.JPG /a*b.txt /film.mp4 /Bilder/alt/meerblick.txt",
	} {
		got, l := find(t, f, query, catalog.ListQuery{})
		if strings.Join(got, " ") != want || l.Limited || l.More {
			t.Errorf("%s found %q limited=%v more=%v, want %q", query, got, l.Limited, l.More, want)
		}
	}
}

func TestAQueryThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, query := range []string{
		"type=link", "category=book", "size_gte=x", "size_lte=1e3", "created_gte=99999999999999999999",
		"updated_lte=9223372036854775807", strings.Repeat("name=a&", maxTerms+1),
	} {
		by, _ := url.ParseQuery(query)
		if terms, err := Parse(by); err == nil {
			t.Errorf("Parse(%s) = %v", query, terms)
		}
	}
	for _, query := range []string{"", "name=", "name=*&case_folding", "size_gte=", "page=7"} {
		by, _ := url.ParseQuery(query)
		if terms, err := Parse(by); err != nil || terms != nil {
			t.Errorf("Parse(%s) = %v, %v: it asks for nothing", query, terms, err)
		}
	}
}

// Pages of a search together are all that it finds, once each, in their order.
func TestPagesOfASearchAreItsWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		paths := []string{}
		dirs := []string{""}
		for i := range rapid.IntRange(0, 40).Draw(r, "nodes") {
			dir := rapid.SampledFrom(dirs).Draw(r, "dir")
			name := fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"x", "y", "z"}).Draw(r, "letter"), i)
			if rapid.Bool().Draw(r, "folder") {
				dirs = append(dirs, dir+name+"/")
				name += "/"
			}
			paths = append(paths, dir+name)
		}
		f := plant(paths...)
		q := catalog.ListQuery{
			Order: rapid.SampledFrom([]catalog.Order{catalog.ByName, catalog.BySize, catalog.ByCreated, catalog.ByUpdated}).Draw(r, "order"),
			Desc:  rapid.Bool().Draw(r, "desc"), Limit: 1000,
		}
		query := "name=x&name=y&use_or"
		whole, _ := find(t, f, query, q)
		q.Limit = rapid.IntRange(1, 5).Draw(r, "limit")
		var pages []string
		for {
			page, l := find(t, f, query, q)
			pages = append(pages, page...)
			if !l.More {
				break
			}
			q.After = &l.Nodes[len(l.Nodes)-1]
		}
		if !slices.Equal(pages, whole) {
			r.Fatalf("pages are %q, the whole is %q", pages, whole)
		}
	})
}

func TestASearchThatWouldReadTooMuchSaysSo(t *testing.T) {
	t.Parallel()
	wide := &forest{nodes: map[core.NodeID][]catalog.Node{}}
	for i := range maxFolders + 10 {
		wide.nodes[1] = append(wide.nodes[1], catalog.Node{ID: core.NodeID(i + 2), Name: "d", Key: "d", Kind: catalog.Folder})
	}
	if _, l := find(t, wide, "name=x", catalog.ListQuery{}); !l.Limited || wide.reads > maxFolders+20 {
		t.Errorf("%d folders: limited=%v after %d reads", maxFolders+10, l.Limited, wide.reads)
	}
	full := &forest{nodes: map[core.NodeID][]catalog.Node{}}
	for i := range maxNodes + 1 {
		full.nodes[1] = append(full.nodes[1], catalog.Node{ID: core.NodeID(i + 2), Name: "f", Key: "f"})
	}
	got, l := find(t, full, "name=f", catalog.ListQuery{Limit: 5})
	if !l.Limited || !l.More || len(got) != 5 {
		t.Errorf("%d files: found %d, limited=%v more=%v", maxNodes+1, len(got), l.Limited, l.More)
	}
}

func TestSearchesOfOneUserAreBounded(t *testing.T) {
	t.Parallel()
	f := New(Options{})
	var leave []func()
	for range maxRunningEach {
		l, err := f.enter(1)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := f.enter(1); err == nil {
		t.Error("one user runs more than may be")
	}
	if l, err := f.enter(2); err != nil {
		t.Error("another user waits for the first", err)
	} else {
		l()
	}
	for _, l := range leave {
		l()
	}
	if l, err := f.enter(1); err != nil || len(f.running) != 1 {
		t.Error("places do not come back", err)
	} else {
		l()
	}
}
