package xmlstore_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/xmlstore"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

var relay blob.PutOptions

func span(from, to int) core.Range { return core.Range{From: int64(from), To: int64(to)} }

func (r *rig) begin(size int) blob.Handle {
	r.Helper()
	h, err := r.parts().Begin(r.Context(), key, int64(size), relay)
	r.must(err)
	return h
}

func (r *rig) write(h blob.Handle, data []byte, from, to int) {
	r.Helper()
	r.must(r.parts().WriteAt(r.Context(), h, span(from, to), bytes.NewReader(data[from:to]), relay))
}

func TestRelayTakesPartsInAnyOrderAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(5*mib + 321)
		h := r.begin(len(data))
		order := []int{5, 2, 0, 4, 1, 3, 2, 0}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, n := range order {
			if i == 4 {
				// The policy changes and the process starts anew while it is open.
				r.config.PartSize = 4 * mib
				r.d = r.open()
			}
			r.write(h, data, n*mib, min((n+1)*mib, len(data)))
		}
		r.absent()
		info, err := r.parts().Commit(t.Context(), h, relay)
		r.must(err)
		r.holds(data)
		again, err := r.parts().Commit(t.Context(), h, relay)
		r.must(err)
		if diff := cmp.Diff(info, again); diff != "" {
			t.Error(diff)
		}
		err = r.parts().WriteAt(t.Context(), h, span(0, mib), bytes.NewReader(data[:mib]), relay)
		r.kind("WriteAt after Commit", err, errs.NotFound)
		_, err = r.parts().Commit(t.Context(), blob.Handle{Key: key, Size: 7, Upload: h.Upload}, relay)
		r.kind("Commit of another size", err, errs.Exists)
		_, err = r.parts().Commit(t.Context(), blob.Handle{Key: "unknown", Size: 7}, relay)
		r.kind("Commit of an unknown", err, errs.NotFound)
	})
}

func TestOneWriteMayBringSeveralParts(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(3*mib + 5)
		h := r.begin(len(data))
		r.write(h, data, 2*mib, len(data))
		r.write(h, data, 0, 2*mib)
		_, err := r.parts().Commit(t.Context(), h, relay)
		r.must(err)
		r.holds(data)
	})
}

func TestPiecesThatAreNoPartsAreRefused(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(3 * mib)
		h := r.begin(len(data))
		for _, at := range []core.Range{span(0, 10), span(10, mib), span(mib, mib+1), span(0, 3*mib+1), span(1, 3*mib)} {
			err := r.parts().WriteAt(t.Context(), h, at, bytes.NewReader(data), relay)
			r.kind("WriteAt", err, errs.Invalid)
		}
		err := r.parts().WriteAt(t.Context(), blob.Handle{Key: key, Size: mib, Upload: "plain"}, span(0, mib), bytes.NewReader(data), relay)
		r.kind("WriteAt of a client's upload", err, errs.Invalid)
		_, err = r.parts().Staged(t.Context(), h, span(0, 1))
		r.kind("Staged", err, errs.Unsupported)
		if n := r.count("PUT"); n > 0 {
			t.Errorf("%d parts were sent", n)
		}
	})
}

var errBroken = errors.New("the source broke")

// What is wrong with a body must never become a part, and its error is the
// body's own.
func TestABadBodyIsNoPart(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		for name, c := range map[string]struct {
			body io.Reader
			want error
		}{
			"short":               {bytes.NewReader(content(mib - 1)), io.ErrUnexpectedEOF},
			"empty":               {strings.NewReader(""), io.ErrUnexpectedEOF},
			"long":                {bytes.NewReader(content(mib + 1)), nil},
			"broken":              {io.MultiReader(bytes.NewReader(content(5000)), broken{}), errBroken},
			"broken at its end":   {io.MultiReader(bytes.NewReader(content(mib)), broken{}), errBroken},
			"whole but unwitting": {io.MultiReader(bytes.NewReader(content(mib)), stuck{}), io.ErrNoProgress},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, w)
				data := content(mib)
				h := r.begin(mib)
				err := r.parts().WriteAt(t.Context(), h, span(0, mib), c.body, relay)
				if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
					t.Errorf("%v, want %v", err, c.want)
				}
				_, err = r.parts().Commit(t.Context(), h, relay)
				r.kind("Commit", err, errs.Invalid)
				r.absent()
				r.write(h, data, 0, mib)
				_, err = r.parts().Commit(t.Context(), h, relay)
				r.must(err)
				r.holds(data)
			})
		}
	})
}

