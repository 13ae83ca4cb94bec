package catalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/arrange"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store"
)

type world struct {
	*catalog.Catalog
	t       *testing.T
	store   *store.Store
	bucket  *blob.Bucket
	keyring *blob.Keyring
	now     time.Time
	who     core.Actor
	other   core.Actor
}

func (w *world) Bucket(context.Context, catalog.Policy) (*blob.Bucket, error) { return w.bucket, nil }

func (w *world) clock() time.Time { return w.now }

func setup(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	root, err := os.OpenRoot(dir)
	must(t, err)
	defer root.Close()
	w.keyring, err = blob.OpenKeyring(root, "master.key")
	must(t, err)
	w.bucket = blob.New(memblob.Open(), blob.Options{})
	w.store, err = store.Open(t.Context(), store.Config{Path: filepath.Join(dir, "wharf.db"), Clock: w.clock})
	must(t, err)
	t.Cleanup(func() { must(t, w.store.Close()) })
	w.Catalog = catalog.New(catalog.Options{Store: w.store.Catalog(), Buckets: w, Keyring: w.keyring, Clock: w.clock})
	w.who, w.other = w.user("a@example.test"), w.user("B@Example.test")
	return w
}

// remove deletes what is at ref for good.
func (w *world) remove(who core.Actor, ref catalog.Ref) error {
	keeper := arrange.New(arrange.Options{Store: w.store.Catalog(), Catalog: w.Catalog, Clock: w.clock})
	failed, err := keeper.Remove(w.t.Context(), who, []catalog.Ref{ref})
	return errors.Join(err, failed[0])
}

func (w *world) user(email string) core.Actor {
	w.t.Helper()
	ids, err := catalog.MintNodes(w.t.Context(), w.store.Catalog(), 2)
	must(w.t, err)
	u := catalog.User{ID: core.UserID(ids[0]), Email: email, Password: "x", Group: 2, Status: catalog.Active, Quota: 1000}
	must(w.t, w.store.Catalog().AddUser(w.t.Context(), u, ids[1]))
	return core.Actor{User: u.ID, Via: core.ViaToken}
}

func (w *world) at(path string) catalog.Ref {
	w.t.Helper()
	p, err := core.ParsePath(path)
	must(w.t, err)
	return catalog.At(p)
}

func (w *world) mkdir(path string) catalog.Node {
	w.t.Helper()
	n, err := w.Create(w.t.Context(), w.who, w.at(path), catalog.NewNode{Kind: catalog.Folder})
	must(w.t, err)
	return n
}

// file makes a file with content, as a completed upload does.
func (w *world) file(path string, data []byte, cipher *blob.Cipher) catalog.Node {
	w.t.Helper()
	ctx, st := w.t.Context(), w.store.Catalog()
	n, err := w.Create(ctx, w.who, w.at(path), catalog.NewNode{Kind: catalog.File})
	must(w.t, err)
	id, err := st.MintID(ctx)
	must(w.t, err)
	key := fmt.Sprintf("%032x", id)
	sum, err := w.bucket.Put(ctx, key, &source{Reader: bytes.NewReader(data)}, cipher)
	must(w.t, err)
	v := catalog.Version{
		ID: core.VersionID(id), Node: n.ID, Owner: w.who.User, Size: int64(len(data)), Policy: 1, Blob: key,
		CRC64: sum.CRC64, Created: w.now, Creator: w.who.User,
	}
	if cipher != nil {
		v.Cipher = &catalog.Encryption{Algorithm: blob.CipherName, SealedKey: w.keyring.Seal(cipher.Key), IV: cipher.IV[:]}
	}
	must(w.t, st.InTx(ctx, func(tx catalog.Tx) error {
		n.Version, n.Size = v.ID, v.Size
		return errors.Join(
			tx.Reserve(ctx, w.who.User, v.Size), tx.Settle(ctx, w.who.User, v.Size),
			tx.AddVersion(ctx, v), tx.UpdateNode(ctx, n, n.Rev))
	}))
	n, err = w.Find(ctx, w.who, w.at(path))
	must(w.t, err)
	return n
}

