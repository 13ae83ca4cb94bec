package policies_test

import (
	"bytes"
	"errors"
	"maps"
	"mime"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/app"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/test/rig"
)

// cases are the columns of the table, for bytes that go straight and for those that
// are relayed.
var cases = []struct {
	name            string
	direct, relayed func(*place)
}{
	{"upload", upload, relayed},
	{"resume", resume, resumeRelayed},
	{"cancel", cancel, cancelRelayed},
	{"expiry", expiry, expiryRelayed},
	{"lost callback", lost, lostRelayed},
	{"doubled callback", doubled, doubledRelayed},
	{"forged callback", forged, forgedRelayed},
	{"wrong size", wrongSize, wrongSizeRelayed},
	{"download", download, download},
	{"delete", remove, remove},
	{"doctor", doctor, doctorRelayed},
}

// TestEveryFaultOfAnUploadEndsWithOneFileOrNone is the table.
func TestEveryFaultOfAnUploadEndsWithOneFileOrNone(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real stores; left out in short mode")
	}
	passed := newTable()
	t.Run("stores", func(t *testing.T) {
		for _, w := range worlds {
			for _, way := range ways {
				t.Run(w.kind+"/"+way, func(t *testing.T) {
					t.Parallel()
					for _, c := range cases {
						t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
							do := c.direct
							if way == relay {
								do = c.relayed
							}
							do(newPlace(t, w.start, way == relay))
							passed.set(w.kind, way, c.name)
						})
					}
				})
			}
		}
	})
	passed.check(t)
}

// store puts a file there, either way.
func (p *place) put(name string) []byte {
	p.Helper()
	data := noise(p.size())
	u := p.create(name)
	if tags := p.sendAll(u, data); !p.relay {
		p.finish(u, tags)
	}
	return data
}

func upload(p *place) {
	data := p.put("f")
	p.one("f", data)
}

// relayed sends chunks in another order than they have.
func relayed(p *place) {
	data := noise(p.size())
	u := p.create("f")
	for n := u.parts() - 1; n >= 0; n-- {
		p.send(u, data, n)
	}
	p.one("f", data)
}

// resume is a client that died with its addresses, and a server that was started
// again.
func resume(p *place) {
	data := noise(p.size())
	u := p.create("f")
	p.send(u, data, 1)
	p.restart()
	var a struct {
		Parts       int
		UploadURLs  []string `json:"upload_urls"`
		CompleteURL string
		Completion  struct {
			Method, Body string
			Headers      map[string]string
		}
		Stored []struct {
			Index, Size int
			ETag        string
		}
	}
	p.api.Call(http.MethodGet, "/file/upload/"+u.SessionID+"/addresses?stored=true", nil, &a)
	if a.Parts != 2 || len(a.UploadURLs) != 2 || len(a.Stored) != 1 || a.Stored[0].Index != 1 || a.Stored[0].Size != len(u.part(data, 1)) {
		p.Fatalf("%+v", a)
	}
	end := http.Header{"Content-Type": {"application/octet-stream"}}
	maps.Copy(end, p.store.headers)
	for name := range end {
		if a.Completion.Headers[name] != end.Get(name) {
			p.Errorf("the end is to be sent with %v, and is signed with %v", a.Completion.Headers, end)
		}
	}
	if c := a.Completion; c.Method != http.MethodPost || (c.Body == "none") != p.store.bare || len(c.Headers) != len(end) {
		p.Errorf("the end is to be %+v", c)
	}
	u.UploadURLs, u.CompleteURL = a.UploadURLs, a.CompleteURL
	p.finish(u, []string{p.send(u, data, 0), a.Stored[0].ETag})
	p.one("f", data)
}

func resumeRelayed(p *place) {
	data := noise(p.size())
	u := p.create("f")
	p.send(u, data, 2)
	p.send(u, data, 0)
	p.restart()
	left := p.api.Unfinished()
	if len(left) != 1 || !left[0].Has(0, 1<<20) || left[0].Has(1<<20, 2<<20) || !left[0].Has(2<<20, int64(u.size)) {
		p.Fatalf("%+v", left)
	}
	p.send(u, data, 1)
	p.one("f", data)
}

