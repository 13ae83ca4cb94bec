package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/account"
	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/store/accounts"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func TestCreateChecksInTheOrderOfTheContract(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.sendAll(w.create("/file", 3).Session, []byte("abc"))
	_, err := w.catalog.Create(t.Context(), w.who, at(t, "/folder"), catalog.NewNode{Kind: catalog.Folder})
	must(t, err)
	w.setPolicy(func(p *catalog.Policy) { p.MaxSize, p.DeniedSuffix = 1<<19, []string{"exe"} })
	current, stale, unknown := find(w, "/file").Version, core.VersionID(1), upload.UnknownVersion
	previous := func(v *core.VersionID) func(*upload.Request) {
		return func(q *upload.Request) { q.Previous = v }
	}
	companion := func(q *upload.Request) { q.Purpose = upload.Companion }
	for _, c := range []struct {
		name, path string
		size       int64
		change     []func(*upload.Request)
		want       errs.Reason
	}{
		{"negative size", "/x", -1, nil, errs.BadParam},
		{"size beyond exact JSON numbers", "/x", 1<<53 + 1, nil, errs.BadParam},
		{"system metadata", "/x", 1, []func(*upload.Request){func(q *upload.Request) { q.Meta = map[string]string{"sys:x": ""} }}, errs.BadParam},
		{"a name that is taken", "/file", 1, nil, errs.NameTaken},
		{"the root", "/", 1, []func(*upload.Request){asVersion}, errs.NameTaken},
		{"onto a folder", "/folder", 1, []func(*upload.Request){asVersion}, errs.NameTaken},
		{"companion of nothing", "/nope", 1, []func(*upload.Request){companion}, errs.PathMissing},
		{"below a file", "/file/x", 1, nil, errs.ParentIsFile},
		{"an illegal name", "/a:b", 1, nil, errs.NameRejected},
		{"an illegal folder", "/a:b/c", 1, nil, errs.NameRejected},
		{"a refused extension", "/x.EXE", 1, nil, errs.NameRejected},
		{"over the policy's size", "/x", 1<<19 + 1, nil, errs.FileTooLarge},
		{"a previous that does not decode", "/file", 1, []func(*upload.Request){asVersion, previous(&unknown)}, errs.BadParam},
		{"a previous that is not current", "/file", 1, []func(*upload.Request){asVersion, previous(&stale)}, errs.VersionStale},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.tryCreate(c.path, c.size, c.change...)
			wantReason(t, err, c.want)
			if got := w.capacity(); got.Used != 3 || got.Reserved != 0 {
				t.Fatalf("something was kept: %+v", got)
			}
		})
	}
	if _, pending := w.blobs(); pending != 0 {
		t.Fatal("a refused creation left bytes")
	}
	_, err = w.engine.Create(t.Context(), core.Actor{}, upload.Request{Ref: at(t, "/x")})
	wantReason(t, err, errs.LoginNeeded)
	_, err = w.engine.Create(t.Context(), w.other, upload.Request{Ref: catalog.Ref{Owner: w.who.User}})
	wantReason(t, err, errs.NoPermission)
	_, err = w.tryCreate("/nope", 1, asVersion, previous(&stale))
	must(t, err) // previous of nothing is passed over
	_, err = w.tryCreate("/file", 1, asVersion, previous(&current))
	must(t, err)
}