type source struct{ *bytes.Reader }

func (s *source) Rewind() error { _, err := s.Seek(0, io.SeekStart); return err }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantReason(t *testing.T, err error, r errs.Reason) {
	t.Helper()
	if !errs.Has(err, r) {
		t.Fatalf("got %v, want reason %s", err, r)
	}
}

func TestNamesThatHarmSomebodyAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".", "..", "a/b", `a\b`, "a:b", "a*", "a?", `a"`, "<a", "a>", "a|b", "a\x00b", "a\nb", "a\tb", "\x1b[31m", "a\x7f",
		"a\u0085b", "a\u202eb", "a\u2066b", "a\u200eb", "a\u2028b", "bad\xff", "bad\ufffd", "trailing ", "trailing.",
		strings.Repeat("a", 256), strings.Repeat("é", 128),
	} {
		wantReason(t, catalog.CheckName(name), errs.NameRejected)
	}
	for _, name := range []string{
		"a", " leading", "-rf", "..a", "%2e%2e%2fx", "CON", "nul.tar.gz", "f(1).txt", "é", "日本語", "a\u200bb", "🙂",
		strings.Repeat("a", 255), "=cmd()", "a&b;c'd`$(e)",
	} {
		if err := catalog.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNamesThatLookTheSameAreOne(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.mkdir("/é")                // NFC
	again := w.mkdir("/e\u0301") // NFD
	if again.Name != "é" {
		t.Fatalf("%q: the given form is kept", again.Name)
	}
	zero := w.mkdir("/a\u200bb")
	if same := w.mkdir("/ab"); same.ID != zero.ID {
		t.Fatal("an invisible character made another name")
	}
	if w.mkdir("/Case").ID == w.mkdir("/case").ID {
		t.Fatal("case counts")
	}
	if catalog.NameKey("\u200b") == "" || catalog.EmailKey(" A@Ｘ.test ") != "a@x.test" {
		t.Fatal("keys")
	}
}

func TestAPolicySaysWhichFilesItTakes(t *testing.T) {
	t.Parallel()
	p := catalog.Policy{Name: "P", AllowedSuffix: []string{"jpg", "exe"}, DeniedSuffix: []string{"exe"}, AllowedName: "^a", DeniedName: "secret", MaxSize: 10}
	for name, ok := range map[string]bool{"a.jpg": true, "A.JPG": false, "a.JPG": true, "a.png": false, "a.exe": false, "b.jpg": false, "a-secret.jpg": false, "a": false} {
		if err := p.CheckFileName(name); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantReason(t, catalog.Policy{AllowedName: "("}.CheckFileName("a"), errs.PolicyUse)
	must(t, p.CheckSize(10))
	wantReason(t, p.CheckSize(11), errs.FileTooLarge)
}

func TestClientsSetOnlyTheirOwnMetadata(t *testing.T) {
	t.Parallel()
	must(t, catalog.CheckMeta(map[string]string{"tag:a": "", "tag:b": "#0055ff", "tag:c": "rgb(1, 2, 3)", "props:x": "y", "dav:z": ""}))
	many := map[string]string{}
	for i := range 257 {
		many[fmt.Sprintf("props:%d", i)] = ""
	}
	for name, m := range map[string]map[string]string{
		"no category": {"x": ""}, "no name": {"tag:": ""}, "the server's": {"sys:upload_session_id": "x"},
		"not a colour": {"tag:x": "url(javascript:)"}, "too many": many, "too large": {"props:x": strings.Repeat("x", 70_000)},
	} {
		if err := catalog.CheckMeta(m); !errs.Has(err, errs.BadParam) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreateMakesParentsOnceAndAnswersWhatIsThere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	n := w.mkdir("/a/b/c")
	if again := w.mkdir("/a/b/c"); again.ID != n.ID {
		t.Fatal("made twice")
	}
	p, err := w.PathOf(ctx, n)
	must(t, err)
	if p.String() != "/a/b/c" {
		t.Fatal(p)
	}
	_, err = w.Create(ctx, w.who, w.at("/a/b/c"), catalog.NewNode{Kind: catalog.Folder, ErrOnConflict: true})
	wantReason(t, err, errs.NameTaken)
	_, err = w.Create(ctx, w.who, w.at("/a/b/c"), catalog.NewNode{Kind: catalog.File})
	wantReason(t, err, errs.NameTaken)
	_, err = w.Create(ctx, w.who, w.at("/"), catalog.NewNode{Kind: catalog.Folder})
	must(t, err)
	w.file("/a/f", []byte("x"), nil)
	_, err = w.Create(ctx, w.who, w.at("/a/f/g"), catalog.NewNode{Kind: catalog.Folder})
	wantReason(t, err, errs.ParentIsFile)
	_, err = w.Create(ctx, w.who, w.at("/a/x:y"), catalog.NewNode{Kind: catalog.File})
	wantReason(t, err, errs.NameRejected)
	_, err = w.Create(ctx, w.who, w.at("/m"), catalog.NewNode{Kind: catalog.File, Meta: map[string]string{"sys:x": ""}})
	wantReason(t, err, errs.BadParam)
}

func TestADriveIsItsOwnersAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	w.mkdir("/a")
	mine := catalog.Ref{Owner: w.who.User, Path: w.at("/a").Path}
	for name, do := range map[string]func(core.Actor) error{
		"find":   func(a core.Actor) error { _, err := w.Find(ctx, a, mine); return err },
		"list":   func(a core.Actor) error { _, err := w.List(ctx, a, mine, catalog.ListQuery{}); return err },
		"create": func(a core.Actor) error { _, err := w.Create(ctx, a, mine, catalog.NewNode{}); return err },
		"rename": func(a core.Actor) error { _, err := w.Rename(ctx, a, mine, "b"); return err },
		"delete": func(a core.Actor) error { return w.remove(a, mine) },
		"view":   func(a core.Actor) error { return w.SetView(ctx, a, mine, "{}") },
		"choose": func(a core.Actor) error { _, _, err := w.Choose(ctx, a, mine, nil); return err },
	} {
		if err := do(w.other); !errs.Has(err, errs.NoPermission) {
			t.Errorf("%s by another user: %v", name, err)
		}
		if err := do(core.Actor{}); !errs.Has(err, errs.LoginNeeded) {
			t.Errorf("%s by nobody: %v", name, err)
		}
	}
	_, err := w.Capacity(ctx, core.Actor{})
	wantReason(t, err, errs.LoginNeeded)
	wantReason(t, w.Unlock(ctx, core.Actor{}, []string{"x"}), errs.LoginNeeded)
	wantReason(t, w.Unlock(ctx, w.who, []string{"x"}), errs.LockUnknown)
	h, err := w.HomeOf(ctx, w.who.User)
	must(t, err)
	if h.Group.Admin() || h.Policy.Type != "local" {
		t.Errorf("%+v", h)
	}
}

func TestRename(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	w.mkdir("/d/taken")
	n := w.file("/d/f", []byte("x"), nil)
	_, err := w.Rename(ctx, w.who, w.at("/d/f"), "taken")
	wantReason(t, err, errs.NameTaken)
	_, err = w.Rename(ctx, w.who, w.at("/d/f"), "a/b")
	wantReason(t, err, errs.NameRejected)
	_, err = w.Rename(ctx, w.who, w.at("/"), "x")
	wantReason(t, err, errs.RootProtected)
	_, err = w.Rename(ctx, w.who, w.at("/nope"), "x")
	wantReason(t, err, errs.PathMissing)
	_, err = w.Rename(ctx, w.who, w.at("/d"), "e")
	must(t, err)
	got, err := w.Rename(ctx, w.who, w.at("/e/f"), "F")
	must(t, err)
	if got.ID != n.ID || got.Name != "F" {
		t.Fatalf("%+v", got)
	}
	if _, err := w.Rename(ctx, w.who, w.at("/e/F"), "F"); err != nil {
		t.Fatalf("to its own name: %v", err)
	}
}

func TestDeleteTakesEverythingBelowAndGivesTheRoomBack(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	w.file("/d/e/f", make([]byte, 100), nil)
	w.file("/d/g", make([]byte, 50), nil)
	w.file("/keep", make([]byte, 7), nil)
	s, err := w.Summary(ctx, w.mkdir("/d"))
	must(t, err)
	if s != (catalog.Summary{Files: 2, Folders: 1, Bytes: 150}) {
		t.Fatalf("%+v", s)
	}
	gone, err := w.store.Catalog().RemoveTree(ctx, w.mkdir("/d").ID, w.now)
	must(t, err)
	if gone.Bytes != 150 || gone.Nodes != 4 {
		t.Fatalf("%+v", gone)
	}
	if c, err := w.Capacity(ctx, w.who); err != nil || c.Used != 7 {
		t.Fatalf("%+v %v", c, err)
	}
	wantReason(t, w.remove(w.who, w.at("/d")), errs.PathMissing)
	wantReason(t, w.remove(w.who, w.at("/")), errs.RootProtected)
	n, err := w.Reap(ctx, 1, w.now.Add(time.Second), 100)
	must(t, err)
	page, err := w.bucket.List(ctx, "", "", 10)
	must(t, err)
	if n != 2 || len(page.Objects) != 1 {
		t.Fatalf("%d reaped, %d left", n, len(page.Objects))
	}
}

func TestAListingHasEveryNodeOnceInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	var want []string
	for i := range 23 {
		w.mkdir(fmt.Sprintf("/l/z%02d", i))
		want = append(want, fmt.Sprintf("z%02d", i))
	}
	for i := range 20 {
		w.now = w.now.Add(time.Second)
		w.file(fmt.Sprintf("/l/a%02d", i), make([]byte, 20-i), nil)
		want = append(want, fmt.Sprintf("a%02d", i))
	}
	for _, q := range []catalog.ListQuery{{Order: catalog.ByName}, {}, {Order: "nonsense"}, {Order: catalog.ByName, Limit: 7}, {Order: catalog.ByUpdated, Limit: 5}} {
		var got []string
		for {
			l, err := w.List(ctx, w.who, w.at("/l"), q)
			must(t, err)
			for _, n := range l.Nodes {
				got = append(got, n.Name)
			}
			if !l.More {
				break
			}
			q.After = &l.Nodes[len(l.Nodes)-1]
		}
		if q.Order == catalog.ByUpdated { // the folders are of one time: any order among them
			slices.Sort(got[:23])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v", q, got)
		}
	}
	l, err := w.List(ctx, w.who, w.at("/l"), catalog.ListQuery{Order: catalog.BySize, Desc: true, Limit: 24})
	must(t, err)
	if last := l.Nodes[23]; last.Kind != catalog.File || last.Size != 20 || !l.More {
		t.Errorf("largest file first after the folders: %+v", last)
	}
	_, err = w.List(ctx, w.who, w.at("/l/a00"), catalog.ListQuery{})
	wantReason(t, err, errs.PathMissing)
}

func TestAViewIsKeptAndIsNoMetadata(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	w.mkdir("/v")
	must(t, w.SetView(ctx, w.who, w.at("/v"), `{"view":"grid"}`))
	must(t, w.SetView(ctx, w.who, w.at("/v"), `{"view":"list"}`))
	n, err := w.Find(ctx, w.who, w.at("/v"))
	must(t, err)
	if n.View() != `{"view":"list"}` || len(n.Shown()) != 0 {
		t.Fatalf("%q %v", n.View(), n.Shown())
	}
	wantReason(t, w.SetView(ctx, w.who, w.at("/v"), strings.Repeat("x", 1<<20)), errs.BadParam)
}

func TestContentIsReadAndSoughtInPlaintext(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte("0123456789abcdef"), 40)
	for _, c := range []struct {
		name   string
		driver func(t *testing.T) blob.Driver
		cipher *blob.Cipher
		file   bool
	}{
		{"in memory", func(*testing.T) blob.Driver { return memblob.Open() }, nil, false},
		{"in memory, encrypted", func(*testing.T) blob.Driver { return memblob.Open() }, blob.NewCipher(), false},
		{"on disk", local, nil, true},
		{"on disk, encrypted", local, blob.NewCipher(), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			w.bucket = blob.New(c.driver(t), blob.Options{})
			n := w.file("/f", data, c.cipher)
			_, id, err := w.Choose(t.Context(), w.who, w.at("/f"), &n.Version)
			must(t, err)
			body, err := w.OpenVersion(t.Context(), id)
			must(t, err)
			if _, isFile := body.ReadSeekCloser.(*os.File); isFile != c.file {
				t.Fatalf("handed to the kernel: %v, want %v", isFile, c.file)
			}
			got, err := io.ReadAll(body)
			must(t, err)
			if !bytes.Equal(got, data) {
				t.Fatal("content differs")
			}
			for _, at := range []int64{0, 1, 15, 16, 100, int64(len(data)) - 1, int64(len(data))} {
				_, err := body.Seek(at, io.SeekStart)
				must(t, err)
				rest, err := io.ReadAll(body)
				must(t, err)
				if !bytes.Equal(rest, data[at:]) {
					t.Fatalf("from %d", at)
				}
			}
			if end, err := body.Seek(0, io.SeekEnd); err != nil || end != int64(len(data)) {
				t.Fatal(end, err)
			}
			if _, err := body.Seek(-1, io.SeekStart); err == nil {
				t.Fatal("sought before the start")
			}
			must(t, body.Close())
		})
	}
}

