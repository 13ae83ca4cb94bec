package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wharfinger/wharfinger/test/rig"
)

// place is a folder in a folder, and what the client knows of their names.
type place struct {
	key      string // names it for the test
	mu       sync.Mutex
	top, sub []string // each has one of these names
	deleted  mark

	present, absent int // files, in one verdict
}

// place returns the one of that key.
func (w *world) place(name string) *place {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.places {
		if p.key == name {
			return p
		}
	}
	p := &place{key: name, top: []string{"in-" + name}, sub: []string{name}}
	w.places = append(w.places, p)
	return p
}

func (p *place) dir() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.top[0] + "/" + p.sub[0]
}

func (p *place) uri() string { return "cloudreve://my/" + p.dir() }

func (p *place) seen(there bool) {
	if there {
		p.present++
	} else {
		p.absent++
	}
}

// judgePlace finds out which names the folders have. Neither needs to be there.
func (w *world) judgePlace(p *place, folders map[string]bool) {
	p.present, p.absent = 0, 0
	settle := func(names []string, above string) []string {
		var found []string
		for _, n := range names {
			if folders[above+"/"+n] && !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
		switch len(found) {
		case 0:
			return names[:1]
		case 1:
		default:
			w.violated("a folder was renamed, and is there as each of %v", found)
		}
		return found[:1]
	}
	p.top = settle(p.top, "cloudreve://my")
	p.sub = settle(p.sub, "cloudreve://my/"+p.top[0])
}

// judgeDelete holds a deletion of the whole place to what was said about it.
func (w *world) judgeDelete(p *place) {
	switch {
	case p.deleted == maybe && p.present > 0 && p.absent > 0:
		w.violated("%s was deleted and not answered, and %d of its %d files are gone", p.uri(), p.absent, p.absent+p.present)
	case p.deleted == yes && p.present > 0:
		w.violated("%s was deleted, and %d of its files are there", p.uri(), p.present)
	}
	p.deleted = no
}

// Codes of what an upload is told whose place or lock was taken away.
const (
	lockConflict = 40073
	pathGone     = 40016
)

// told reports whether err tells an upload that its owner has taken away its lock, or the
// folder around it.
func (k *worker) told(f *file, up *pending, err error) bool {
	f.mu.Lock()
	freed := up.freed != no
	f.mu.Unlock()
	switch code := rig.Code(err); {
	case code == lockConflict && freed:
		k.note("told that its lock was taken", f, nil, err)
		k.count("uploads told that their lock was taken", 1)
		return true
	case (code == sessionGone || code == pathGone) && f.at.gone():
		k.note("told that its folder is gone", f, nil, err)
		k.count("uploads told that their folder is gone", 1)
		return true
	}
	return false
}

func (p *place) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deleted != no
}

// upheave does something to the folders of an upload that is under way: a rename, a
// delete, or a rename after taking the upload's lock away. Each is done or refused, and
// the upload ends where its folder is, or is told why it cannot.
func (k *worker) upheave() {
	p := k.place(fmt.Sprintf("v%d", k.id))
	for f := k.among(p, unfinished); f != nil && !k.dead.Load(); f = k.among(p, unfinished) {
		k.cancel(f)
	}
	if k.dead.Load() {
		return
	}
	var onto *file
	if k.roll(3) == 0 {
		onto = k.among(p, func(f *file) bool { return f.settled() && len(f.stored) < 5 })
	}
	if onto == nil {
		onto = k.addTo(p)
	}
	f := k.begin(onto, 1+k.roll(5*chunkSize))
	if f == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.send(f, 100)
	}()
	switch k.roll(3) { // at its beginning, in its midst or about its end, after it
	case 1:
		time.Sleep(time.Duration(k.roll(12_000)) * time.Microsecond)
	case 2:
		<-done
	}
	switch dice := k.roll(10); {
	case k.dead.Load():
	case dice < 3:
		_ = k.renameFolder(f, &p.sub)
	case dice < 5:
		_ = k.renameFolder(f, &p.top)
	case dice < 8:
		k.removeFolder(p)
	default:
		k.force(f)
	}
	<-done
	if f.up != nil && f.up.freed != no {
		k.cancel(f)
	}
	if p.gone() && !k.dead.Load() {
		k.vanish(p)
	}
}