// cancel gives up in the middle, and after the store has all.
func cancel(p *place) {
	data := noise(p.size())
	u := p.create("half")
	p.send(u, data, 0)
	p.cancel(u, "half")
	p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "401 40011")
	p.none()

	p.deaf.Store(true)
	u = p.create("whole")
	p.complete(u, p.sendAll(u, data))
	p.cancel(u, "whole")
	p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "401 40011")
	p.none()
}

func cancelRelayed(p *place) {
	data := noise(p.size())
	u := p.create("half")
	p.send(u, data, 0)
	p.cancel(u, "half")
	if err := p.api.Send(u.SessionID, 1, u.part(data, 1), nil); rig.Code(err) != 40011 {
		p.Errorf("a chunk of a cancelled upload: %v", err)
	}
	p.none()
}

// expiry lets two run out: the store has some of one, and all of the other.
func expiry(p *place) {
	data := noise(p.size())
	p.deaf.Store(true)
	half, whole := p.create("half"), p.create("whole")
	p.send(half, data, 0)
	p.complete(whole, p.sendAll(whole, data))
	p.later.Add(int64(6 * time.Minute))
	p.until("the half one is gone", 0, func() bool { return len(p.api.List(uri(""))) == 1 })
	p.until("the whole one is there", 0, func() bool { _, reserved := p.api.Capacity(); return reserved == 0 })
	p.one("whole", data)
	p.wantCall(half, p.store.calls, p.store.policy.Type, half.CallbackSecret, "401 40011")
}

func expiryRelayed(p *place) {
	data := noise(p.size())
	u := p.create("half")
	p.send(u, data, 0)
	p.later.Add(int64(6 * time.Minute))
	p.until("it is gone", 0, func() bool { return len(p.api.List(uri(""))) == 0 })
	if err := p.api.Send(u.SessionID, 1, u.part(data, 1), nil); rig.Code(err) != 40011 {
		p.Errorf("a late chunk: %v", err)
	}
	p.none()
}

// lost loses the callback, and with the second file the completion too. The
// callback comes after all, late.
func lost(p *place) {
	data := noise(p.size())
	p.deaf.Store(true)
	u := p.create("f")
	p.complete(u, p.sendAll(u, data))
	p.restart()
	p.appears("f")
	p.one("f", data)
	p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "200 0")
	p.one("f", data)

	p.api.Call(http.MethodDelete, "/file", map[string]any{"uris": []string{uri("f")}, "skip_soft_delete": true}, nil)
	p.none()
	p.sendAll(p.create("g"), data)
	p.appears("g")
	p.one("g", data)
}

func (p *place) appears(name string) {
	p.Helper()
	p.until(name+" is completed", 10*time.Second, func() bool { _, reserved := p.api.Capacity(); return reserved == 0 })
}

// lostRelayed loses the answer to the last chunk: the client sends it again.
func lostRelayed(p *place) {
	data := p.put("f")
	var u ticket
	p.api.Call(http.MethodPut, "/file/upload", map[string]any{"uri": uri("g"), "size": len(data)}, &u)
	u.size = len(data)
	p.sendAll(u, data)
	p.send(u, data, u.parts()-1)
	p.restart()
	p.send(u, data, u.parts()-1)
	p.api.Call(http.MethodDelete, "/file", map[string]any{"uris": []string{uri("f")}, "skip_soft_delete": true}, nil)
	p.until("the first is gone", time.Second, func() bool { return p.store.objects() == 1 })
	p.one("g", data)
}

// doubled makes the callback again, many times at once, and by another method.
func doubled(p *place) {
	data := noise(p.size())
	p.deaf.Store(true)
	u := p.create("f")
	p.complete(u, p.sendAll(u, data))
	p.later.Add(int64(time.Minute)) // the reconciler is there too
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "200 0") })
	}
	all.Wait()
	p.one("f", data)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		p.wantCall(u, method, p.store.policy.Type, u.CallbackSecret, "200 0")
	}
	p.one("f", data)
}

