package upload_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/internal/upload"
)

func wantReason(t *testing.T, err error, r errs.Reason) {
	t.Helper()
	if !errs.Has(err, r) {
		t.Fatalf("got %v, want reason %s", err, r)
	}
}

func TestAFileIsWhatWasSentInWhateverOrder(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, 1, 15, 16, 17, 32, 100} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w := setup(t)
			data := content(uint64(size), size)
			s := w.create("/d/f.bin", size).Session
			n := blob.Chunks(size, 16)
			for i := n - 1; i >= 0; i-- {
				got, err := w.send(s, i, data)
				must(t, err)
				if got.Done != (i == 0) {
					t.Fatalf("chunk %d: done %v", i, got.Done)
				}
			}
			if !bytes.Equal(w.read("/d/f.bin"), data) {
				t.Fatal("the file differs")
			}
			if c := w.capacity(); c.Used != size || c.Reserved != 0 {
				t.Fatalf("%+v", c)
			}
			if finished, pending := w.blobs(); finished != 1 || pending != 0 {
				t.Fatalf("%d finished, %d pending", finished, pending)
			}
		})
	}
}

func TestARepeatedChunkIsHarmlessBeforeAndAfterCompletion(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	for range 2 {
		for i := range int64(3) {
			for range 2 {
				_, err := w.send(s, i, data)
				must(t, err)
			}
		}
	}
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
	vs, err := w.catalog.VersionsOf(t.Context(), find(w, "/f"))
	must(t, err)
	if len(vs) != 1 {
		t.Fatalf("%d versions", len(vs))
	}
	w.pass(25 * time.Hour)
	_, err = w.send(s, 0, data)
	wantReason(t, err, errs.SessionGone)
}

func find(w *world, path string) catalog.Node {
	w.t.Helper()
	n, err := w.catalog.Find(w.t.Context(), w.who, at(w.t, path))
	must(w.t, err)
	return n
}

func TestOtherBytesForAReceivedChunkAreRefusedAndKeepNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data, other := content(1, 40), content(2, 40)
	s := w.create("/f", 40).Session
	_, err := w.send(s, 0, data)
	must(t, err)
	_, err = w.send(s, 0, other)
	wantReason(t, err, errs.ChunkDiffers)
	_, err = w.send(s, 1, data)
	must(t, err)
	_, err = w.send(s, 2, data)
	must(t, err)
	_, err = w.send(s, 2, other)
	wantReason(t, err, errs.ChunkDiffers)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file changed")
	}
}

func TestAChunkThatEndsEarlyOrLateCountsForNothing(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	first := core.Range{To: 16}
	_, err := w.write(s.ID, first, bytes.NewReader(data[:10]))
	wantReason(t, err, errs.ChunkShort)
	_, err = w.write(s.ID, first, bytes.NewReader(data[:17]))
	wantReason(t, err, errs.ChunkLength)
	_, err = w.write(s.ID, first, io.MultiReader(bytes.NewReader(data[:3]), iotestErr{}))
	if err == nil {
		t.Fatal("a broken body was taken")
	}
	p, err := w.engine.Progress(t.Context(), w.who, s.ID)
	must(t, err)
	if p.Session.Received != 0 || p.Received != nil {
		t.Fatalf("%+v", p)
	}
	w.sendAll(s, data)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestAWrongDigestRefusesTheChunk(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 16)
	s := w.create("/f", 16).Session
	send := func(crc uint64) error {
		_, err := w.engine.Write(t.Context(), w.who, upload.Chunk{
			Session: s.ID, Body: bytes.NewReader(data), Want: []blob.Digest{blob.CRC(crc)},
			Place: func(upload.Session) (core.Range, error) { return core.Range{To: 16}, nil },
		})
		return err
	}
	wantReason(t, send(42), errs.DigestMismatch)
	got, err := blob.Measure(blob.Write{Range: core.Range{To: 16}, Body: bytes.NewReader(data)}, false)
	must(t, err)
	must(t, send(got.CRC64))
}

func TestEveryIndexHasOneDefinedAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	s := w.create("/f", 40).Session
	for _, r := range []core.Range{{From: -1, To: 3}, {From: 0, To: 41}, {From: 40, To: 56}, {From: 5, To: 2}, {From: 1 << 62, To: 1<<62 + 1}} {
		_, err := w.write(s.ID, r, bytes.NewReader(nil))
		wantReason(t, err, errs.ChunkIndex)
	}
}

func TestOnlyItsOwnerSeesAdvancesOrEndsAnUpload(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 16)
	s := w.create("/f", 16).Session
	for name, who := range map[string]core.Actor{"another user": w.other, "nobody": {}} {
		_, err := w.engine.Write(t.Context(), who, upload.Chunk{
			Session: s.ID, Body: bytes.NewReader(data),
			Place: func(upload.Session) (core.Range, error) {
				t.Errorf("%s: asked for the place", name)
				return core.Range{To: 16}, nil
			},
		})
		wantReason(t, err, errs.SessionGone)
		_, err = w.engine.Progress(t.Context(), who, s.ID)
		wantReason(t, err, errs.SessionGone)
		wantReason(t, w.engine.Abort(t.Context(), who, s.ID), errs.SessionGone)
	}
	w.sendAll(s, data)
}

