package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
)

var packTests = []struct {
	name string
	run  func(*run, blob.Packer)
}{
	{"PackRoundTrip", testPack},
	{"PackRanges", testPackRanges},
	{"PackRefusals", testPackRefusals},
	{"PackInParallel", testPackParallel},
	{"PackedDelete", testPackDelete},
	{"PacksPage", testPacks},
	{"DropPack", testDropPack},
	{"PackSyncLevels", testPackSync},
	{"PackBodies", testPackBodies},
}

func (r *run) pack(k blob.Packer, bodies ...[]byte) []string {
	r.Helper()
	keys, err := k.Pack(r.ctx, bodies, r.o)
	r.must(err)
	if len(keys) != len(bodies) {
		r.Fatalf("%d keys for %d bodies", len(keys), len(bodies))
	}
	return keys
}

// settle opens the storage again, so that no pack grows.
func (r *run) settle() blob.Packer {
	r.Helper()
	if r.Reopen == nil {
		r.Skip("nothing outlives the driver")
	}
	r.must(r.d.Close())
	r.use(r.Reopen())
	k, ok := r.d.(blob.Packer)
	if !ok {
		r.Fatal("opened again, the driver does not pack")
	}
	return k
}

func (r *run) drop(keys ...string) {
	r.Helper()
	failed, err := r.d.Delete(r.ctx, keys)
	r.must(err)
	r.equal("failed", failed, []blob.KeyError(nil))
}

func (r *run) packs(k blob.Packer) (keys []string) {
	r.Helper()
	got, err := k.Packs(r.ctx, "", 1000)
	r.must(err)
	for _, p := range got {
		keys = append(keys, p.Key)
		if p.Size <= 0 || p.ModTime.IsZero() {
			r.Errorf("%+v", p)
		}
	}
	return keys
}

func packOf(key string) string {
	p, _ := blob.ParsePacked(key)
	return p.Pack
}

func sized() (bodies [][]byte) {
	for i, n := range []int{1, 15, 16, 17, 4095, 4096, 70_000, blob.MaxPacked} {
		bodies = append(bodies, Content(byte(i), n))
	}
	return bodies
}

func testPack(r *run, k blob.Packer) {
	bodies := sized()
	keys := r.pack(k, bodies...)
	for i, key := range keys {
		p, ok := blob.ParsePacked(key)
		if !ok || !blob.ValidKey(key) || p.Size != int64(len(bodies[i])) {
			r.Errorf("%q is no key of a packed object of %d bytes", key, len(bodies[i]))
		}
		r.holds(key, bodies[i])
	}
	r.equal("listing", r.keys(""), []string(nil))
	r.settle()
	for i, key := range keys {
		r.holds(key, bodies[i])
	}
}

func testPackRanges(r *run, k blob.Packer) {
	data := Content(1, 10_003)
	keys := r.pack(k, Content(2, 100), data, Content(3, 100))
	for _, c := range [][2]int{{0, 0}, {0, 1}, {4095, 4097}, {10_002, 10_003}, {10_003, 10_003}} {
		if got := r.read(keys[1], span(c[0], c[1])); !bytes.Equal(got, data[c[0]:c[1]]) {
			r.Errorf("bytes %v: %d bytes, or others", c, len(got))
		}
	}
	for _, c := range [][2]int{{0, 10_004}, {10_004, 10_004}, {-1, 3}, {5, 4}} {
		_, err := r.d.Open(r.ctx, keys[1], span(c[0], c[1]))
		r.kind("Open outside", err, errs.Invalid)
	}
	at, _ := blob.ParsePacked(keys[1])
	for _, wrong := range []blob.Packed{
		{Pack: at.Pack, At: at.At, Size: at.Size - 1},
		{Pack: at.Pack, At: at.At + 16, Size: at.Size},
		{Pack: at.Pack, At: blob.MaxSize, Size: at.Size},
		{Pack: blob.PackKey("none"), At: at.At, Size: at.Size},
	} {
		r.absent(wrong.Key())
		r.drop(wrong.Key())
	}
	r.holds(keys[1], data)
}

func testPackRefusals(r *run, k blob.Packer) {
	for what, bodies := range map[string][][]byte{
		"empty": {{1}, {}}, "large": {make([]byte, blob.MaxPacked+1)},
	} {
		if keys, err := k.Pack(r.ctx, bodies, r.o); err == nil {
			r.Errorf("%s: %v", what, keys)
		}
	}
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	_, err := k.Pack(ctx, [][]byte{{1}}, r.o)
	r.kind("Pack", err, errs.Canceled)
	_, err = k.Packs(ctx, "", 1)
	r.kind("Packs", err, errs.Canceled)
	r.kind("DropPack", k.DropPack(ctx, blob.PackKey("x")), errs.Canceled)
	r.must(k.DropPack(r.ctx, blob.PackKey("none")))
	_, err = k.Undeleted(r.ctx, blob.PackKey("none"))
	r.kind("Undeleted", err, errs.NotFound)
}