func TestAnUnfinishedUploadHoldsItsNameWhileItIsAlive(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	first := w.create("/d/f", 40).Session
	w.pass(59 * time.Second)
	_, err := w.tryCreate("/d/f", 40)
	wantReason(t, err, errs.NameTaken)
	_, err = w.tryCreate("/d/f", 40, asVersion)
	wantReason(t, err, errs.Locked)
	var e *errs.Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	held, _ := e.Detail.([]catalog.Held)
	if len(held) != 1 || held[0].Path.String() != "/d/f" || held[0].Lock.Token != first.Lock {
		t.Fatalf("%+v", e.Detail)
	}
	_, err = w.send(first, 0, data)
	must(t, err)
	w.pass(59 * time.Second) // the chunk kept it alive
	_, err = w.tryCreate("/d/f", 40)
	wantReason(t, err, errs.NameTaken)
	w.pass(time.Second)
	second := w.create("/d/f", 40).Session
	_, err = w.send(first, 1, data)
	wantReason(t, err, errs.SessionGone)
	w.sendAll(second, data)
	if c := w.capacity(); c.Used != 40 || c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
	if _, pending := w.blobs(); pending != 0 {
		t.Fatal("the old upload left bytes")
	}
}

func TestUnlockingGivesTheNameBackAtOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	wantReason(t, w.catalog.Unlock(t.Context(), w.other, []string{s.Lock}), errs.LockUnknown)
	must(t, w.catalog.Unlock(t.Context(), w.who, []string{s.Lock}))
	_, err := w.send(s, 0, data)
	wantReason(t, err, errs.LockExpired)
	next := w.create("/f", 40).Session
	w.sendAll(next, data)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestAnUploadOntoAFileLeavesItAsItIsUntilItIsComplete(t *testing.T) {
	t.Parallel()
	w := setup(t)
	old, data := []byte("old content"), content(1, 40)
	w.sendAll(w.create("/f", int64(len(old))).Session, old)
	s := w.create("/f", 40, asVersion).Session
	_, err := w.send(s, 0, data)
	must(t, err)
	if !bytes.Equal(w.read("/f"), old) {
		t.Fatal("the content changed too early")
	}
	must(t, w.engine.Abort(t.Context(), w.who, s.ID))
	if !bytes.Equal(w.read("/f"), old) || find(w, "/f").Session != "" {
		t.Fatal("abort touched the file")
	}
	w.sendAll(w.create("/f", 40, asVersion).Session, data)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the new version is not current")
	}
	vs, err := w.catalog.VersionsOf(t.Context(), find(w, "/f"))
	must(t, err)
	if len(vs) != 2 {
		t.Fatalf("%d versions", len(vs))
	}
}

func TestCancellingAVersionOverAnEmptyFileKeepsTheFile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	_, err := w.catalog.Create(t.Context(), w.who, at(t, "/empty"), catalog.NewNode{Kind: catalog.File})
	must(t, err)
	s := w.create("/empty", 40, asVersion).Session
	must(t, w.engine.Cancel(t.Context(), w.who, s.ID, at(t, "/empty")))
	if n := find(w, "/empty"); n.Session != "" || n.Version != 0 {
		t.Fatalf("%+v", n)
	}
}

func TestFormerContentsAreKeptOfTheExtensionsThatTheOwnerNames(t *testing.T) {
	t.Parallel()
	w := setup(t)
	people := accounts.New(w.store)
	kept := func(name string) int {
		t.Helper()
		vs, err := w.catalog.VersionsOf(t.Context(), find(w, name))
		must(t, err)
		return len(vs)
	}
	overwrite := func(name string, seed uint64) {
		t.Helper()
		w.pass(time.Second)
		w.sendAll(w.create(name, 10, asVersion).Session, content(seed, 10))
		w.pass(time.Second)
		must(t, w.putMany(w.whole(name, content(seed+1, 10), asVersion))[0].Err)
		if !bytes.Equal(w.read(name), content(seed+1, 10)) {
			t.Fatalf("the newest content of %s went", name)
		}
	}
	must(t, people.SaveProfile(t.Context(), w.who.User, account.Patch{KeepExt: &[]string{"txt", "md"}}))
	for name, want := range map[string]int{"/a.txt": 2, "/B.TXT": 2, "/c.tmp": 1, "/txt": 1, "/d.md.tmp": 1, "/.md": 2} {
		overwrite(name, 1)
		if got := kept(name); got != want {
			t.Errorf("%s has %d contents, want %d", name, got, want)
		}
	}
	if c := w.capacity(); c.Used != 90 || c.Reserved != 0 {
		t.Errorf("what was not kept is paid for: %+v", c)
	}
	must(t, people.SaveProfile(t.Context(), w.who.User, account.Patch{KeepExt: &[]string{}}))
	overwrite("/c.tmp", 3)
	if got := kept("/c.tmp"); got != 3 {
		t.Errorf("%d contents when no extension is named, want 3", got)
	}
}

