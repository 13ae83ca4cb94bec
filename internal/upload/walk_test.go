package upload_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// model is what the engine should be, in the simplest words: files by name, and
// at most one open upload onto each. Names stay what they were at first, whatever
// their folders are called now.
type model struct {
	top, mid string          // what the folders /d and /d/e are called now
	folders  map[string]bool // which of the two are there
	serial   int

	files map[string][]byte
	open  map[string]*opened
	ended []*opened
	kept  map[string][]int64 // sizes of the versions of each file
}

type opened struct {
	s       upload.Session
	data    []byte
	have    map[int64]bool
	touched time.Time
}

func (o *opened) whole() bool { return int64(len(o.have)) == blob.Chunks(o.s.Size, o.s.ChunkSize) }

// TestRandomWalk takes random steps in the engine and in the model and compares
// after each. rapid prints the seed and shrinks the walk when it fails.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	walk(t, setup)
}

func TestRandomWalkOverPacks(t *testing.T) {
	t.Parallel()
	walk(t, setupPacks)
}

func walk(t *testing.T, setup func(*testing.T) *world) {
	t.Helper()
	rapid.Check(t, func(r *rapid.T) {
		w := setup(t)
		defer func() { must(t, w.store.Close()); w.start() }() // each walk its own store
		m := &model{top: "d", mid: "e", folders: map[string]bool{}, files: map[string][]byte{}, open: map[string]*opened{}, kept: map[string][]int64{}}
		names := []string{"/a", "/d/b", "/d/e/c"}
		pick := func() *opened {
			var all []*opened
			for _, name := range slices.Sorted(maps.Keys(m.open)) {
				all = append(all, m.open[name])
			}
			all = append(all, m.ended...)
			if len(all) == 0 {
				r.Skip("nothing was created yet")
			}
			return rapid.SampledFrom(all).Draw(r, "session")
		}
		r.Repeat(map[string]func(*rapid.T){
			"create": func(r *rapid.T) {
				name := rapid.SampledFrom(names).Draw(r, "name")
				size := rapid.Int64Range(0, 70).Draw(r, "size")
				version := rapid.Bool().Draw(r, "version")
				m.create(w, r, name, size, version)
			},
			"chunk": func(r *rapid.T) {
				o := pick()
				i := rapid.Int64Range(0, blob.Chunks(o.s.Size, o.s.ChunkSize)-1).Draw(r, "index")
				m.chunk(w, r, o, i, rapid.SampledFrom([]string{"right", "right", "right", "other", "short"}).Draw(r, "bytes"))
			},
			"cancel":  func(*rapid.T) { m.cancel(w, r, pick()) },
			"restart": func(*rapid.T) { w.restart() },
			"wait":    func(r *rapid.T) { w.pass(time.Duration(rapid.IntRange(1, 90).Draw(r, "seconds")) * time.Second) },
			"expire": func(*rapid.T) {
				w.pass(24 * time.Hour)
				_, err := w.engine.Sweep(t.Context())
				must(t, err)
				m.open, m.ended = map[string]*opened{}, nil
			},
			"rename folder": func(r *rapid.T) { m.renameFolder(w, r, rapid.SampledFrom(walkFolders).Draw(r, "folder")) },
			"delete folder": func(r *rapid.T) { m.deleteFolder(w, r, rapid.SampledFrom(walkFolders).Draw(r, "folder")) },
			"delete":        func(r *rapid.T) { m.delete(w, r, rapid.SampledFrom(names).Draw(r, "name")) },
			"":              func(r *rapid.T) { m.check(w, r) },
		})
	})
}

func (m *model) create(w *world, r *rapid.T, name string, size int64, version bool) {
	var change []func(*upload.Request)
	if version {
		change = append(change, asVersion)
	}
	tk, err := w.tryCreate(m.now(name), size, change...)
	old, busy := m.open[name]
	if busy && w.clock().Sub(old.touched) >= time.Minute {
		busy = false
	}
	_, exists := m.files[name]
	switch {
	case busy && version:
		expect(r, err, errs.Locked)
		return
	case !version && (busy || exists):
		expect(r, err, errs.NameTaken)
		return
	}
	expect(r, err, "")
	if old != nil {
		m.ended = append(m.ended, old)
	}
	for _, f := range walkFolders {
		m.folders[f] = m.folders[f] || under(f, name)
	}
	m.open[name] = &opened{s: tk.Session, data: content(uint64(w.clock().Unix())+uint64(size), size), have: map[int64]bool{}, touched: w.clock()}
}

func (m *model) chunk(w *world, r *rapid.T, o *opened, i int64, kind string) {
	at, err := blob.ChunkRange(o.s.Size, o.s.ChunkSize, i)
	must(w.t, err)
	body := bytes.Clone(o.data[at.From:at.To])
	if len(body) == 0 {
		kind = "right"
	}
	switch kind {
	case "other":
		body[0] ^= 1
	case "short":
		body = body[:len(body)-1]
	}
	_, err = w.write(o.s.ID, at, bytes.NewReader(body))
	name, alive := m.nameOf(o)
	switch {
	case !alive && !o.whole():
		expect(r, err, errs.SessionGone) // aborted
	case kind == "short":
		expect(r, err, errs.ChunkShort)
	case o.have[i] && kind == "other":
		expect(r, err, errs.ChunkDiffers)
	case kind == "other":
		// New bytes for a chunk that was not in: they are the upload's now.
		expect(r, err, "")
		o.data = slices.Clone(o.data)
		copy(o.data[at.From:], body)
		m.take(w, name, o, i)
	default:
		expect(r, err, "")
		if !o.have[i] {
			m.take(w, name, o, i)
		}
	}
}