func local(t *testing.T) blob.Driver {
	t.Helper()
	d, err := localblob.Open(t.Context(), localblob.Config{Root: t.TempDir()})
	must(t, err)
	return d
}

func TestChooseKnowsOnlyVersionsOfThatFile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	ctx := t.Context()
	f, g := w.file("/f", []byte("f"), nil), w.file("/g", []byte("g"), nil)
	_, _, err := w.Choose(ctx, w.who, w.at("/f"), &g.Version)
	wantReason(t, err, errs.VersionMissing)
	never := core.VersionID(1)
	_, _, err = w.Choose(ctx, w.who, w.at("/f"), &never)
	wantReason(t, err, errs.VersionMissing)
	w.mkdir("/d")
	_, _, err = w.Choose(ctx, w.who, w.at("/d"), nil)
	wantReason(t, err, errs.VersionMissing)
	if vs, err := w.VersionsOf(ctx, f); err != nil || len(vs) != 1 {
		t.Fatal(vs, err)
	}
	_, err = w.Create(ctx, w.who, w.at("/empty"), catalog.NewNode{Kind: catalog.File})
	must(t, err)
	_, id, err := w.Choose(ctx, w.who, w.at("/empty"), nil)
	must(t, err)
	body, err := w.OpenVersion(ctx, id)
	must(t, err)
	if b, err := io.ReadAll(body); err != nil || len(b) != 0 {
		t.Fatal(b, err)
	}
	_, err = w.OpenVersion(ctx, never)
	wantReason(t, err, errs.VersionMissing)
}

func TestMissingOrShortenedBytesAreSaidAndNeverServed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	dir := t.TempDir()
	d, err := localblob.Open(t.Context(), localblob.Config{Root: dir})
	must(t, err)
	w.bucket = blob.New(d, blob.Options{})
	n := w.file("/f", []byte("hello"), nil)
	var file string
	must(t, filepath.WalkDir(dir, func(p string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(p, "blobs") {
			file = p
		}
		return err
	}))
	must(t, os.Truncate(file, 3))
	_, err = w.OpenVersion(t.Context(), n.Version)
	wantReason(t, err, errs.RecoverNeeded)
	must(t, os.Remove(file))
	if _, err = w.OpenVersion(t.Context(), n.Version); err == nil {
		t.Fatal("opened bytes that are gone")
	}
}
