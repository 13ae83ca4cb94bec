package chaos_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// chunkSize is small, so that most of an upload is its seams.
const chunkSize = 64 << 10

// mark is what the client knows of something it asked for.
type mark uint8

const (
	no    mark = iota // never asked, or refused
	maybe             // asked, and no answer came
	yes               // acknowledged
)

// content is bytes that can be made again.
type content struct {
	seed uint64
	size int
}

func (c content) bytes() []byte {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(c.seed >> (8 * i))
	}
	b := make([]byte, c.size)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

func (c content) sum() string { return sumOf(c.bytes()) }

func sumOf(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// pending is an upload that the client has not seen end.
type pending struct {
	content
	session string // "": its creation was not answered
	chunk   int    // bytes in one
	chunks  []mark
	cancel  mark
	freed   mark // its owner has taken its lock away: no chunk is taken any more
	unsure  bool // its creation was not answered and nothing was acknowledged since: it may end by itself
}

func uploadOf(c content, chunk int) *pending {
	return &pending{content: c, chunk: chunk, chunks: make([]mark, max(1, (c.size+chunk-1)/max(1, chunk)))}
}

func (p *pending) span(i int) (from, to int64) {
	return int64(i * p.chunk), int64(min((i+1)*p.chunk, p.size))
}

func (p *pending) part(b []byte, i int) []byte {
	from, to := p.span(i)
	return b[from:to]
}

func (p *pending) all(least mark) bool {
	return !slices.ContainsFunc(p.chunks, func(m mark) bool { return m < least })
}

// file is what the client knows of one file.
type file struct {
	mu      sync.Mutex
	at      *place
	names   []string  // it has one of these; "" means that it is not there
	stored  []content // its versions, the newest last
	up      *pending
	putting *content // sent whole, unanswered
}

func (f *file) uri(name string) string { return f.at.uri() + "/" + name }

// called gives the file other names it may have.
func (f *file) called(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = names
}

// label names the file for the journal; anybody may ask.
func (f *file) label() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at.dir() + "/" + strings.Join(f.names, "|")
}

func (f *file) settled() bool {
	return f.up == nil && f.putting == nil && len(f.names) == 1 && len(f.stored) > 0
}

// world is a server, what its client was told, and the judge between them.
type world struct {
	t       *testing.T
	srv     *rig.Server
	api     *rig.API
	seed    uint64
	journal *os.File
	live    bool      // judging a server that was not started anew: what waits for its sweep may be there
	emptied time.Time // when the judge last emptied the trash

	dark  atomic.Bool  // the power is off: what answers now is a ghost
	quiet atomic.Int64 // acknowledgements until the fault
	due   chan struct{}

	small bool // files of one chunk

	mu     sync.Mutex
	rnd    *rand.Rand
	places []*place
	files  []*file
	serial int
	broken []string
	counts map[string]int
}

// newWorld begins a world whose data is in dir.
func newWorld(t *testing.T, dir string, rnd *rand.Rand, seed uint64) *world {
	t.Helper()
	return prepareWorld(t, dir, rnd, seed).begin()
}

// newSmallWorld is newWorld for files of one chunk.
func newSmallWorld(t *testing.T, dir string, rnd *rand.Rand, seed uint64) *world {
	t.Helper()
	w := prepareWorld(t, dir, rnd, seed)
	w.small = true
	return w.begin()
}

