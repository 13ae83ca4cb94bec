package chaos_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wharfinger/wharfinger/test/rig"
)

// worker is one user's client. It works on its own files, so that what it was told is
// not disturbed by the others.
type worker struct {
	*world
	id   int
	dead atomic.Bool // the server does not answer as a whole one does any more
}

// batchFailed is around the failures of requests that take several files.
const batchFailed = 40081

// took judges one answer to a request that ought to succeed.
func (k *worker) took(op string, f *file, extra any, err error) mark {
	dark := k.dark.Load()
	k.note(op, f, extra, err)
	switch code := rig.Code(err); {
	case err == nil && dark:
		// No machine answers after its power has gone. Here one can: a sync that the
		// shutdown meets half way may return success.
		k.count("answers after the cut, not counted", 1)
	case err == nil:
		if k.quiet.Add(-1) == 0 {
			close(k.due)
		}
		k.count("acknowledged: "+op, 1)
		return yes
	case code == 0:
		// No answer, or half of one.
	case code >= 50000 || code < 0 || code == batchFailed:
		k.count("failed with a code", 1)
	default:
		k.violated("%s of %s got %v: a fault of the machine is told as one of the client", op, f.label(), err)
	}
	k.dead.Store(true)
	return maybe
}

// work runs the clients until each has met a dead server, or has done enough.
func (w *world) work(workers, steps int) {
	var all sync.WaitGroup
	for id := range workers {
		k := &worker{world: w, id: id}
		all.Go(func() {
			for n := 0; n < steps && !k.dead.Load(); n++ {
				k.step()
			}
		})
	}
	all.Wait()
}

// mine picks a file of the worker's that pleases, or nil.
func (k *worker) mine(pleases func(*file) bool) *file { return k.among(k.home(), pleases) }