func TestOldVersionsBeyondTheGroupsLimitGo(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i := range 13 {
		w.pass(time.Second)
		w.sendAll(w.create("/f", 10, asVersion).Session, content(uint64(i), 10))
	}
	vs, err := w.catalog.VersionsOf(t.Context(), find(w, "/f"))
	must(t, err)
	if len(vs) != 10 {
		t.Fatalf("%d versions", len(vs))
	}
	if !bytes.Equal(w.read("/f"), content(12, 10)) {
		t.Fatal("the newest content went")
	}
	if c := w.capacity(); c.Used != 100 {
		t.Fatalf("%+v", c)
	}
	_, err = w.catalog.Reap(t.Context(), 1, w.clock().Add(time.Second), 100)
	must(t, err)
	if finished, _ := w.blobs(); finished != 10 {
		t.Fatalf("%d blobs", finished)
	}
}

func TestALivePhotoIsACompanionAndNotTheContent(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.sendAll(w.create("/p.jpg", 5).Session, []byte("photo"))
	before := find(w, "/p.jpg")
	companion := func(q *upload.Request) { q.Purpose = upload.Companion }
	for range 2 {
		w.sendAll(w.create("/p.jpg", 7, companion).Session, []byte("moving!"))
	}
	n := find(w, "/p.jpg")
	if n.Version != before.Version || n.Size != 5 {
		t.Fatalf("%+v", n)
	}
	vs, err := w.catalog.VersionsOf(t.Context(), n)
	must(t, err)
	if len(vs) != 2 {
		t.Fatalf("%d versions: only the newest clip is kept", len(vs))
	}
}

func TestCompletionSetsTimeAndMetadata(t *testing.T) {
	t.Parallel()
	w := setup(t)
	when := time.Date(2023, 11, 14, 22, 13, 20, 123e6, time.UTC)
	s := w.create("/f", 3, func(q *upload.Request) {
		q.Modified, q.Meta = when, map[string]string{"tag:work": "#0055ff"}
	}).Session
	if n := find(w, "/f"); n.Shown()["tag:work"] != "" || n.Shown()["sys:upload_session_id"] != string(s.ID) {
		t.Fatalf("%v", n.Shown())
	}
	w.sendAll(s, []byte("abc"))
	n := find(w, "/f")
	if !n.Updated.Equal(when) || len(n.Shown()) != 1 || n.Shown()["tag:work"] != "#0055ff" {
		t.Fatalf("%v %v", n.Updated, n.Shown())
	}
}