// prepareWorld is newWorld before its server was started.
func prepareWorld(t *testing.T, dir string, rnd *rand.Rand, seed uint64) *world {
	t.Helper()

	journal, err := os.Create(filepath.Join(workspace(t), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, srv: rig.NewServer(t), rnd: rnd, seed: seed, journal: journal, counts: map[string]int{}}
	t.Cleanup(func() { _ = journal.Close() })
	w.srv.Data = filepath.Join(dir, "data")
	w.srv.Pause = 3e6
	return w
}

// begin starts the server for the first time and signs in.
func (w *world) begin() *world {
	w.t.Helper()
	w.srv.Admin("policy", "set", "default", "--chunk-size", fmt.Sprintf("%dKiB", w.chunkSize()>>10))
	w.srv.Start()
	w.api = rig.NewAPI(w.t, w.srv.URL())
	return w
}

func (w *world) chunkSize() int {
	if w.small {
		return 8 * chunkSize
	}
	return chunkSize
}

// forget begins another life on empty data: what was counted stays counted.
func (w *world) forget() { w.files, w.places = nil, nil }

// later does something while the clients work: a random number of acknowledgements from
// now, and a moment after. It counts requests, as a clock would find a busy machine
// doing nothing. The channel tells when it is done.
func (w *world) later(do func() error) <-chan error {
	w.due = make(chan struct{})
	w.quiet.Store(int64(1 + w.roll(60)))
	moment := time.Duration(w.roll(20_000)) * time.Microsecond
	done := make(chan error, 1)
	go func() {
		select {
		case <-w.due:
		case <-time.After(20 * time.Second):
		}
		time.Sleep(moment)
		done <- do()
	}()
	return done
}

func (w *world) count(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what] += n
}

func (w *world) roll(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

func (w *world) fresh(size int) content {
	w.mu.Lock()
	defer w.mu.Unlock()
	return content{w.rnd.Uint64(), size}
}

// violated notes that a promise does not hold.
func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// fail ends the test if anything was violated.
func (w *world) fail(when string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.broken) == 0 {
		return
	}
	w.counts["violations"] += len(w.broken)
	w.t.Fatalf("%s, seed %d:\n  %s\nthe client's journal ends with:\n%s", when, w.seed, strings.Join(w.broken, "\n  "), rig.Tail(w.journal.Name(), 3000))
}

// note writes one line of the client's history.
func (w *world) note(op string, f *file, extra any, err error) {
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	name := ""
	if f != nil {
		name = f.label()
	}
	line, _ := json.Marshal([]any{op, name, extra, outcome})
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.journal.Write(append(line, '\n'))
}

// judge compares the server with what the client was told, and takes over as certain
// what was open. Nobody else may be talking to the server.
func (w *world) judge() {
	a := w.api
	emptied := w.emptyTrash()
	byPath, folders := map[string]rig.File{}, map[string]bool{}
	for _, f := range a.List("cloudreve://my") {
		if f.Type == 0 {
			byPath[f.Path] = f
		} else {
			folders[f.Path] = true
		}
	}
	for _, p := range w.places {
		w.judgePlace(p, folders)
	}
	open := map[string]rig.Upload{}
	var reserved int64
	for _, u := range a.Unfinished() {
		if u.State != "open" && !w.live {
			w.violated("upload %s of %s is %q after a restart", u.Session, u.URI, u.State)
		}
		open[u.Session] = u
		reserved += u.Size
	}

	var used int64
	var versions int
	kept := w.files[:0]
	for _, f := range w.files {
		there := w.judgeFile(f, byPath, open)
		if there {
			kept = append(kept, f)
		}
		f.at.seen(there)
		for _, c := range f.stored {
			used += int64(c.size)
			versions++
		}
	}
	w.files = kept
	for _, p := range w.places {
		w.judgeDelete(p)
	}
	for p := range byPath {
		w.violated("%s is listed, and the client knows nothing of it", p)
	}
	for id, u := range open {
		w.violated("upload %s of %s is unfinished, and the client knows nothing of it", id, u.URI)
	}
	if !emptied {
		w.count("verdicts without the ledger, for the trash could not be emptied", 1)
		return
	}
	if u, r := a.Capacity(); u-r != used || r != reserved {
		w.violated("the ledger says %d used and %d reserved; the listing adds up to %d and %d", u-r, r, used, reserved)
	}
	w.count("verdicts", 1)
	if !w.live {
		w.audit(versions, w.counts["verdicts"]%10 == 0)
	}
}