type (
	broken struct{}
	stuck  struct{}
)

func (broken) Read([]byte) (int, error) { return 0, errBroken }
func (stuck) Read([]byte) (int, error)  { return 0, nil }

func TestNothingIsRelayedToo(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		for name, write := range map[string]bool{"written": true, "not one part": false} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, w)
				h := r.begin(0)
				if write {
					r.write(h, nil, 0, 0)
				}
				info, err := r.parts().Commit(t.Context(), h, relay)
				if err != nil || info.Size != 0 {
					t.Errorf("%+v %v", info, err)
				}
				r.holds(nil)
			})
		}
	})
}

func TestAKeyBegunIsTaken(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		h := r.begin(mib)
		_, err := r.parts().Begin(t.Context(), key, mib, relay)
		r.kind("Begin twice", err, errs.Exists)
		pending, err := r.parts().Pending(t.Context(), "", 10)
		r.must(err)
		if len(pending) != 1 || pending[0].Key != key {
			t.Errorf("pending %+v", pending)
		}
		if after, err := r.parts().Pending(t.Context(), key, 10); err != nil || len(after) > 0 {
			t.Errorf("pending after it: %+v %v", after, err)
		}
		r.must(r.parts().Abort(t.Context(), pending[0]))
		r.must(r.parts().Abort(t.Context(), h))
		r.must(r.parts().Abort(t.Context(), blob.Handle{Key: "never"}))
		_, err = r.parts().Commit(t.Context(), h, relay)
		r.kind("Commit after Abort", err, errs.NotFound)
		h = r.begin(mib)
		r.write(h, content(mib), 0, mib)
		_, err = r.parts().Commit(t.Context(), h, relay)
		r.must(err)
		_, err = r.parts().Begin(t.Context(), key, mib, relay)
		r.kind("Begin over an object", err, errs.Exists)
		r.must(r.parts().Abort(t.Context(), h))
		r.holds(content(mib))
	})
}

// 10,000 parts suffice for any size: the part size of an upload rises by itself.
func TestPartsRiseWithTheSize(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		for size, want := range map[int64]string{
			10_000 * mib:   "part=1048576/",
			10_000*mib + 1: "part=1114112/",
			1 << 40:        "part=109969408/",
		} {
			r := newRig(t, w, func(c *xmlstore.Config) { c.PartSize = mib })
			h, err := r.parts().Begin(t.Context(), key, size, relay)
			if err != nil || !strings.HasPrefix(h.Upload, want) {
				t.Errorf("%d bytes: %q %v, want %s", size, h.Upload, err, want)
			}
		}
		r := newRig(t, w)
		_, err := r.parts().Begin(t.Context(), key, 60<<40, relay)
		r.kind("Begin of more than the store takes", err, errs.TooLarge)
	})
}

func TestALostAnswerToACommitIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		data := content(2 * mib)
		h := r.begin(len(data))
		r.write(h, data, 0, len(data))
		r.emu.Front.Fail(shelf.Fault{Kind: shelf.Lost, Method: http.MethodPost, Times: 1})
		info, err := r.parts().Commit(t.Context(), h, relay)
		if err != nil || info.Size != int64(len(data)) {
			t.Errorf("%+v %v", info, err)
		}
		r.holds(data)
	})
}
