package blobtest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
)

// testKeys: every valid key names an object of its own, and the order of a
// listing is the order of keys.
func testKeys(r *run) {
	keys := []string{
		"-", "--", "0", "a", "ab", "abc", "abcd", "abcde", "a/b", "a/b/c", "ab/c", "abc/d", "abcd/e",
		"a-b", "ab-c", "abc-d", "abcd-e", "z/-/0", "00/00", "a0", "a0b1c2", longKey, "a/" + longKey[:198],
		strings.Repeat("a/", 99) + "a",
	}
	for i, k := range keys {
		if !blob.ValidKey(k) {
			r.Fatalf("%q is no key", k)
		}
		r.put(k, Content(byte(i), i+1))
	}
	for i, k := range keys {
		r.holds(k, Content(byte(i), i+1))
	}
	want := slices.Sorted(slices.Values(keys))
	r.equal("keys in order", r.keys(""), want)
	var paged []string
	for after := ""; ; {
		page, err := r.d.List(r.ctx, "", after, 3)
		r.must(err)
		for _, o := range page.Objects {
			paged = append(paged, o.Key)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	r.equal("keys in pages", paged, want)
	for _, prefix := range []string{"a", "ab", "abc", "abcd", "a/", "ab/", "0", "z", "q", "abcdef"} {
		has := func(k string) bool { return strings.HasPrefix(k, prefix) }
		var with []string
		for _, k := range want {
			if has(k) {
				with = append(with, k)
			}
		}
		r.equal("keys with prefix "+prefix, r.keys(prefix), with)
	}
}

func testPut(r *run) {
	for i, n := range []int{0, 1, 4095, 4096, 4097, 70_000, 1 << 20} {
		data := Content(byte(i), n)
		info := r.put(key(i), data)
		if info.Key != key(i) || info.Size != int64(n) || info.ModTime.IsZero() {
			r.Errorf("Put said %+v of %d bytes", info, n)
		}
		stat, err := r.d.Stat(r.ctx, key(i))
		r.must(err)
		r.equal("Stat after Put", stat, info)
		r.holds(key(i), data)
	}
	data := Content(9, 50_000)
	for what, src := range map[string]blob.Source{
		"short":  liar{Bytes(data), 50_001},
		"long":   liar{Bytes(data), 49_999},
		"broken": &breaking{Source: Bytes(data), after: 20_000},
	} {
		if _, err := r.d.Put(r.ctx, what, src, r.o); err == nil {
			r.Errorf("Put of a %s source: no error", what)
		}
		r.absent(what)
		// The key is as good as before.
		r.put(what, data)
		r.holds(what, data)
	}
}

var errBroken = errors.New("the source broke")

// breaking fails after some bytes.
type breaking struct {
	blob.Source
	after int
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.after == 0 {
		return 0, errBroken
	}
	n, err := b.Source.Read(p[:min(len(p), b.after)])
	b.after -= n
	return n, err
}

func testRanges(r *run) {
	data := Content(1, 100_003)
	r.put("k", data)
	for _, c := range [][2]int{{0, 0}, {0, 1}, {1, 2}, {0, 100_003}, {4095, 4097}, {65_535, 65_537}, {100_002, 100_003}, {100_003, 100_003}, {50_000, 50_000}} {
		if got := r.read("k", span(c[0], c[1])); string(got) != string(data[c[0]:c[1]]) {
			r.Errorf("bytes %v: %d bytes, or others", c, len(got))
		}
	}
	for _, c := range [][2]int{{0, 100_004}, {100_004, 100_004}, {-1, 3}, {5, 4}} {
		_, err := r.d.Open(r.ctx, "k", span(c[0], c[1]))
		r.kind("Open outside", err, errs.Invalid)
	}
	// A reader need not be read to its end.
	body, err := r.d.Open(r.ctx, "k", span(0, 100_003))
	r.must(err)
	var one [1]byte
	_, err = io.ReadFull(body, one[:])
	r.must(err)
	r.must(body.Close())
}

func testOverwrite(r *run) {
	data := Content(1, 1000)
	r.put("k", data)
	_, err := r.d.Put(r.ctx, "k", Bytes(Content(2, 1000)), r.o)
	r.kind("Put over", err, errs.Exists)
	r.holds("k", data)
	if r.p == nil {
		return
	}
	_, err = r.p.Begin(r.ctx, "k", 1000, r.o)
	r.kind("Begin over", err, errs.Exists)
	h := r.begin("u", 10)
	_, err = r.p.Begin(r.ctx, "u", 10, r.o)
	r.kind("Begin twice", err, errs.Exists)
	r.write(h, 0, Content(3, 10))
	_, err = r.p.Commit(r.ctx, h, r.o)
	r.must(err)
	r.holds("u", Content(3, 10))
	r.holds("k", data)
}

func testDelete(r *run) {
	data := Content(1, 100)
	r.put("a", data)
	r.put("ab", data)
	failed, err := r.d.Delete(r.ctx, []string{"a", "never"})
	r.must(err)
	r.equal("failed", failed, []blob.KeyError(nil))
	r.absent("a")
	r.holds("ab", data)
	failed, err = r.d.Delete(r.ctx, []string{"a", "ab", "ab"})
	r.must(err)
	r.equal("failed", failed, []blob.KeyError(nil))
	r.equal("left", r.keys(""), []string(nil))
	failed, err = r.d.Delete(r.ctx, nil)
	r.must(err)
	r.equal("failed", failed, []blob.KeyError(nil))
}

func testList(r *run) {
	const n = 25
	var want []string
	for i := range n {
		r.put(key(i), Content(1, i))
		want = append(want, key(i))
	}
	if r.p != nil {
		h := r.begin("k00003-u", 10)
		r.write(h, 0, Content(1, 10))
	}
	for _, limit := range []int{1, 2, 7, n - 1, n, n + 1} {
		var got []string
		after, pages := "", 0
		for {
			page, err := r.d.List(r.ctx, "k", after, limit)
			r.must(err)
			if len(page.Objects) > limit {
				r.Fatalf("limit %d: page of %d", limit, len(page.Objects))
			}
			for _, o := range page.Objects {
				got = append(got, o.Key)
				if o.Size != int64(len(got)-1) {
					r.Errorf("%s has size %d", o.Key, o.Size)
				}
			}
			if pages++; page.Next == "" {
				break
			}
			if after = page.Next; pages > n {
				r.Fatal("the listing does not end")
			}
		}
		r.equal("listing", got, want)
	}
	page, err := r.d.List(r.ctx, "", key(n-1), 10)
	r.must(err)
	r.equal("after the last", page, blob.Page{})
	page, err = r.d.List(r.ctx, "", key(10)+"-gone", 1)
	r.must(err)
	if len(page.Objects) != 1 || page.Objects[0].Key != key(11) {
		r.Errorf("after a key that is not there: %+v", page)
	}
}

func testClassify(r *run) {
	r.absent("missing")
	r.equal("a foreign error", r.d.Classify(errBroken), errs.Internal)
	r.equal("a context error", r.d.Classify(context.Canceled), errs.Canceled)
	r.equal("a context error", r.d.Classify(context.DeadlineExceeded), errs.Canceled)
	_, err := r.b.Stat(r.ctx, "missing")
	if !errs.Is(err, errs.NotFound) || !errs.Has(err, errs.VersionMissing) {
		r.Errorf("Bucket.Stat: %v", err)
	}
	_, err = r.b.Open(r.ctx, "missing", span(0, 0), nil)
	if !errs.Is(err, errs.NotFound) || !errs.Has(err, errs.RecoverNeeded) {
		r.Errorf("Bucket.Open: %v", err)
	}
}

func testContexts(r *run) {
	r.put("k", Content(1, 10))
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	_, err := r.d.Stat(ctx, "k")
	r.kind("Stat", err, errs.Canceled)
	_, err = r.d.Open(ctx, "k", span(0, 10))
	r.kind("Open", err, errs.Canceled)
	_, err = r.d.Put(ctx, "p", Bytes(Content(1, 10)), r.o)
	r.kind("Put", err, errs.Canceled)
	_, err = r.d.Delete(ctx, []string{"k"})
	r.kind("Delete", err, errs.Canceled)
	_, err = r.d.List(ctx, "", "", 10)
	r.kind("List", err, errs.Canceled)
	r.absent("p")
	r.holds("k", Content(1, 10))
}

func testFiles(r *run) {
	filer, ok := r.d.(blob.Filer)
	if !ok {
		r.Skip("the driver has no open files")
	}
	data := Content(1, 1000)
	r.put("k", data)
	f, err := filer.OpenFile(r.ctx, "k")
	r.must(err)
	r.equal("content", string(r.all(f)), string(data))
	_, err = filer.OpenFile(r.ctx, "missing")
	r.kind("OpenFile", err, errs.NotFound)
}