// emptyTrash deletes for good what was deleted into the trash, where it still counts
// as used. False where a full disk is in the way.
func (w *world) emptyTrash() bool {
	if len(w.api.List("cloudreve://trash")) == 0 {
		return true
	}
	w.emptied = time.Now()
	err := w.api.Try(http.MethodDelete, "/file/trash", nil, nil)
	if err != nil && !w.live {
		w.violated("the trash cannot be emptied: %v", err)
	}
	if err == nil {
		w.count("times the trash was emptied", 1)
	}
	return err == nil
}

// judgeFile takes what is the file's out of what was listed. It reports whether the
// file is there.
func (w *world) judgeFile(f *file, byPath map[string]rig.File, open map[string]rig.Upload) bool {
	var found []string
	for _, n := range f.names {
		if _, ok := byPath[f.uri(n)]; n != "" && ok && !slices.Contains(found, n) {
			found = append(found, n)
		}
	}
	if len(found) > 1 {
		w.violated("%s is there under two names: %v", f.at.dir(), found)
	}
	if len(found) == 0 {
		if !slices.Contains(f.names, "") && (f.up == nil || !f.up.unsure) {
			w.violated("%s is gone: %s", f.uri(f.names[0]), f.describe())
		}
		f.stored, f.up = nil, nil
		return false
	}
	name := found[0]
	f.names = []string{name}
	delete(byPath, f.uri(name))

	if f.up != nil {
		w.judgeUpload(f, name, open)
	}
	if f.putting != nil {
		w.judgePut(f, name, open)
	}
	if len(f.stored) == 0 {
		return f.up != nil
	}
	want := f.stored[len(f.stored)-1]
	if got, err := w.api.Sum(f.uri(name)); err != nil {
		w.violated("%s cannot be read: %v", f.uri(name), err)
	} else if got != want.sum() {
		w.violated("%s (%d bytes) has SHA-256 %s, %s was acknowledged", f.uri(name), want.size, got, want.sum())
	}
	w.count("downloads compared", 1)
	return true
}

func (f *file) describe() string {
	text := fmt.Sprintf("%d versions", len(f.stored))
	if f.up != nil {
		text += fmt.Sprintf(", upload %s of %d bytes, chunks %v, cancel %d", f.up.session, f.up.size, f.up.chunks, f.up.cancel)
	}
	return text
}

// judgePut settles a content that was sent whole and not answered: it is the newest
// version, or has no effect, or is an upload of one chunk that can go on.
func (w *world) judgePut(f *file, name string, open map[string]rig.Upload) {
	c := *f.putting
	f.putting = nil
	for id, u := range open {
		if u.URI == f.uri(name) {
			delete(open, id)
			f.up = uploadOf(c, max(1, c.size))
			f.up.session, f.up.unsure = id, true
			f.up.chunks[0] = maybe // it was sent whole; what waits to be completed will be
			w.count("half a PUT found as an upload", 1)
			return
		}
	}
	if got, err := w.api.Sum(f.uri(name)); err == nil && got == c.sum() {
		f.stored = append(f.stored, c)
	}
}

func (w *world) judgeUpload(f *file, name string, open map[string]rig.Upload) {
	up := f.up
	if up.session == "" { // its creation was not answered
		for id, u := range open {
			if u.URI == f.uri(name) {
				up.session, up.unsure = id, true
			}
		}
		if up.session == "" {
			if len(f.stored) == 0 {
				w.violated("%s is there, but its upload is not", f.uri(name))
			}
			f.up = nil
			return
		}
	}
	u, isOpen := open[up.session]
	delete(open, up.session)
	if !isOpen {
		w.judgeEnded(f, name)
		return
	}
	if up.cancel == yes {
		w.violated("upload %s was cancelled, and is open", up.session)
	}
	up.cancel = no
	complete := true
	for i, m := range up.chunks {
		has := u.Has(up.span(i))
		complete = complete && has
		switch {
		case m == yes && !has:
			w.violated("chunk %d of %s (upload %s) was acknowledged and is lost; received: %v", i, f.uri(name), up.session, u.Received)
		case m == no && has:
			w.violated("chunk %d of %s (upload %s) was never sent whole, and counts as received", i, f.uri(name), up.session)
		case has:
			up.chunks[i] = yes
			w.count("chunks found", 1)
		default:
			up.chunks[i] = no
		}
	}
	if complete && up.size > 0 && !w.live {
		w.violated("upload %s of %s has all its chunks and is not complete", up.session, f.uri(name))
	}
}