// doubledRelayed sends each chunk three times, at once.
func doubledRelayed(p *place) {
	data := noise(p.size())
	u := p.create("f")
	var all sync.WaitGroup
	for i := range 3 * u.parts() {
		all.Go(func() {
			if err := p.api.Send(u.SessionID, i/3, u.part(data, i/3), nil); err != nil {
				p.Errorf("chunk %d: %v", i/3, err)
			}
		})
	}
	all.Wait()
	p.one("f", data)
}

// forged says that an upload is complete which is not, by anybody and in every way.
func forged(p *place) {
	data := noise(p.size())
	u := p.create("f")
	kind, other := p.store.policy.Type, "s3"
	if kind == other {
		other = "cos"
	}
	p.send(u, data, 0)
	for _, c := range []struct{ kind, secret, want string }{
		{kind, strings.Repeat("x", len(u.CallbackSecret)), "401 40020"},
		{kind, "x", "401 40020"},
		{other, u.CallbackSecret, "401 40006"},
		{kind, u.CallbackSecret, "400 40055"}, // too early
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			p.wantCall(u, method, c.kind, c.secret, c.want)
		}
	}
	if sign := p.store.sign; sign != nil {
		const refused = `401 {"error":"Failed to verify callback request."}`
		p.store.sign = nil
		p.wantCall(u, http.MethodPost, kind, u.CallbackSecret, refused)
		p.store.sign = func(address string, _ []byte) http.Header { return sign(address+"x", nil) }
		p.wantCall(u, http.MethodPost, kind, u.CallbackSecret, refused)
		p.store.sign = sign
	}
	unknown := u
	unknown.SessionID = "00000000-0000-4000-8000-000000000000"
	p.wantCall(unknown, p.store.calls, kind, u.CallbackSecret, "401 40011")
	if err := p.api.Send(u.SessionID, 0, u.part(data, 0), nil); rig.Code(err) != 40006 {
		p.Errorf("a chunk sent to us: %v", err)
	}
	if _, reserved := p.api.Capacity(); reserved != int64(u.size) {
		p.Errorf("reserved %d after all that", reserved)
	}
	p.finish(u, p.sendAll(u, data))
	p.wantCall(u, p.store.calls, kind, "x", "401 40020")
	p.one("f", data)
}

func forgedRelayed(p *place) {
	data := noise(p.size())
	u := p.create("f")
	p.send(u, data, 0)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		p.wantCall(u, method, p.store.policy.Type, "x", "401 40020")
		p.wantCall(u, method, p.store.policy.Type, u.CallbackSecret, "401 40006")
	}
	p.sendAll(u, data)
	p.one("f", data)
}

// wrongSize sends a last part that is shorter, and one that is longer than announced.
// A store whose addresses pin the length refuses it; where it does not, the upload is
// none.
func wrongSize(p *place) {
	data := noise(p.size())
	p.deaf.Store(true)
	for name, last := range map[string][]byte{"short": data[:3], "long": data[:8]} {
		u := p.create(name)
		tags := []string{p.send(u, data, 0)}
		if status, h, _ := p.ask(http.MethodPut, u.UploadURLs[1], last, nil); status == http.StatusOK {
			tags = append(tags, h.Get("ETag"))
		}
		p.complete(u, tags)
		p.wantCall(u, p.store.calls, p.store.policy.Type, u.CallbackSecret, "400 40055")
	}
	p.later.Add(int64(6 * time.Minute))
	p.until("they are gone", 0, func() bool { return len(p.api.List(uri(""))) == 0 })
	p.none()
}

// wrongSizeRelayed sends chunks that are too short and too long; then the right one.
func wrongSizeRelayed(p *place) {
	data := noise(p.size())
	u := p.create("f")
	for _, body := range [][]byte{data[:3], data[:u.ChunkSize+1], nil} {
		if err := p.api.Send(u.SessionID, 0, body, nil); rig.Code(err) != 40013 {
			p.Errorf("a chunk of %d bytes: %v", len(body), err)
		}
	}
	p.sendAll(u, data)
	p.one("f", data)
}

