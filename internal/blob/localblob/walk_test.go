package localblob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/blobtest/faultfs"
	"github.com/wharfinger/wharfinger/internal/blob/localblob"
	"github.com/wharfinger/wharfinger/internal/core"
)

// item is one key and all that its owner was told.
type item struct {
	key   string
	data  []byte
	state string // "" fresh, "open", "done"; "gone": nothing is promised any more
	got   []blob.Receipt
}

func (i *item) handle() blob.Handle { return blob.Handle{Key: i.key, Size: int64(len(i.data))} }

// walker does random things to some items on one disk that loses its power now
// and then.
type walker struct {
	*testing.T
	r     *rand.Rand
	disk  *faultfs.FS
	d     blob.Driver
	b     *blob.Bucket
	items []*item
	made  int
	log   []string
}

func (w *walker) fresh() *item {
	w.made++
	// Close keys share directories, so that they share syncs too.
	return &item{key: fmt.Sprintf("k%d/%d", w.made%2, w.made), data: blobtest.Content(byte(w.made), w.r.IntN(6*faultfs.Page))}
}

func (w *walker) boot() {
	w.Helper()
	d, err := localblob.Open(context.Background(), localblob.Config{FS: w.disk})
	if err != nil {
		w.die("open: %v", err)
	}
	w.d, w.b = d, blob.New(d, blob.Options{})
	for _, i := range w.items {
		w.check(i)
	}
	left := 1 + w.r.IntN(60)
	from := w.disk.Calls()
	w.disk.Inject(func(c faultfs.Call) error {
		if c.N-from > left {
			return faultfs.ErrDead
		}
		return nil
	})
}

func (w *walker) die(format string, args ...any) {
	w.Helper()
	w.Fatalf("%s\nafter %v", fmt.Sprintf(format, args...), w.log)
}

func (w *walker) check(i *item) {
	w.Helper()
	whole := core.Range{To: int64(len(i.data))}
	got, err := w.bytes(w.d.Open(context.Background(), i.key, whole))
	switch {
	case err == nil && !bytes.Equal(got, i.data):
		w.die("%s is finished with other bytes", i.key)
	case err == nil || i.state == "gone" || i.state == "":
		return
	case i.state == "done":
		w.die("%s was committed and is lost: %v", i.key, err)
	}
	for _, g := range i.got {
		got, err := w.bytes(w.d.(blob.Parts).Staged(context.Background(), i.handle(), g.Range))
		if err != nil || !bytes.Equal(got, i.data[g.Range.From:g.Range.To]) {
			w.die("%s lost the part %v: %v", i.key, g.Range, err)
		}
	}
}

func (w *walker) bytes(body io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(body)
	return got, errors.Join(err, body.Close())
}

// step does one thing to one item.
func (w *walker) step() error {
	ctx, n := context.Background(), w.r.IntN(len(w.items))
	i := w.items[n]
	chance := w.r.IntN(10)
	switch {
	case i.state == "gone":
		w.items[n] = w.fresh()
		return nil
	case i.state == "" && chance < 3:
		_, err := w.b.Put(ctx, i.key, blobtest.Bytes(i.data), nil)
		return w.told(i, "put", err, "done", "gone")
	case i.state == "":
		_, err := w.b.Begin(ctx, i.key, int64(len(i.data)))
		return w.told(i, "begin", err, "open", "gone")
	case i.state == "open" && chance == 0:
		return w.told(i, "abort", w.b.Abort(ctx, i.handle()), "gone", "gone")
	case i.state == "open":
		return w.write(i)
	case chance == 0:
		failed, err := w.b.Delete(ctx, []string{i.key})
		return w.told(i, "delete", errors.Join(append(errOf(failed), err)...), "gone", "gone")
	}
	_, err := w.b.Commit(ctx, i.handle(), i.whole(), nil)
	return w.told(i, "commit again", err, "done", "done")
}

func (i *item) whole() []blob.Receipt {
	g, _ := blob.Measure(blob.Write{Range: core.Range{To: int64(len(i.data))}, Body: bytes.NewReader(i.data)}, false)
	return []blob.Receipt{g}
}

// told moves i to the state that an answer, or its lack, leaves it in.
func (w *walker) told(i *item, what string, err error, yes, no string) error {
	w.log = append(w.log, what+" "+i.key)
	i.state = yes
	if err != nil {
		i.state = no
	}
	return err
}

// write sends a missing part, or commits.
func (w *walker) write(i *item) error {
	const part = faultfs.Page + 9
	var missing []core.Range
	for n := range blob.Chunks(int64(len(i.data)), part) {
		r, err := blob.ChunkRange(int64(len(i.data)), part, n)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(i.got, func(g blob.Receipt) bool { return g.Range == r }) {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		_, err := w.b.Commit(context.Background(), i.handle(), i.got, nil)
		return w.told(i, "commit", err, "done", "open")
	}
	r := missing[w.r.IntN(len(missing))]
	if _, err := w.d.Stat(context.Background(), i.key); err == nil {
		w.die("%s is finished before its commit", i.key)
	}
	g, err := w.b.WriteAt(context.Background(), i.handle(), blob.Write{Range: r, Body: bytes.NewReader(i.data[r.From:r.To])})
	if err == nil {
		i.got = append(i.got, g)
	}
	return w.told(i, fmt.Sprint("write ", r), err, "open", "open")
}

// Whatever is done to several keys, and whenever the power goes, what was
// acknowledged stays true.
func TestRandomLivesWithPowerCuts(t *testing.T) {
	t.Parallel()
	lives := 400
	if testing.Short() {
		lives = 40
	}
	done := 0
	for seed := range uint64(lives) {
		w := &walker{T: t, r: rand.New(rand.NewPCG(seed, 1)), disk: faultfs.New()}
		w.log = []string{fmt.Sprintf("seed %d", seed)}
		for range 4 {
			w.items = append(w.items, w.fresh())
		}
		w.boot()
		for range 150 {
			err := w.step()
			if err == nil {
				continue
			}
			if !errors.Is(err, faultfs.ErrDead) {
				w.die("seed %d: %v", seed, err)
			}
			if w.r.IntN(4) == 0 {
				w.disk, w.log = w.disk.Kill(), append(w.log, "KILL")
			} else {
				w.disk, w.log = w.disk.Crash(w.r.Uint64()), append(w.log, "CUT")
			}
			w.boot()
		}
		for _, i := range w.items {
			if i.state == "done" {
				done++
			}
		}
	}
	if done < lives/2 {
		t.Errorf("only %d objects were done in %d lives: the walk shows little", done, lives)
	}
}
