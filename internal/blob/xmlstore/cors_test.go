package xmlstore_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob"
	"github.com/wharfinger/wharfinger/internal/errs"
	"github.com/wharfinger/wharfinger/test/emu/shelf"
)

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
	onEach(t, func(t *testing.T, w world) {
		r := newRig(t, w)
		d, front := r.d, r.emu.Front
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

func TestRulesThatCannotBeReadAreLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, w world) {
		for what, kind := range map[string]shelf.Kind{"503": shelf.Busy, "a hotel's page": shelf.Page, "half an answer": shelf.Cut} {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, w)
				d, front := r.d, r.emu.Front
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
	})
}
