package shelf_test

import (
	"errors"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

func TestACompletionKeepsTheLawsOfStores(t *testing.T) {
	t.Parallel()
	s := shelf.New(shelf.Options{Clock: func() time.Time { return time.Unix(0, 0) }, MinPart: 3, Gapless: true})
	id := s.Begin("k", "text/plain")
	var named []shelf.Named
	for i, data := range []string{"abc", "de", "f"} {
		p, err := s.PutPart("k", id, i+1, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		named = append(named, shelf.Named{Number: p.Number, ETag: p.ETag})
	}
	for want, parts := range map[error][]shelf.Named{
		shelf.ErrSmall: named,
		shelf.ErrOrder: {named[0], named[0]},
		shelf.ErrPart:  {named[0], named[2]},
	} {
		if _, err := s.Complete("k", id, parts, true); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := s.Complete("other", id, named[:2], true); !errors.Is(err, shelf.ErrNoUpload) {
		t.Errorf("an upload of another key: %v", err)
	}
	// The ETag is the MD5 of the MD5s of abc and de.
	o, err := s.Complete("k", id, named[:2], true)
	if err != nil || string(o.Data) != "abcde" || o.ETag != "fd279fa64fe1fa9a3551a4a88ae83424-2" {
		t.Errorf("%+v %v", o, err)
	}
	if _, err := s.Complete("k", id, named[:2], true); !errors.Is(err, shelf.ErrNoUpload) {
		t.Errorf("a second completion: %v", err)
	}
	if _, err := s.Put("k", "", nil, true); !errors.Is(err, shelf.ErrExists) {
		t.Errorf("Put over: %v", err)
	}
}
