package share

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/wharfinger/wharfinger/api/wire"
)

// Prefix is under which short addresses lie.
const Prefix = "/s/"

// WithoutPassword is the path of a request as it may be logged.
func WithoutPassword(path string) string {
	rest, short := strings.CutPrefix(path, Prefix)
	if !short {
		return path
	}
	id, _, _ := strings.Cut(rest, "/")
	return Prefix + id
}

// maxPart bounds the parts of a short address; longer ones are nobody's.
const maxPart = 128

// Short answers GET /s/{id}[/{password}], the address that people send to each
// other: it leads to the page that shows the share. Whether there is one is not
// looked at here.
func Short(w http.ResponseWriter, r *http.Request) {
	id, password, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	if id == "" || len(id) > maxPart || len(password) > maxPart || strings.Contains(password, "/") {
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	who := url.User(id)
	if password != "" {
		who = url.UserPassword(id, password)
	}
	uri := url.URL{Scheme: wire.Scheme, User: who, Host: wire.FSShare}
	h := w.Header()
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address may hold a password
	http.Redirect(w, r, "/home?path="+url.QueryEscape(uri.String()), http.StatusFound)
}
