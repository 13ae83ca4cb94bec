//go:build linux

package load

import (
	"bytes"
	"strings"
	"testing"
)

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	t.Parallel()

	for _, addr := range []string{"192.0.2.1:80", "example.com:80", "0.0.0.0:80", "localhost:80", "127.0.0.1"} {
		if _, err := New(V4, addr); err == nil {
			t.Errorf("%s was taken", addr)
		}
	}
	if _, err := New(V4, "127.0.0.1:80"); err != nil {
		t.Error(err)
	}
}

func TestContentIsTheSameInPieces(t *testing.T) {
	t.Parallel()

	s := newSource(payloadLen-1000, 3<<20) // over the end of the buffer
	var whole, pieces bytes.Buffer
	if err := s.writeTo(&whole, 0, s.size); err != nil {
		t.Fatal(err)
	}
	for off := int64(0); off < s.size; off += 70_000 {
		if err := s.writeTo(&pieces, off, min(70_000, s.size-off)); err != nil {
			t.Fatal(err)
		}
	}
	if int64(whole.Len()) != s.size || !bytes.Equal(whole.Bytes(), pieces.Bytes()) {
		t.Error("pieces differ from the whole")
	}
	if other := newSource(7, 3<<20); other.sum() == s.sum() {
		t.Error("two seeds, one content")
	}
}

func TestABatchAnswerHasEveryFileAndAnEnd(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		body string
		ok   bool
	}{
		{`{"index":0,"code":0} {"index":1,"code":0} {"done":2,"code":0}`, true},
		{`{"index":0,"code":0} {"index":1,"code":0}`, false},
		{`{"index":0,"code":0} {"done":1,"code":0}`, false},
		{`{"index":0,"code":0} {"index":0,"code":0} {"done":2,"code":0}`, false},
		{`{"index":0,"code":0} {"index":1,"code":40004} {"done":2,"code":0}`, false},
		{`{"code":401}`, false},
		{``, false},
	} {
		if err := allAnswered([]byte(strings.ReplaceAll(c.body, " ", "\n")), 2); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.body, err)
		}
	}
}
