package rest

import (
	_ "embed" // the page below
	"net/http"

	"github.com/wharfinger/wharfinger/internal/door/desk"
)

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

// MountDocs mounts the readable page of the description.
func MountDocs(d *desk.Desk) {
	d.MountPage("/docs", static("text/html; charset=utf-8", docsPage))
	d.MountPage("/docs.js", static("text/javascript; charset=utf-8", docsScript))
}

const docsCSP = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// static serves the readable page of the description. It renders openapi.json in
// the reader's browser, so it can never differ from it.
func static(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", docsCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "public, no-cache")
		_, _ = w.Write(body) // a client that went away is not an event
	}
}
