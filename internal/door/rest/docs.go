package rest

import (
	_ "embed" // the page below
	"net/http"
)

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

// static serves the readable page of the description. It renders openapi.json in
// the reader's browser, so it can never differ from it.
func static(kind string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "public, no-cache")
		_, _ = w.Write(body) // a client that went away is not an event
	}
}