func (m *model) take(w *world, name string, o *opened, i int64) {
	o.have[i] = true
	o.touched = w.clock()
	if !o.whole() {
		return
	}
	delete(m.open, name)
	m.ended = append(m.ended, o)
	m.files[name] = o.data
	m.kept[name] = append(m.kept[name], o.s.Size)
	if n := len(m.kept[name]); n > 10 {
		m.kept[name] = m.kept[name][n-10:]
	}
}

func (m *model) nameOf(o *opened) (string, bool) {
	for name, x := range m.open {
		if x == o {
			return name, true
		}
	}
	return "", false
}

func (m *model) cancel(w *world, r *rapid.T, o *opened) {
	expect(r, w.engine.Abort(w.t.Context(), w.who, o.s.ID), "")
	if name, alive := m.nameOf(o); alive {
		delete(m.open, name)
		m.ended = append(m.ended, o)
	}
}

func (m *model) delete(w *world, r *rapid.T, name string) {
	err := w.remove(at(w.t, m.now(name)))
	_, exists := m.files[name]
	switch _, busy := m.open[name]; {
	case busy:
		expect(r, err, errs.Locked)
	case !exists:
		expect(r, err, errs.PathMissing)
	default:
		expect(r, err, "")
		delete(m.files, name)
		delete(m.kept, name)
	}
}

var walkFolders = []string{"/d", "/d/e"}

func under(folder, name string) bool { return strings.HasPrefix(name, folder+"/") }

// now is what a name is called now.
func (m *model) now(name string) string {
	switch {
	case name == "/d/e" || under("/d/e", name):
		return "/" + m.top + "/" + m.mid + strings.TrimPrefix(name, "/d/e")
	case name == "/d" || under("/d", name):
		return "/" + m.top + strings.TrimPrefix(name, "/d")
	}
	return name
}

// held reports whether an upload runs somewhere in the folder: then nobody renames or
// deletes it, and who tries is told of the upload.
func (m *model) held(folder string) bool {
	for name := range m.open {
		if under(folder, name) {
			return true
		}
	}
	return false
}

// refused says why a change of the folder must be refused, "" if it must not.
func (m *model) refused(folder string) errs.Reason {
	switch {
	case !m.folders[folder]:
		return errs.PathMissing
	case m.held(folder):
		return errs.Locked
	}
	return ""
}

// renameFolder renames it with all that is in it: uploads that ended before are asked
// for again by other steps, those that begin afterwards find it under its new name.
func (m *model) renameFolder(w *world, r *rapid.T, folder string) {
	m.serial++
	name := fmt.Sprintf("%c%d", folder[len(folder)-1], m.serial)
	_, err := w.catalog.Rename(w.t.Context(), w.who, at(w.t, m.now(folder)), name)
	why := m.refused(folder)
	expect(r, err, why)
	switch {
	case why != "":
	case folder == "/d":
		m.top = name
	default:
		m.mid = name
	}
}

func (m *model) deleteFolder(w *world, r *rapid.T, folder string) {
	err := w.remove(at(w.t, m.now(folder)))
	why := m.refused(folder)
	expect(r, err, why)
	if why != "" {
		return
	}
	for name := range m.files {
		if under(folder, name) {
			delete(m.files, name)
			delete(m.kept, name)
		}
	}
	for _, f := range walkFolders {
		if f == folder || under(folder, f) {
			m.folders[f] = false
		}
	}
}

func expect(r *rapid.T, err error, want errs.Reason) {
	r.Helper()
	if got := errs.ReasonOf(err); got != want || (err != nil) != (want != "") {
		r.Fatalf("got %v, want %q", err, want)
	}
}

// check holds engine and model side by side.
func (m *model) check(w *world, r *rapid.T) {
	var used, reserved int64
	for _, sizes := range m.kept {
		for _, n := range sizes {
			used += n
		}
	}
	for _, o := range m.open {
		reserved += o.s.Size
	}
	if c := w.capacity(); c.Used != used || c.Reserved != reserved {
		r.Fatalf("ledger %+v, want used %d, reserved %d", c, used, reserved)
	}
	for name, data := range m.files {
		if got := w.read(m.now(name)); !bytes.Equal(got, data) {
			r.Fatalf("%s differs", name)
		}
	}
	versions := 0
	for _, sizes := range m.kept {
		versions += len(sizes)
	}
	if _, err := w.catalog.Reap(w.t.Context(), 1, w.clock().Add(time.Second), 10_000); err != nil {
		r.Fatal(err)
	}
	staged := 0
	for _, o := range m.open {
		if o.s.Size > o.s.ChunkSize { // others are stored in one go
			staged++
		}
	}
	if finished, pending := w.blobs(); finished != versions && !w.packs || pending != staged {
		r.Fatalf("%d blobs and %d pending, want %d and %d", finished, pending, versions, staged)
	}
	for name, o := range m.open {
		p, err := w.engine.Progress(w.t.Context(), w.who, o.s.ID)
		if err != nil {
			r.Fatal(err)
		}
		var want core.RangeSet
		for i := range o.have {
			at, _ := blob.ChunkRange(o.s.Size, o.s.ChunkSize, i)
			want = want.Add(at)
		}
		if fmt.Sprint(p.Received) != fmt.Sprint(want) {
			r.Fatalf("%s received %v, want %v", name, p.Received, want)
		}
	}
}