// held reports whether err says that an upload holds the folder.
func (k *worker) held(op string, f *file, err error) bool {
	if rig.Code(err) != lockConflict {
		return false
	}
	k.note(op, f, "held", err)
	k.count("refused: "+op+" while an upload runs in it", 1)
	return true
}

// renameFolder renames the upper or the inner folder of f, whichever names are.
func (k *worker) renameFolder(f *file, names *[]string) (refusal error) {
	p := f.at
	k.mu.Lock()
	k.serial++
	to := fmt.Sprintf("m%d", k.serial)
	k.mu.Unlock()
	p.mu.Lock()
	uri := "cloudreve://my/" + p.top[0]
	if names == &p.sub {
		uri += "/" + p.sub[0]
	}
	was := (*names)[0]
	*names = []string{was, to}
	p.mu.Unlock()
	const op = "rename of a folder"
	err := k.api.Try(http.MethodPost, "/file/rename", map[string]string{"uri": uri, "new_name": to}, nil)
	final := []string{was, to}
	switch {
	case k.held(op, f, err):
		final, refusal = []string{was}, err
	case k.took(op, f, to, err) == yes:
		final = []string{to}
	}
	p.mu.Lock()
	*names = final
	p.mu.Unlock()
	return refusal
}

// removeFolder deletes the upper folder with all that is in it.
func (k *worker) removeFolder(p *place) {
	p.mu.Lock()
	p.deleted = maybe
	uri := "cloudreve://my/" + p.top[0]
	p.mu.Unlock()
	k.mu.Lock()
	var all []*file
	var about *file
	for _, f := range k.files {
		if f.at == p {
			about = f
			f.called(f.names[0], "")
			all = append(all, f)
		}
	}
	k.mu.Unlock()
	const op = "delete of a folder"
	err := k.api.Try(http.MethodDelete, "/file", map[string]any{"uris": []string{uri}, "skip_soft_delete": k.roll(2) == 0}, nil)
	switch {
	case k.held(op, about, err):
		p.mu.Lock()
		p.deleted = no
		p.mu.Unlock()
		k.mu.Lock()
		for _, f := range all {
			f.called(f.names[0])
		}
		k.mu.Unlock()
	case k.took(op, about, nil, err) == yes:
		p.mu.Lock()
		p.deleted = yes
		p.mu.Unlock()
	}
}

// vanish forgets the files of a place whose deletion was acknowledged.
func (k *worker) vanish(p *place) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.files = slices.DeleteFunc(k.files, func(f *file) bool { return f.at == p })
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deleted = no
}

// force renames the folder of an upload; when told that the upload holds it, takes the
// lock away, as the protocol's clients offer to do, and renames it then.
func (k *worker) force(f *file) {
	err := k.renameFolder(f, &f.at.sub)
	var refusal *rig.Refusal
	if !errors.As(err, &refusal) || k.dead.Load() {
		return
	}
	var locks []struct{ Token string }
	if err := json.Unmarshal(refusal.Data, &locks); err != nil || len(locks) == 0 {
		k.violated("a folder is held, and nobody says by whom: %s", refusal.Data)
		return
	}
	var tokens []string
	for _, l := range locks {
		tokens = append(tokens, l.Token)
	}
	k.freeAll(f.at)
	err = k.api.Try(http.MethodDelete, "/file/lock", map[string]any{"tokens": tokens}, nil)
	if rig.Code(err) == 40001 { // the upload has ended meanwhile
		k.note("unlock", f, nil, err)
		return
	}
	if k.took("unlock", f, nil, err) == yes {
		_ = k.renameFolder(f, &f.at.sub)
	}
}

// freeAll notes that every upload in p may lose its lock: also one that was found after a
// crash and of which the worker knows nothing yet.
func (k *worker) freeAll(p *place) {
	k.mu.Lock()
	all := slices.Clone(k.files)
	k.mu.Unlock()
	for _, f := range all {
		if f.at != p {
			continue
		}
		f.mu.Lock()
		if f.up != nil {
			f.up.freed = maybe
		}
		f.mu.Unlock()
	}
}

// giveUp cancels an upload whose lock was taken away, or may have been.
func (w *world) giveUp(f *file) {
	k := &worker{world: w}
	k.cancel(f)
	if k.dead.Load() {
		w.violated("upload of %s, whose lock was taken away, cannot be cancelled", f.uri(f.names[0]))
	}
}
