// Package api carries the description of the HTTP API. The text is
// openapi.yaml; everything else is made of it: openapi.gen.json here, the Go
// types in package wire, and the page's TypeScript types.
//
// A server may import api to serve the description; nothing of ours is
// imported by it.
//
//	w.Header().Set("Content-Type", "application/json")
//	w.Write(api.Description())
package api

import (
	"bytes"
	_ "embed"
)

//go:generate go run gen.go

//go:embed openapi.gen.json
var description []byte

// Description returns the OpenAPI 3.1 document as JSON. The caller owns it.
func Description() []byte { return bytes.Clone(description) }