// among picks a file in p.
func (k *worker) among(p *place, pleases func(*file) bool) *file {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*file
	for _, f := range k.files {
		if f.at == p && pleases(f) {
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[k.rnd.IntN(len(all))]
}

// home is where most files of the worker are; nothing happens to its folders.
func (k *worker) home() *place { return k.place(fmt.Sprintf("w%d", k.id)) }

func (k *worker) step() {
	most := 25 // files of one worker
	if k.small {
		most = 12
	}
	done := k.mine((*file).settled)
	half := k.mine(unfinished)
	dice := k.roll(100)
	if k.mine(func(*file) bool { return true }) != nil && k.owned() > most {
		dice = 95
	}
	switch {
	case dice < 15 && half != nil:
		k.send(half, 100)
	case dice < 25 && done != nil && len(done.stored) < 5:
		k.create(done)
	case dice < 33 && done != nil:
		k.rename(done)
	case dice < 38 && done != nil:
		k.refused(done)
	case dice < 45:
		k.put(done)
	case dice < 52:
		k.upheave()
	case dice >= 90 && done != nil:
		k.discard(done, k.roll(2) == 0)
	default:
		k.create(nil)
	}
}

// unfinished reports whether an upload of the file can go on.
func unfinished(f *file) bool {
	return f.up != nil && f.up.session != "" && !f.up.unsure && f.up.freed == no
}

func (k *worker) owned() (n int) {
	home := k.home()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.files {
		if f.at == home {
			n++
		}
	}
	return n
}

// add makes a file known to the judge before anybody else hears of it.
func (k *worker) add() *file { return k.addTo(k.home()) }

func (k *worker) addTo(p *place) *file {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.serial++
	f := &file{at: p, names: []string{fmt.Sprintf("f%d.bin", k.serial), ""}}
	k.files = append(k.files, f)
	return f
}

func (k *worker) drop(f *file) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files = slices.DeleteFunc(k.files, func(x *file) bool { return x == f })
}

// size is empty, small, one chunk, or up to a dozen with an odd last one.
func (k *worker) size() int {
	switch dice := k.roll(100); {
	case k.small && dice < 80:
		return k.roll(16 << 10)
	case k.small:
		return k.roll(256<<10 + 1)
	case dice < 4:
		return 0
	case dice < 40:
		return 1 + k.roll(8<<10)
	case dice < 50:
		return chunkSize
	default:
		return chunkSize + 1 + k.roll(11*chunkSize)
	}
}

// create begins an upload, of a new file or of a version of f, and sends some of it.
func (k *worker) create(f *file) {
	if f = k.begin(f, k.size()); f == nil {
		return
	}
	switch dice := k.roll(100); {
	case dice < 12:
		k.send(f, 50)
		k.cancel(f)
	case dice < 24:
		k.send(f, 60) // goes on another time
	default:
		k.send(f, 100)
	}
}

// begin opens an upload; nil if that was not acknowledged.
func (k *worker) begin(f *file, size int) *file {
	in := map[string]any{}
	if f == nil {
		f = k.add()
	} else {
		in["entity_type"] = "version"
	}
	name := f.names[0]
	c := k.fresh(size)
	in["uri"], in["size"] = f.uri(name), c.size
	f.up = uploadOf(c, k.chunkSize())
	var ticket struct {
		SessionID string `json:"session_id"`
		ChunkSize int    `json:"chunk_size"`
	}
	if k.took("create", f, c.size, k.api.Try(http.MethodPut, "/file/upload", in, &ticket)) != yes {
		return nil
	}
	if ticket.ChunkSize != k.chunkSize() {
		k.violated("the session has chunks of %d bytes", ticket.ChunkSize)
	}
	f.names = []string{name}
	f.up.session = ticket.SessionID
	return f
}

// send sends so many per cent of what is missing: in random order, four at a time,
// some twice.
func (k *worker) send(f *file, percent int) {
	up := f.up
	if up == nil || k.dead.Load() {
		return
	}
	b := up.bytes()
	var todo []int
	for i, m := range up.chunks {
		if m != yes {
			todo = append(todo, i)
		}
	}
	k.mu.Lock()
	k.rnd.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
	if percent < 100 {
		todo = todo[:len(todo)*percent/100]
	} else if len(todo) > 1 && k.rnd.IntN(3) == 0 {
		todo = append(todo, todo[0]) // a retry of what did arrive
	}
	k.mu.Unlock()
	work := make(chan int, len(todo))
	for _, i := range todo {
		work <- i
	}
	close(work)
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for i := range work {
				if k.dead.Load() {
					return
				}
				k.chunk(f, up, i, up.part(b, i))
			}
		})
	}
	senders.Wait()
	if up.all(yes) && !k.dead.Load() {
		f.mu.Lock()
		f.stored = append(f.stored, up.content)
		f.up = nil
		f.mu.Unlock()
		k.count("acknowledged: completion", 1)
	}
}

func (k *worker) chunk(f *file, up *pending, i int, body []byte) {
	if len(body) > 0 && k.roll(20) == 0 {
		k.flipped(f, up, i, body)
	}
	f.mu.Lock()
	up.chunks[i] = max(up.chunks[i], maybe)
	f.mu.Unlock()
	err := k.api.Send(up.session, i, body, nil)
	if k.told(f, up, err) {
		return
	}
	got := k.took("chunk", f, i, err)
	f.mu.Lock()
	up.chunks[i] = max(up.chunks[i], got)
	f.mu.Unlock()
}

// flipped sends the chunk with one bit wrong and the digest of the right one: it must be
// refused and must not count.
func (k *worker) flipped(f *file, up *pending, i int, body []byte) {
	wrong := slices.Clone(body)
	wrong[k.roll(len(wrong))] ^= 1 << k.roll(8)
	err := k.api.Send(up.session, i, wrong, digest(body))
	k.note("flipped", f, i, err)
	switch code := rig.Code(err); {
	case k.told(f, up, err):
	case err == nil:
		k.violated("chunk %d of %s was acknowledged with a bit that its Content-Digest contradicts", i, up.session)
	case code == 0, code >= 50000 && code != 50004:
		k.dead.Store(true)
	case code != 50004 && code != http.StatusConflict:
		k.violated("chunk %d of %s with a wrong bit got %v", i, up.session, err)
	default:
		k.count("refused: wrong digest", 1)
	}
}

