package upload_test

import (
	"bytes"
	"context"
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
