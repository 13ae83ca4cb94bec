package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestForwardedAddressesCountOnlyFromTrustedProxies(t *testing.T) {
	t.Parallel()
	p, err := parseProxies([]string{"10.0.0.0/8", "::1", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:1234", "198.51.100.1", "203.0.113.9:1234"},
		{"10.1.2.3:1234", "198.51.100.1", "198.51.100.1:0"},
		{"10.1.2.3:1234", "198.51.100.1, 10.9.9.9", "198.51.100.1:0"},
		{"10.1.2.3:1234", "spoofed, 198.51.100.1", "198.51.100.1:0"},
		{"10.1.2.3:1234", "198.51.100.1, 203.0.113.5", "203.0.113.5:0"},
		{"10.1.2.3:1234", "", "10.1.2.3:1234"},
		{"[::1]:9", "2001:db8::1", "[2001:db8::1]:0"},
		{"@", "198.51.100.1", "@"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := p.unfold(r).RemoteAddr; got != c.want {
			t.Errorf("%s via %s: %s, want %s", c.forwarded, c.peer, got, c.want)
		}
	}
	if _, err := parseProxies([]string{"nonsense"}); err == nil {
		t.Error("nonsense was taken")
	}
}