func digest(body []byte) http.Header {
	s := sha256.Sum256(body)
	return http.Header{"Content-Digest": {"sha-256=:" + base64.StdEncoding.EncodeToString(s[:]) + ":"}}
}

func (k *worker) cancel(f *file) {
	if k.dead.Load() || f.up == nil {
		return
	}
	name := f.names[0]
	fresh := len(f.stored) == 0
	f.up.cancel = maybe
	if fresh {
		f.names = []string{name, ""}
	}
	if k.took("cancel", f, nil, k.api.Try(http.MethodDelete, "/file/upload", map[string]string{"id": f.up.session, "uri": f.uri(name)}, nil)) != yes {
		return
	}
	if f.up.size > 0 && !slices.Contains(f.up.chunks, no) {
		// The server may have completed it before, whatever the last chunk was told:
		// then it stays.
		if got, err := k.api.Sum(f.uri(name)); err == nil && got == f.up.sum() {
			f.names, f.stored, f.up = []string{name}, append(f.stored, f.up.content), nil
			return
		}
	}
	f.up = nil
	if fresh {
		k.drop(f)
	}
}

func (k *worker) rename(f *file) {
	from := f.names[0]
	k.mu.Lock()
	k.serial++
	to := fmt.Sprintf("r%d.bin", k.serial)
	k.mu.Unlock()
	f.names = []string{from, to}
	if k.took("rename", f, nil, k.api.Try(http.MethodPost, "/file/rename", map[string]string{"uri": f.uri(from), "new_name": to}, nil)) == yes {
		f.names = []string{to}
	}
}

func (k *worker) remove(f *file) { k.discard(f, true) }

// discard deletes a file, for good or into the trash.
func (k *worker) discard(f *file, forever bool) {
	name := f.names[0]
	f.names = []string{name, ""}
	if k.took("delete", f, nil, k.api.Try(http.MethodDelete, "/file", map[string]any{"uris": []string{f.uri(name)}, "skip_soft_delete": forever}, nil)) == yes {
		k.drop(f)
	}
}

// put sends a whole content in one request: a new file, or a version of f.
func (k *worker) put(f *file) {
	if f == nil || len(f.stored) >= 5 || k.roll(2) == 0 {
		f = k.add()
	}
	size := k.roll(3 * chunkSize)
	if k.small {
		size = k.size()
	}
	k.putSize(f, size)
}

func (k *worker) putSize(f *file, size int) {
	name := f.names[0]
	c := k.fresh(size)
	f.putting = &c
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	if k.took("put", f, c.size, k.api.Raw(http.MethodPut, "/file/content?uri="+url.QueryEscape(f.uri(name)), c.bytes(), header, nil)) == yes {
		f.names, f.putting = []string{name}, nil
		f.stored = append(f.stored, c)
	}
}

// refused asks for what must not happen, and must have no effect.
func (k *worker) refused(f *file) {
	uri := f.uri(f.names[0])
	for _, try := range []struct {
		what string
		code int
		do   func() error
	}{
		{"a name that is taken", 40004, func() error {
			return k.api.Try(http.MethodPut, "/file/upload", map[string]any{"uri": uri, "size": 10}, nil)
		}},
		{"a size below zero", 40001, func() error {
			return k.api.Try(http.MethodPut, "/file/upload", map[string]any{"uri": f.uri("never.bin"), "size": -1}, nil)
		}},
		{"a rename of nothing", 40016, func() error {
			return k.api.Try(http.MethodPost, "/file/rename", map[string]string{"uri": f.uri("never.bin"), "new_name": "n.bin"}, nil)
		}},
		{"more than the quota", 40051, func() error {
			return k.api.Try(http.MethodPut, "/file/upload", map[string]any{"uri": f.uri("never.bin"), "size": 1 << 50}, nil)
		}},
	} {
		err := try.do()
		k.note("refused", f, try.what, err)
		switch code := rig.Code(err); {
		case err == nil:
			k.violated("%s was accepted", try.what)
		case code == 0, code >= 50000, code < 0:
			k.dead.Store(true)
			return
		case code != try.code:
			k.violated("%s got %v, not %d", try.what, err, try.code)
		default:
			k.count("refused: without effect", 1)
		}
	}
}