// judgeEnded looks what became of an upload that is not open any more.
func (w *world) judgeEnded(f *file, name string) {
	up := f.up
	f.up = nil
	got, err := w.api.Sum(f.uri(name))
	if err == nil && got == up.sum() && up.all(maybe) {
		f.stored = append(f.stored, up.content)
		if up.cancel == yes {
			w.violated("upload %s was cancelled, and is complete", up.session)
		}
		return
	}
	switch {
	case up.all(yes):
		w.violated("%s was acknowledged as complete; it reads %q (%v), %q was sent", f.uri(name), got, err, up.sum())
	case up.cancel == no && !up.unsure:
		w.violated("upload %s of %s is gone: %v of its chunks were acknowledged; the file reads %v", up.session, f.uri(name), up.chunks, err)
	case len(f.stored) == 0:
		w.violated("upload %s was cancelled, and its empty file %s is there", up.session, f.uri(name))
	}
}

// probe asks again for what the judge has just found: chunks that are in are compared,
// not written, and what is unfinished goes on. finish says which share of the uploads
// is sent to the end, in per cent.
func (w *world) probe(finish int) {
	for _, f := range slices.Clone(w.files) {
		if f.up == nil {
			continue
		}
		if f.up.freed != no {
			w.giveUp(f)
			continue
		}
		b := f.up.bytes()
		asked := 0
		for i, m := range f.up.chunks {
			if m != yes || asked == 3 {
				continue
			}
			asked++
			body := f.up.part(b, i)
			if len(body) > 0 {
				flipped := slices.Clone(body)
				flipped[w.roll(len(flipped))] ^= 1 << w.roll(8)
				if err := w.api.Send(f.up.session, i, flipped, nil); rig.Code(err) != http.StatusConflict {
					w.violated("chunk %d of %s with one bit flipped got %v instead of 409", i, f.up.session, err)
				}
			}
			if err := w.api.Send(f.up.session, i, body, nil); err != nil {
				w.violated("chunk %d of %s, sent again as it was, got %v", i, f.up.session, err)
			}
			w.count("chunks compared", 1)
		}
		if w.roll(100) < finish {
			w.resume(f, b)
		}
	}
}

// sessionGone is the code of an upload that is over.
const sessionGone = 40011

// resume sends what is missing; the upload must come to its end.
func (w *world) resume(f *file, b []byte) {
	whole := f.up.all(yes) // and not complete: the completion has failed, any chunk asks for it again
	for i, m := range f.up.chunks {
		if m == yes && !whole {
			continue
		}
		err := w.api.Send(f.up.session, i, f.up.part(b, i), nil)
		if rig.Code(err) == sessionGone && f.up.unsure && w.live {
			w.count("half made uploads that wait for a sweep", 1)
			return
		}
		f.up.unsure = false
		if err != nil {
			w.violated("going on with %s at chunk %d: %v", f.up.session, i, err)
			return
		}
	}
	f.stored = append(f.stored, f.up.content)
	f.up = nil
	if got, err := w.api.Sum(f.uri(f.names[0])); err != nil || got != f.stored[len(f.stored)-1].sum() {
		w.violated("%s was resumed to its end and reads %s (%v)", f.uri(f.names[0]), got, err)
	}
	w.count("uploads resumed to the end", 1)
}