func testPackParallel(r *run, k blob.Packer) {
	const goroutines, each = 32, 12
	var mu sync.Mutex
	want := map[string][]byte{}
	var all []error
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				bodies := [][]byte{Content(byte(g), 1+i*977), Content(byte(100+i), 1+g*31)}
				keys, err := k.Pack(r.ctx, bodies, r.o)
				mu.Lock()
				all = append(all, err)
				for n, key := range keys {
					if want[key] != nil {
						all = append(all, fmt.Errorf("%s was given twice", key))
					}
					want[key] = bodies[n]
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	r.must(errors.Join(all...))
	r.equal("objects", len(want), goroutines*each*2)
	for key, data := range want {
		r.holds(key, data)
	}
	r.settle()
	for key, data := range want {
		r.holds(key, data)
	}
}

func testPackDelete(r *run, k blob.Packer) {
	bodies := sized()
	keys := r.pack(k, bodies...)
	for i, key := range keys {
		if i%2 == 0 {
			body, err := r.d.Open(r.ctx, key, span(0, len(bodies[i])))
			r.must(err)
			r.drop(key, key)
			if got := r.all(body); !bytes.Equal(got, bodies[i]) {
				r.Errorf("%s was opened, deleted, and read other bytes", key)
			}
		}
	}
	check := func() {
		r.Helper()
		for i, key := range keys {
			if i%2 == 0 {
				r.absent(key)
			} else {
				r.holds(key, bodies[i])
			}
		}
	}
	check()
	r.settle()
	check()
}

func testPacks(r *run, k blob.Packer) {
	var want []string
	for i := range 5 {
		key := r.pack(k, Content(byte(i), 100+i))[0]
		if got := r.packs(k); slices.Contains(got, packOf(key)) {
			r.Error("a pack that grows is listed")
		}
		want = append(want, packOf(key))
		k = r.settle()
	}
	slices.Sort(want)
	r.equal("packs", r.packs(k), slices.Compact(want))
	var paged []string
	for after := ""; ; {
		page, err := k.Packs(r.ctx, after, 2)
		r.must(err)
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			paged = append(paged, p.Key)
			if st, err := r.d.Stat(r.ctx, p.Key); err != nil || st != p {
				r.Errorf("Stat of a pack: %+v %v, want %+v", st, err, p)
			}
		}
		after = page[len(page)-1].Key
	}
	r.equal("in pages", paged, want)
	page, err := k.Packs(r.ctx, "", 0)
	r.must(err)
	r.equal("of none", len(page), 0)
}

func testDropPack(r *run, k blob.Packer) {
	keys := r.pack(k, Content(1, 100), Content(2, 5000))
	pack := packOf(keys[0])
	r.kind("one that grows", k.DropPack(r.ctx, pack), errs.Conflict)
	_, err := k.Undeleted(r.ctx, pack)
	r.kind("one that grows", err, errs.Conflict)
	k = r.settle()
	for left := 2; left > 0; left-- {
		r.kind("one in use", k.DropPack(r.ctx, pack), errs.Conflict)
		n, err := k.Undeleted(r.ctx, pack)
		r.must(err)
		r.equal("undeleted", n, left)
		r.holds(keys[left-1], Content(byte(left), []int{100, 5000}[left-1]))
		r.drop(keys[left-1])
	}
	r.must(k.DropPack(r.ctx, pack))
	r.equal("left", r.packs(k), []string(nil))
	r.must(k.DropPack(r.ctx, pack))
	for _, key := range keys {
		r.absent(key)
		r.drop(key)
	}
}

func testPackSync(r *run, k blob.Packer) {
	for i, level := range []blob.Sync{blob.SyncAnswer, blob.SyncComplete, blob.SyncNever} {
		data := Content(byte(i), 1000)
		keys, err := k.Pack(r.ctx, [][]byte{data}, blob.PutOptions{Sync: level})
		r.must(err)
		r.holds(keys[0], data)
	}
}

// testPackBodies: a body that is not what was promised spoils only itself, and
// ciphers hold.
func testPackBodies(r *run, _ blob.Packer) {
	var ws []blob.Write
	var data [][]byte
	const bad = 2
	c := blob.NewCipher()
	for i := range 5 {
		data = append(data, Content(byte(i), 2000+i))
		w := blob.Write{Range: core.Range{To: int64(2000 + i)}, Body: bytes.NewReader(data[i]), Want: []blob.Digest{{Algorithm: blob.SHA256, Value: sha(data[i])}}}
		switch i {
		case bad:
			w.Want[0].Value = sha(nil)
		case 3:
			w.Body = strings.NewReader("short")
		case 4:
			w.Cipher = c
		}
		ws = append(ws, w)
	}
	out, err := r.b.Pack(r.ctx, ws)
	r.must(err)
	for i, got := range out {
		switch i {
		case bad:
			if !errs.Has(got.Err, errs.DigestMismatch) || got.Key != "" {
				r.Errorf("a wrong digest: %q %v", got.Key, got.Err)
			}
		case 3:
			if !errs.Has(got.Err, errs.ChunkShort) || got.Key != "" {
				r.Errorf("a short body: %q %v", got.Key, got.Err)
			}
		default:
			r.must(got.Err)
			body, err := r.b.Open(r.ctx, got.Key, span(0, len(data[i])), ws[i].Cipher)
			r.must(err)
			if !bytes.Equal(r.all(body), data[i]) || !bytes.Equal(got.SHA256, sha(data[i])) {
				r.Errorf("body %d came back other than it went", i)
			}
			if stored := r.read(got.Key, span(0, len(data[i]))); bytes.Equal(stored, data[i]) != (ws[i].Cipher == nil) {
				r.Errorf("body %d is stored in the clear, or is not", i)
			}
		}
	}
}

func sha(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}
