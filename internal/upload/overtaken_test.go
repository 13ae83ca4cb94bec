package upload_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/upload"
)

// behind is a store that answers the first question for a session as it was before.
type behind struct {
	upload.Store
	was *upload.Session
}

func (b *behind) Session(ctx context.Context, id core.SessionID) (upload.Session, error) {
	if was := b.was; was != nil {
		b.was = nil
		return *was, nil
	}
	return b.Store.Session(ctx, id)
}

func TestAChunkThatACompletionOvertakesIsAnsweredAsADuplicate(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{10, 40} {
		w := setup(t)
		s := w.create("/f", size).Session
		data := content(4, size)
		was, err := w.store.Upload().Session(t.Context(), s.ID)
		must(t, err)
		w.sendAll(s, data)
		w.engine = upload.New(upload.Options{
			Store: &behind{w.store.Upload(), &was}, Catalog: w.catalog, Buckets: w, Keyring: w.keyring, Clock: w.clock,
		})
		if _, err := w.send(s, 0, data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(w.read("/f"), data) {
			t.Errorf("%d bytes: the file has changed", size)
		}
	}
}

// lost is a store whose commits happen and are reported as failed, as when the
// connection ends at the wrong moment.
type lost struct{ upload.Store }

var errLost = errors.New("the connection ended")

func (l lost) InTx(ctx context.Context, fn func(upload.Tx) error) error {
	return errors.Join(l.Store.InTx(ctx, fn), errLost)
}

func TestBytesOfACommitThatNobodyKnowsOfAreKept(t *testing.T) {
	t.Parallel()
	for _, again := range []string{"the creator's own", "another process's"} {
		w := setupPacks(t)
		s := w.create("/f", 10).Session
		data := content(4, 10)
		good := w.engine
		bad := upload.New(upload.Options{
			Store: lost{w.store.Upload()}, Catalog: w.catalog, Buckets: w, Keyring: w.keyring, Clock: w.clock,
		})
		w.engine = bad
		if _, err := w.send(s, 0, data); !errors.Is(err, errLost) {
			t.Fatalf("%s: %v", again, err)
		}
		w.engine = good
		if again != "the creator's own" {
			w.restart()
		}
		if _, err := w.send(s, 0, data); err != nil {
			t.Errorf("%s: the chunk again: %v", again, err)
		}
		if !bytes.Equal(w.read("/f"), data) {
			t.Errorf("%s: the file has other bytes", again)
		}
	}
}
