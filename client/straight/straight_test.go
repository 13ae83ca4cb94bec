package straight_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/client/straight"
)

// page gives out addresses of a store of that kind with two parts.
func page(at string, calls *int) func(context.Context, int, bool) (straight.Page, error) {
	return func(_ context.Context, from int, _ bool) (straight.Page, error) {
		*calls++
		return straight.Page{
			From: from, Parts: []string{at + "/part?n=0", at + "/part?n=1"}[from:], Complete: at + "/end",
			Header: map[string]string{"X-Signed": "yes"},
		}, nil
	}
}

func body(text string) (func() io.ReadCloser, int64) {
	return func() io.ReadCloser { return io.NopCloser(strings.NewReader(text)) }, int64(len(text))
}

func put(t *testing.T, u *straight.Upload, part int, text string) error {
	t.Helper()
	open, n := body(text)
	return u.Put(t.Context(), part, open, n)
}

// store is a server that answers as fn says.
func store(t *testing.T, fn http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	return s.URL
}

func TestPartsAndTheirEndAreSentAsTheStoreSignedThem(t *testing.T) {
	t.Parallel()
	const list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"t0\"</ETag></Part>" +
		"<Part><PartNumber>2</PartNumber><ETag>\"t1\"</ETag></Part></CompleteMultipartUpload>"
	for name, c := range map[string]struct {
		end  straight.End
		want string
	}{
		"nothing said":   {straight.End{}, "POST " + list},
		"with a list":    {straight.End{Method: http.MethodPost, Header: map[string]string{"X-Forbid-Overwrite": "true"}}, "POST true " + list},
		"without a list": {straight.End{Method: http.MethodPut, Bare: true}, "PUT "},
	} {
		var got []string
		calls := 0
		addresses := page(store(t, func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			line := strings.Fields(r.Method + " " + r.Header.Get("X-Forbid-Overwrite"))
			got = append(got, r.URL.RequestURI()+" "+strings.Join(line, " ")+" "+string(text))
			if r.Header.Get("X-Signed") != "yes" && r.URL.Path == "/part" || r.Header.Get("Authorization") != "" {
				t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
			}
			w.Header().Set("ETag", `"t`+r.URL.Query().Get("n")+`"`)
		}), &calls)
		u := straight.New("s3", http.DefaultClient, func(ctx context.Context, from int, stored bool) (straight.Page, error) {
			p, err := addresses(ctx, from, stored)
			p.End = c.end
			return p, err
		})
		for n, text := range []string{"first", "second"} {
			if err := put(t, u, n, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := u.Complete(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"/part?n=0 PUT first", "/part?n=1 PUT second", "/end " + c.want}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if calls != 1 {
			t.Errorf("%s: addresses were asked for %d times", name, calls)
		}
	}
}

func TestAnUploadIsNotEndedWithoutAllOfItsParts(t *testing.T) {
	t.Parallel()
	calls := 0
	u := straight.New("s3", http.DefaultClient, page("http://nowhere.invalid", &calls))
	if err := u.Complete(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "part 1 was not sent") {
		t.Errorf("it says %v", err)
	}
}

func TestAnAddressThatIsRefusedIsRenewedOnceAndThenTheStoreIsQuoted(t *testing.T) {
	t.Parallel()
	for _, refusals := range []int{1, 2} {
		calls, left := 0, refusals
		u := straight.New("s3", http.DefaultClient, page(store(t, func(w http.ResponseWriter, _ *http.Request) {
			if left--; left >= 0 {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
				return
			}
			w.Header().Set("ETag", `"t"`)
		}), &calls))
		err := put(t, u, 0, "x")
		refused, is := errors.AsType[*straight.Refused](err)
		switch {
		case refusals == 1 && err != nil, refusals == 2 && !is, calls != 2:
			t.Errorf("%d refusals: %v; addresses were asked for %d times", refusals, err, calls)
		case is && (refused.Code != "AccessDenied" || refused.Message != "Request has expired" || refused.Status != http.StatusForbidden):
			t.Errorf("%+v", refused)
		}
	}
}

func TestPartsOnTheirWayTogetherRenewTheirAddressesOnce(t *testing.T) {
	t.Parallel()
	calls := 0
	late, renewed := make(chan struct{}), make(chan struct{})
	at := store(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.RequestURI() {
		case "/1/1":
			close(late) // and is answered when the other has new addresses
			<-renewed
			fallthrough
		case "/1/0":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.Header().Set("ETag", `"t"`)
		}
	})
	u := straight.New("s3", http.DefaultClient, func(_ context.Context, from int, _ bool) (straight.Page, error) {
		calls++
		signing := fmt.Sprint(at, "/", calls, "/")
		return straight.Page{From: from, Parts: []string{signing + "0", signing + "1"}[from:], Complete: at + "/end"}, nil
	})
	if _, _, err := u.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	open, n := body("second")
	go func() { second <- u.Put(t.Context(), 1, open, n) }()
	<-late
	err := put(t, u, 0, "first")
	close(renewed)
	if err2 := <-second; err != nil || err2 != nil || calls != 2 {
		t.Errorf("%v, %v; addresses were asked for %d times", err, err2, calls)
	}
}

func TestAnEndThatIsRefusedIsRenewedOnceAndThenTheStoreIsQuoted(t *testing.T) {
	t.Parallel()
	for _, refusals := range []int{1, 2} {
		calls, left := 0, refusals
		u := straight.New("s3", http.DefaultClient, page(store(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/end" {
				if left--; left >= 0 {
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
				}
				return
			}
			w.Header().Set("ETag", `"t"`)
		}), &calls))
		if err := put(t, u, 0, "x"); err != nil {
			t.Fatal(err)
		}
		err := u.Complete(t.Context(), 1)
		if (err == nil) != (refusals == 1) || calls != 2 || err != nil && !strings.Contains(err.Error(), "AccessDenied Request has expired") {
			t.Errorf("%d refusals: %v; addresses were asked for %d times", refusals, err, calls)
		}
	}
}

func TestWhatIsNoSuccessIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   straight.Refused
	}{
		"a page of HTML": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = io.WriteString(w, "<html><body>busy<br></body>")
			},
			straight.Refused{Op: "send part", Status: 503, After: 7 * time.Second},
		},
		"an error after a success": {
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<Error><Code>InternalError</Code></Error>")
			},
			straight.Refused{Op: "send part", Status: 500, Code: "InternalError"},
		},
	} {
		calls := 0
		u := straight.New("s3", http.DefaultClient, page(store(t, c.answer), &calls))
		refused, _ := errors.AsType[*straight.Refused](put(t, u, 0, "x"))
		if refused == nil || *refused != c.want {
			t.Errorf("%s: %+v", name, refused)
		}
	}
	calls := 0
	u := straight.New("s3", http.DefaultClient, page(store(t, func(http.ResponseWriter, *http.Request) {}), &calls))
	if err := put(t, u, 0, "x"); err == nil || !strings.Contains(err.Error(), "no ETag") {
		t.Errorf("without an ETag: %v", err)
	}
}

// TestAStoreThatCannotBeReachedIsToldFromOneThatBrokeOff makes each fault.
func TestAStoreThatCannotBeReachedIsToldFromOneThatBrokeOff(t *testing.T) {
	t.Parallel()
	silent := func(s *httptest.Server) string {
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		t.Cleanup(s.Close)
		return s.URL
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	tlsServer := httptest.NewUnstartedServer(http.NotFoundHandler())
	tlsServer.StartTLS()
	plain := store(t, http.NotFound)
	refusing := store(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	through := func(proxy string) *http.Client {
		at, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}
	}
	broken := store(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, 1)
		panic(http.ErrAbortHandler)
	})
	cut := store(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "<Er")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	own := &http.Client{Transport: &http.Transport{}}
	for name, c := range map[string]struct {
		client *http.Client
		at     string
		final  bool
	}{
		"no such name":                 {own, "http://nowhere.invalid", true},
		"nobody listens":               {own, closed.URL, true},
		"no such proxy":                {through(closed.URL), "http://store.example", true},
		"a proxy that refuses CONNECT": {through(refusing), "https://store.example", true},
		"an unknown certificate":       {own, silent(tlsServer), true},
		"no TLS behind https":          {own, strings.Replace(plain, "http:", "https:", 1), true},
		"it broke off":                 {own, broken, false},
		"its answer broke off":         {own, cut, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			u := straight.New("s3", c.client, page(c.at, &calls))
			err := put(t, u, 0, strings.Repeat("x", 1<<20))
			away, is := errors.AsType[*straight.Unreachable](err)
			if !is || away.Final() != c.final || errors.Unwrap(away) == nil {
				t.Errorf("%v: out of reach %v, for good %v", err, is, is && away.Final())
			}
		})
	}
}

func TestWhoGivesUpIsToldWhy(t *testing.T) {
	t.Parallel()
	calls := 0
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	u := straight.New("s3", http.DefaultClient, page(store(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel(why)
		<-r.Context().Done()
	}), &calls))
	open, n := body("x")
	if err := u.Put(ctx, 0, open, n); !errors.Is(err, why) {
		t.Errorf("it says %v", err)
	}
}

func TestAPartIsComparedByItsTagAndOneThatCameOverItIsNotOurs(t *testing.T) {
	t.Parallel()
	listed := []straight.Stored{{Index: 0, Size: 5, ETag: `"5d41402abc4b2a76b9719d911017c592"`}, {Index: 1, Size: 5, ETag: `"5D41402ABC4B2A76B9719D911017C592-1"`}}
	u := straight.New("s3", http.DefaultClient, func(context.Context, int, bool) (straight.Page, error) {
		return straight.Page{Stored: listed}, nil
	})
	parts, _, err := u.Look(t.Context())
	if err != nil || len(parts) != 2 {
		t.Fatal(parts, err)
	}
	for text, want := range map[string]bool{"hallo": false, "hello": true} {
		if same, err := u.Holds(parts[0], strings.NewReader(text)); err != nil || same != want {
			t.Errorf("%s: %v, %v", text, same, err)
		}
	}
	if same, err := u.Holds(parts[1], strings.NewReader("else")); err != nil || !same {
		t.Errorf("a tag that is no digest tells nothing: %v, %v", same, err)
	}
	if _, err := u.Holds(parts[0], io.MultiReader(strings.NewReader("h"), errReader{})); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that cannot be read: %v", err)
	}
	listed = []straight.Stored{{Index: 0, Size: 5, ETag: `"00000000000000000000000000000000"`}, listed[1]}
	if parts, _, err = u.Look(t.Context()); err != nil || len(parts) != 1 || parts[0].Index != 1 {
		t.Errorf("after another part came over ours: %v, %v", parts, err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestRetryAfterIsReadInBothItsForms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for asked, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "99999999999": time.Duration(1<<30) * time.Second,
		"Mon, 23 Nov 2026 12:00:30 GMT": 30 * time.Second, "Mon, 23 Nov 2026 11:00:30 GMT": 0,
	} {
		if got := straight.RetryAfter(http.Header{"Retry-After": {asked}}, now); got != want {
			t.Errorf("%q: %v, want %v", asked, got, want)
		}
	}
}