// download reads all, some bytes in the middle, and from there to the end, by a name
// that is not plain.
func download(p *place) {
	const name = "größer & kleiner 50%.bin"
	data := p.put(name)
	h, got := p.download(name, nil)
	if string(got) != string(data) {
		p.Errorf("%d other bytes", len(got))
	}
	if kind, how, err := mime.ParseMediaType(h.Get("Content-Disposition")); err != nil || kind != "attachment" || how["filename"] != name {
		p.Errorf("saved as %q: %v", h.Get("Content-Disposition"), err)
	}
	for r, want := range map[string][]byte{"bytes=100-199": data[100:200], "bytes=1048576-": data[1<<20:]} {
		if _, got := p.download(name, http.Header{"Range": {r}}); string(got) != string(want) {
			p.Errorf("%s: %d bytes", r, len(got))
		}
	}
}

// remove deletes the file for good; the store does not keep it.
func remove(p *place) {
	p.put("f")
	p.api.Call(http.MethodDelete, "/file", map[string]any{"uris": []string{uri("f")}, "skip_soft_delete": true}, nil)
	p.none()
}

// doctor finds what an older backup of the database does not know: an object and an
// unfinished upload. They stay until they are to be set right; the file stays whole.
// A store that does not answer is one finding, and the others are looked at.
func doctor(p *place) { examine(p, 1) }

// doctorRelayed: what is gathered for the store is here, and went with the backup.
func doctorRelayed(p *place) { examine(p, 0) }

func examine(p *place, open int) {
	data := p.put("f")
	p.stop()
	p.healthy()
	backup := filepath.Join(p.TempDir(), "backup")
	p.copy(p.config.Data, backup)
	p.begin()
	lost := p.put("g")
	if open > 0 {
		u := p.create("h")
		p.send(u, lost, 0)
	}
	p.stop()
	if err := os.RemoveAll(p.config.Data); err != nil {
		p.Fatal(err)
	}
	p.copy(backup, p.config.Data)

	p.store.age(p, catalog.Settling+time.Minute)
	p.found(app.Checkup{}, map[catalog.Trouble]int{catalog.BlobStray: 1, catalog.StagedStray: open})
	if p.store.objects() != 2 || p.store.open() != open {
		p.Errorf("after a dry run the store has %d objects and %d unfinished uploads", p.store.objects(), p.store.open())
	}
	config := p.config
	p.config.Vendors = silent{}
	p.found(app.Checkup{Fix: true}, map[catalog.Trouble]int{catalog.StorageSilent: 1})
	p.config = config
	d := p.found(app.Checkup{Fix: true}, map[catalog.Trouble]int{catalog.BlobStray: 1, catalog.StagedStray: open})
	if d.Left() != 0 {
		p.Errorf("%d findings are left: %+v", d.Left(), d.Findings)
	}
	if p.store.objects() != 2 || p.store.open() != 0 {
		p.Errorf("the store has %d objects and %d unfinished uploads; what is set aside is kept, and nothing is open", p.store.objects(), p.store.open())
	}
	p.healthy()
	p.begin()
	if _, got := p.download("f", nil); !bytes.Equal(got, data) {
		p.Errorf("the file has %d other bytes", len(got))
	}
}

// copy copies a folder with the rights of its files.
func (p *place) copy(from, to string) {
	p.Helper()
	if out, err := exec.CommandContext(p.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		p.Fatalf("%v: %s", err, out)
	}
}

// silent is a store that nobody reaches.
type silent struct{}

func (silent) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody answers")
}

func (p *place) healthy() { p.found(app.Checkup{}, nil) }

// found is what the doctor says, which must be so many of each trouble.
func (p *place) found(c app.Checkup, want map[catalog.Trouble]int) app.Diagnosis {
	p.Helper()
	b, err := app.OpenBase(p.Context(), p.config)
	if err != nil {
		p.Fatal(err)
	}
	d, err := b.Doctor(p.Context(), c)
	if err = errors.Join(err, b.Close()); err != nil {
		p.Fatal(err)
	}
	got := map[catalog.Trouble]int{}
	for _, f := range d.Findings {
		got[f.Trouble]++
	}
	maps.DeleteFunc(want, func(_ catalog.Trouble, n int) bool { return n == 0 })
	if !maps.Equal(got, want) {
		p.Errorf("the doctor says %+v, want %v", d.Findings, want)
	}
	return d
}
