package rest

import (
	"fmt"
	"net/http"
	"testing"
)

func FuzzContentRangeNamesBytesOrIsRefused(f *testing.F) {
	for _, s := range []string{
		"bytes 0-0/1", "bytes 0-16383/*", "bytes 5-4/10", "bytes=0-1", "bytes 0-1", "bytes -1/2", "bytes 0-/2", "bytes 0-9/9",
		"bytes +0-1/2", "bytes 0-9223372036854775807/*", "bytes 9223372036854775806-9223372036854775806/*", "bytes 0-1/2/3", "bytes 1-*/4",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		r := &http.Request{Header: http.Header{"Content-Range": {field}}}
		p, err := pieceOf(r)
		switch {
		case err != nil || field == "":
			if p != nil {
				t.Errorf("%q: a piece and %v", field, err)
			}
			return
		case !p.Valid() || p.Len() == 0 || p.size >= 0 && p.To > p.size:
			t.Fatalf("%q: %+v", field, p)
		}
		total := "*"
		if p.size >= 0 {
			total = fmt.Sprint(p.size)
		}
		r.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", p.From, p.To-1, total))
		again, err := pieceOf(r)
		if err != nil || *again != *p {
			t.Errorf("%q: read again as %+v, %v", field, again, err)
		}
	})
}
