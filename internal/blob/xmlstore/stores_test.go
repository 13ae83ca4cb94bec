package xmlstore_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/blob/cosblob"
	"github.com/wharfinger/wharfinger/internal/blob/obsblob"
	"github.com/wharfinger/wharfinger/internal/blob/ossblob"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/cos"
	"github.com/wharfinger/wharfinger/test/emu/obs"
	"github.com/wharfinger/wharfinger/test/emu/oss"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return start }

// stores are those that stand on the package. What it does for all of them is tried
// on each.
var stores = map[string]func(*testing.T) (blob.Driver, *shelf.Front){
	"cos": func(t *testing.T) (blob.Driver, *shelf.Front) {
		e := cos.New(cos.Options{Bucket: "files-1250000000", Region: "ap-guangzhou", AccessKey: "id", SecretKey: "key", Clock: clock})
		d, err := cosblob.Open(t.Context(), cosblob.Config{
			Bucket: "files-1250000000", Region: "ap-guangzhou", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
		}, way(t, e), clock)
		return must(t, d, err), e.Front
	},
	"obs": func(t *testing.T) (blob.Driver, *shelf.Front) {
		e := obs.New(obs.Options{Bucket: "files", Region: "cn-north-4", AccessKey: "id", SecretKey: "key", Clock: clock})
		d, err := obsblob.Open(t.Context(), obsblob.Config{
			Bucket: "files", Region: "cn-north-4", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
		}, way(t, e), clock)
		return must(t, d, err), e.Front
	},
	"oss": func(t *testing.T) (blob.Driver, *shelf.Front) {
		e := oss.New(oss.Options{Bucket: "files", Region: "cn-hangzhou", AccessKey: "id", SecretKey: "key", Clock: clock})
		d, err := ossblob.Open(t.Context(), ossblob.Config{
			Bucket: "files", Region: "cn-hangzhou", Endpoint: "http://" + e.Host(), AccessKey: "id", SecretKey: "key",
		}, way(t, e), clock)
		return must(t, d, err), e.Front
	},
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// way leads every name to h.
func way(t *testing.T, h http.Handler) http.RoundTripper {
	t.Helper()
	server := httptest.NewServer(h)
	rt := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}}
	t.Cleanup(func() { rt.CloseIdleConnections(); server.Close() })
	return rt
}

// asks is what a browser asks before a page of origin may send.
func asks(f *shelf.Front, origin string) string {
	r := httptest.NewRequest(http.MethodOptions, "/k", nil)
	r.Header.Set("Origin", origin)
	r.Header.Set("Access-Control-Request-Method", http.MethodPut)
	r.Header.Set("Access-Control-Request-Headers", "content-type")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Header().Get("Access-Control-Allow-Origin")
}

func TestOriginsAreLetInAndRulesOfOthersStay(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, front := open(t)
			allow := func(origins ...string) {
				t.Helper()
				if err := d.(blob.Origins).AllowOrigins(t.Context(), origins); err != nil {
					t.Fatal(err)
				}
			}
			allow("https://first.example")
			if asks(front, "https://first.example") == "" || asks(front, "https://other.example") != "" {
				t.Errorf("the first rule is %s", front.CORS())
			}
			const theirs = "<AllowedOrigin>https://theirs.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><MaxAgeSeconds>7</MaxAgeSeconds>"
			text := strings.Replace(string(front.CORS()), "<CORSRule>", "<CORSRule>"+theirs+"</CORSRule><CORSRule>", 1)
			text = strings.Replace(text, "</CORSConfiguration>", "<ResponseVary>true</ResponseVary></CORSConfiguration>", 1)
			if err := front.SetCORS([]byte(text), true); err != nil {
				t.Fatal(err)
			}
			allow("https://second.example", "https://third.example")
			allow("https://second.example", "https://third.example")
			for origin, in := range map[string]bool{
				"https://first.example": false, "https://second.example": true, "https://third.example": true, "https://theirs.example": true,
			} {
				if got := asks(front, origin); (got != "") != in {
					t.Errorf("%s: let in as %q", origin, got)
				}
			}
			now := string(front.CORS())
			if first := strings.Index(now, "second.example"); first < 0 || first > strings.Index(now, "theirs.example") {
				t.Errorf("a rule of others comes first: %s", now)
			}
			if strings.Count(now, "<CORSRule>") != 2 || !strings.Contains(now, theirs) || !strings.Contains(now, "<ResponseVary>true</ResponseVary>") {
				t.Errorf("the rules are %s", now)
			}
		})
	}
}

func TestRulesThatCannotBeReadAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		for what, kind := range map[string]shelf.Kind{"503": shelf.Busy, "a hotel's page": shelf.Page, "half an answer": shelf.Cut} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				d, front := open(t)
				front.Fail(shelf.Fault{Kind: kind, Query: "cors", Method: http.MethodGet, Times: 2})
				if kind == shelf.Cut {
					if err := front.SetCORS([]byte("<CORSConfiguration><CORSRule><AllowedOrigin>https://theirs.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>"), true); err != nil {
						t.Fatal(err)
					}
				}
				was := string(front.CORS())
				err := d.(blob.Origins).AllowOrigins(t.Context(), []string{"https://first.example"})
				if err == nil || d.Classify(err) != errs.Transient || !strings.Contains(err.Error(), "CORS rules") {
					t.Errorf("%v", err)
				}
				if now := string(front.CORS()); now != was {
					t.Errorf("the rules were %q and are %q", was, now)
				}
			})
		}
	}
}
