package share_test

import (
	"net/http/httptest"
	"testing"

	"github.com/wharfinger/wharfinger/internal/door/share"
)

func TestPasswordsOfShortAddressesAreNotLogged(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/s/X4YfJ/pa55": "/s/X4YfJ", "/s/X4YfJ": "/s/X4YfJ", "/s/X4YfJ/pa/55": "/s/X4YfJ",
		"/api/v4/site/ping": "/api/v4/site/ping", "/": "/",
	} {
		if got := share.WithoutPassword(path); got != want {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}

func TestAShortAddressLeadsToThePage(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"/s/X4YfJ":          "/home?path=cloudreve%3A%2F%2FX4YfJ%40share",
		"/s/X4YfJ/pa55":     "/home?path=cloudreve%3A%2F%2FX4YfJ%3Apa55%40share",
		"/s/X4YfJ/a%26b%3D": "/home?path=cloudreve%3A%2F%2FX4YfJ%3Aa%26b%3D%40share",
		"/s/%2F%2Fevil":     "",
		"/s/":               "",
		"/s/a/b/c":          "",
	} {
		w := httptest.NewRecorder()
		share.Short(w, httptest.NewRequest("GET", at, nil))
		if got := w.Header().Get("Location"); got != want || (w.Code == 302) != (want != "") {
			t.Errorf("%s: %d to %q, want %q", at, w.Code, got, want)
		}
	}
}