func TestASessionSurvivesARestart(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	_, err := w.send(s, 1, data)
	must(t, err)
	w.restart()
	p, err := w.engine.Progress(t.Context(), w.who, s.ID)
	must(t, err)
	if diff := cmp.Diff(core.RangeSet{{From: 16, To: 32}}, p.Received); diff != "" {
		t.Fatal(diff)
	}
	_, err = w.send(s, 0, data)
	must(t, err)
	_, err = w.send(s, 2, data)
	must(t, err)
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestParallelLastChunksCompleteExactlyOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 100)
	s := w.create("/f", 100).Session
	for i := range int64(6) {
		_, err := w.send(s, i, data)
		must(t, err)
	}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := w.send(s, 6, data); err != nil && !errs.Is(err, errs.Transient) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	vs, err := w.catalog.VersionsOf(t.Context(), find(w, "/f"))
	must(t, err)
	if c := w.capacity(); len(vs) != 1 || c.Used != 100 || c.Reserved != 0 {
		t.Fatalf("%d versions, %+v", len(vs), c)
	}
}

func TestParallelChunksOfOneFile(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(3, 16*50)
	s := w.create("/f", int64(len(data))).Session
	var wg sync.WaitGroup
	for i := range int64(50) {
		wg.Go(func() {
			if _, err := w.send(s, i, data); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestADeadSenderMakesWayForTheNext(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 16)
	s := w.create("/f", 16).Session
	stuck, stop := io.Pipe()
	entered := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := w.engine.Write(t.Context(), w.who, upload.Chunk{
			Session: s.ID, Body: stuck, Yield: func() { stop.CloseWithError(errors.New("yield")) },
			Place: func(upload.Session) (core.Range, error) { close(entered); return core.Range{To: 16}, nil },
		})
		done <- err
	}()
	<-entered
	_, _ = stop.Write(data[:1]) // the sender is inside now
	_, err := w.send(s, 0, data)
	must(t, err)
	if err := <-done; err == nil {
		t.Fatal("the dead sender succeeded")
	}
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestTheWholeFileInOneRequestIsTakenOnlyAlone(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/whole", 40).Session
	_, err := w.write(s.ID, core.Range{To: 40}, bytes.NewReader(data))
	must(t, err)
	if !bytes.Equal(w.read("/whole"), data) {
		t.Fatal("the file differs")
	}
	s = w.create("/mixed", 40).Session
	_, err = w.send(s, 1, data)
	must(t, err)
	_, err = w.write(s.ID, core.Range{To: 40}, bytes.NewReader(data))
	wantReason(t, err, errs.ChunkLength)
	_, err = w.send(s, 0, data)
	must(t, err)
	_, err = w.send(s, 2, data)
	must(t, err)
	if !bytes.Equal(w.read("/mixed"), data) {
		t.Fatal("the file differs")
	}
}

func TestAChunkMayComeInPieces(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	piece := func(from, to int64) error {
		_, err := w.write(s.ID, core.Range{From: from, To: to}, bytes.NewReader(data[from:to]))
		return err
	}
	must(t, piece(4, 9))
	must(t, piece(4, 9))
	// What shares a byte with a part and is not it comes in never, and spoils nothing.
	for _, r := range [][2]int64{{0, 16}, {4, 8}, {5, 9}, {5, 8}, {0, 5}, {8, 16}, {0, 40}} {
		wantReason(t, piece(r[0], r[1]), errs.ChunkLength)
	}
	must(t, piece(0, 4))
	must(t, piece(9, 16))
	must(t, piece(0, 16)) // the chunk as a whole is what its pieces are
	must(t, piece(0, 9))
	other := bytes.Clone(data)
	other[12] ^= 1
	_, err := w.send(s, 0, other)
	wantReason(t, err, errs.ChunkDiffers)
	p, err := w.engine.Progress(t.Context(), w.who, s.ID)
	must(t, err)
	if p.Session.Received != 16 || !slices.Equal(p.Received, core.RangeSet{{To: 16}}) {
		t.Fatalf("received %d, %v", p.Session.Received, p.Received)
	}
	must(t, piece(32, 40))
	must(t, piece(16, 32))
	must(t, piece(0, 40))
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}

func TestOfPiecesThatShareBytesOneIsWritten(t *testing.T) {
	t.Parallel()
	w := setup(t)
	data := content(1, 40)
	s := w.create("/f", 40).Session
	body, sender := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := w.engine.Write(t.Context(), w.who, upload.Chunk{
			Session: s.ID, Body: body, Yield: func() {}, // a sender that does not make way
			Place: func(upload.Session) (core.Range, error) { return core.Range{To: 16}, nil },
		})
		done <- err
	}()
	_, err := sender.Write(data[:7]) // it is inside now
	must(t, err)
	_, err = w.write(s.ID, core.Range{From: 8, To: 16}, bytes.NewReader(data[8:16]))
	wantReason(t, err, errs.ChunkBusy)
	_, err = sender.Write(data[7:16])
	must(t, err)
	must(t, sender.Close())
	must(t, <-done)
	_, err = w.write(s.ID, core.Range{From: 8, To: 16}, bytes.NewReader(data[8:16]))
	wantReason(t, err, errs.ChunkLength)
	for i := range int64(2) {
		_, err = w.send(s, i+1, data)
		must(t, err)
	}
	if !bytes.Equal(w.read("/f"), data) {
		t.Fatal("the file differs")
	}
}
