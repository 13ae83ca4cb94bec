package rest

import (
	"io"
	"mime"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/internal/catalog"
	"github.com/wharfinger/wharfinger/internal/core"
	"github.com/wharfinger/wharfinger/internal/door/desk"
	"github.com/wharfinger/wharfinger/internal/errs"
)

func door() *Door {
	return New(Options{Desk: desk.New(desk.Options{
		IDs: core.NewIDs([32]byte{1}), Clock: func() time.Time { return time.Unix(1, 0) }, Stall: time.Minute,
	})})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursorOf(catalog.Node{ID: 7, Key: "a", Size: 1, Created: time.UnixMicro(5), Updated: time.UnixMicro(6)}))
	f.Add("W10")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := readCursor(text)
		if err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && n != nil {
			again, err := readCursor(cursorOf(*n))
			if err != nil || !cmp.Equal(*n, *again) {
				t.Errorf("%q reads as %+v, then as %+v (%v)", text, n, again, err)
			}
		}
	})
}

func FuzzDisposition(f *testing.F) {
	for _, s := range []string{"a.txt", `a"b`, `a\b`, "a;b", "a b", "ёж", "\u202egpj.exe", "a\r\nX: y", "%41", "'", "", strings.Repeat("a", 10<<10)} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, name string, inline bool) {
		text := disposition(name, inline)
		if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
			t.Fatalf("%q: raw in a header: %q", name, text)
		}
		kind, params, err := mime.ParseMediaType(text)
		if err != nil {
			t.Fatalf("%q: %q: %v", name, text, err)
		}
		if want := map[bool]string{true: "inline", false: "attachment"}[inline]; kind != want {
			t.Errorf("%q is %s, want %s", name, kind, want)
		}
		if params["filename"] != name {
			t.Errorf("%q reads as %q", name, params["filename"])
		}
	})
}

func FuzzChunkIndex(f *testing.F) {
	for _, s := range []string{"0", "-1", "+1", "9223372036854775808", "0x0", "１", "-0", " 1"} {
		f.Add(s)
	}
	plain := regexp.MustCompile(`^[0-9]+$`)
	d := door()
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.SetPathValue("index", text)
		r.SetPathValue("sessionId", "x")
		// A token that does not count is looked at after the index.
		err := d.sendChunk(&desk.Call{R: r, BadToken: errs.New(errs.Unauthenticated, errs.BadToken)})
		if got, want := errs.Has(err, errs.TokenExpired), plain.MatchString(text); got != want {
			t.Errorf("index %q is taken: %v, want %v (%v)", text, got, want, err)
		}
	})
}

// FuzzRange: whatever is asked for, the answer is a part of the content.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-1", "bytes=-0", "bytes=-2", "bytes=0-0,2-3", "bytes=9223372036854775807-", "bytes=1-0"} {
		f.Add(s)
	}
	d := door()
	const content = "0123456789"
	f.Fuzz(func(t *testing.T, ranges string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Range", ranges)
		w := httptest.NewRecorder()
		d.send(&desk.Call{W: w, R: r}, catalog.Body{ReadSeekCloser: nopCloser{strings.NewReader(content)}}, "a", false, "no-store")
		switch {
		case w.Code == 200 && w.Body.String() == content, w.Code == 416:
		case w.Code == 206 && w.Body.Len() > 0 && w.Body.Len() < 8<<10:
		default:
			t.Errorf("%q: HTTP %d, %d bytes", ranges, w.Code, w.Body.Len())
		}
	})
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func TestRoomIsBoundedForEachAndForAll(t *testing.T) {
	t.Parallel()
	r := newRoom(3, 2)
	var leave []func()
	for _, c := range []struct {
		who core.UserID
		ok  bool
	}{{1, true}, {1, true}, {1, false}, {2, true}, {2, false}, {3, false}} {
		l, err := r.enter(c.who)
		if (err == nil) != c.ok || err != nil && !errs.Has(err, errs.Overload) {
			t.Fatalf("user %d: %v, want room: %v", c.who, err, c.ok)
		}
		if l != nil {
			leave = append(leave, l)
		}
	}
	for _, l := range leave {
		l()
	}
	if r.all != 0 || len(r.each) != 0 {
		t.Errorf("left behind: %d, %v", r.all, r.each)
	}
}