func TestTheQuotaIsNeverExceededByAByte(t *testing.T) {
	t.Parallel()
	w := setup(t) // 1 MiB
	_, err := w.tryCreate("/big", 1<<20+1)
	wantReason(t, err, errs.QuotaFull)
	const each = 100 << 10
	var wg sync.WaitGroup
	var mu sync.Mutex
	fit := 0
	for i := range 50 {
		wg.Go(func() {
			_, err := w.tryCreate(fmt.Sprintf("/f%d", i), each)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				fit++
			} else if !errs.Has(err, errs.QuotaFull) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if c := w.capacity(); fit != 10 || c.Reserved != 10*each {
		t.Fatalf("%d fit, %+v", fit, c)
	}
	_, err = w.tryCreate("/last", 1<<20-10*each)
	must(t, err)
	_, err = w.tryCreate("/over", 1)
	wantReason(t, err, errs.QuotaFull)
	_, err = w.tryCreate("/nothing", 0)
	must(t, err)
}

func TestAUserHasABoundedNumberOfOpenUploads(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for i := range 1000 {
		w.create(fmt.Sprintf("/%d", i), 0)
	}
	_, err := w.tryCreate("/more", 0)
	wantReason(t, err, errs.TooManySessions)
}

func TestAFileIsEncryptedByTheServerUnlessTheClientDoesIt(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.setPolicy(func(p *catalog.Policy) { p.Encrypt, p.ChunkSize = true, 0 })
	data := content(9, 1000)
	stored := func(path string) []byte {
		v, err := w.store.Catalog().Version(t.Context(), find(w, path).Version)
		must(t, err)
		r, err := w.bucket.Open(t.Context(), v.Blob, core.Range{To: v.Size}, nil)
		must(t, err)
		defer r.Close()
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		must(t, err)
		return b.Bytes()
	}

	plain := w.create("/server", 1000)
	if plain.Cipher != nil {
		t.Fatal("a key for a client that cannot use it")
	}
	w.sendAll(plain.Session, data)

	can := func(q *upload.Request) { q.Ciphers = []string{blob.CipherName} }
	sealed := w.create("/client", 1000, can)
	if sealed.Cipher == nil {
		t.Fatal("no key for the client")
	}
	cipher := bytes.Clone(data)
	sealed.Cipher.Stream(0).XORKeyStream(cipher, cipher)
	w.sendAll(sealed.Session, cipher)

	other := w.create("/other", 1000, func(q *upload.Request) { q.Ciphers = []string{"rot13", blob.CipherName} })
	if other.Cipher != nil {
		t.Fatal("only the first cipher counts")
	}
	w.sendAll(other.Session, data)

	for _, path := range []string{"/server", "/client", "/other"} {
		if bytes.Equal(stored(path), data) {
			t.Errorf("%s: plaintext at rest", path)
		}
		if !bytes.Equal(w.read(path), data) {
			t.Errorf("%s: not what was sent", path)
		}
	}
	want, err := blob.Measure(blob.Write{Range: core.Range{To: 1000}, Body: bytes.NewReader(data)}, false)
	must(t, err)
	for _, path := range []string{"/server", "/client"} {
		v, err := w.store.Catalog().Version(t.Context(), find(w, path).Version)
		must(t, err)
		if v.CRC64 != want.CRC64 {
			t.Errorf("%s: the digest is not of the plaintext", path)
		}
	}
}

func TestAnEncryptedFileComesInAnyChunkOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.setPolicy(func(p *catalog.Policy) { p.Encrypt, p.ChunkSize = true, 1000 })
	data := content(9, 200_000)
	s := w.create("/f", int64(len(data))).Session
	if s.ChunkSize != 64<<10 {
		t.Fatalf("chunk size %d is not aligned", s.ChunkSize)
	}
	for _, i := range []int64{3, 0, 2, 1} {
		_, err := w.send(s, i, data)
		must(t, err)
	}
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestPutIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	q := upload.Request{Ref: at(t, "/f"), Size: 5, Purpose: upload.NewVersion}
	_, err := w.engine.Put(t.Context(), w.who, q, bytes.NewReader([]byte("abc")), nil)
	wantReason(t, err, errs.ChunkShort)
	if _, err := w.catalog.Find(t.Context(), w.who, at(t, "/f")); !errs.Has(err, errs.PathMissing) {
		t.Fatalf("a failed put left a file: %v", err)
	}
	n, err := w.engine.Put(t.Context(), w.who, q, bytes.NewReader([]byte("hello")), nil)
	must(t, err)
	if n.Size != 5 || string(w.read("/f")) != "hello" {
		t.Fatalf("%+v", n)
	}
	if c := w.capacity(); c.Used != 5 || c.Reserved != 0 {
		t.Fatalf("%+v", c)
	}
}
